//! Insider access to names, ids and figures: for requests from this machine, and requests with an operator's API key.

use std::net::SocketAddr;

use axum::http::{HeaderMap, header};

use crate::hub::Hub;
use crate::ingress::IngressState;
use crate::model::Principal;
use crate::secret::Secret;

/// Headers that proxies add. A request with any of them comes from elsewhere, even if a local proxy forwards it.
pub(super) const FORWARDING: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/// Whether the request comes from this machine or carries an operator's API key.
pub(super) async fn is_insider(
    ingress: &IngressState,
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
) -> bool {
    is_local(ingress, peer, headers) || operator(&ingress.0.hub, headers).await.is_some()
}

/// Whether the request was made on this machine. A request through a trusted proxy on this machine does not count, nor
/// does one through a proxy missing from `TRUSTED_PROXIES` that its headers reveal.
fn is_local(ingress: &IngressState, peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
    peer.is_some_and(|peer| {
        let address = peer.ip().to_canonical();
        address.is_loopback() && !ingress.live().proxies.contains(address)
    }) && !FORWARDING.iter().any(|name| headers.contains_key(*name))
}

/// The operator whose API key the request carries: `NUNCIO_API_KEY`, or a stored admin key without a company and an owner.
/// If the database cannot say, the request carries none.
pub(super) async fn operator(hub: &Hub, headers: &HeaderMap) -> Option<Principal> {
    let given = key_in(headers)?;
    match hub.authenticate(&given).await {
        Ok(principal) => principal.filter(Principal::is_operator),
        Err(error) => {
            tracing::error!(%error, "an API key could not be looked up");
            None
        }
    }
}

/// The API key in `Authorization: Bearer` or `X-API-Key`, if there is exactly one.
fn key_in(headers: &HeaderMap) -> Option<Secret> {
    let bearer = headers.get_all(header::AUTHORIZATION).iter().map(|value| {
        let (scheme, given) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(given)
    });
    let plain = headers.get_all("x-api-key").iter().map(|value| value.to_str().ok());
    let mut all = bearer.chain(plain);
    let (Some(Some(given)), None) = (all.next(), all.next()) else { return None };
    Some(Secret::new(given))
}
