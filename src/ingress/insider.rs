//! Insider access to names, ids and figures: for requests from this machine, and requests with the API key.

use std::net::SocketAddr;

use axum::http::{HeaderMap, header};

use crate::ingress::IngressState;
use crate::secret::Secret;
use crate::signature;

/// Headers that proxies add. A request with any of them comes from elsewhere, even if a local proxy forwards it.
pub(super) const FORWARDING: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/// Whether the request comes from this machine or carries the API key.
pub(super) fn is_insider(ingress: &IngressState, peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
    is_local(ingress, peer, headers) || has_key(ingress.live().api_key.as_ref(), headers)
}

/// Whether the request was made on this machine. A request through a trusted proxy on this machine does not count, nor
/// does one through a proxy missing from `TRUSTED_PROXIES` that its headers reveal.
fn is_local(ingress: &IngressState, peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
    peer.is_some_and(|peer| {
        let address = peer.ip().to_canonical();
        address.is_loopback() && !ingress.live().proxies.contains(address)
    }) && !FORWARDING.iter().any(|name| headers.contains_key(*name))
}

/// Whether exactly one `Authorization: Bearer` carries the key. Compares message authentication codes, so that the
/// timing reveals nothing about the key.
pub(super) fn has_key(key: Option<&Secret>, headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(key), Some(value), None) = (key, values.next(), values.next()) else { return false };
    let Some((scheme, given)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
        return false;
    };
    scheme.eq_ignore_ascii_case("bearer") && signature::same(key, given)
}
