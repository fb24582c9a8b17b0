//! `GET /metrics`: for whoever has the API key, and for this machine itself.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::ingress::rejection::{Rejection, Sentence};
use crate::ingress::{Client, Door};
use crate::secret::Secret;
use crate::signature;
use crate::telemetry::metric;

/// What proxies add: a request with any of it comes from elsewhere, whoever hands it on.
const HANDED_ON: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"];

/// The metrics, or 401.
pub(super) async fn page(
    State(door): State<Door>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Response {
    let peer = peer.map(|axum::Extension(ConnectInfo(peer))| peer);
    if is_local(&door, peer, &headers) || has_key(door.0.api_key.as_ref(), &headers) {
        let headers = [(header::CONTENT_TYPE, metric::CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
        return (headers, door.0.hub.metrics().await).into_response();
    }
    let client = peer.map(|peer| Client::of(peer.ip(), &headers, &door.0.proxies).0);
    if let Some(Err(retry_after_s)) = client.map(|client| door.0.limiter.charge(client)) {
        return Rejection::TooMany { retry_after_s }.into_response();
    }
    (
        StatusCode::UNAUTHORIZED,
        [(header::WWW_AUTHENTICATE, "Bearer")],
        Json(Sentence::new(
            "/metrics is for this machine, and for Authorization: Bearer with NUNCIO_API_KEY",
        )),
    )
        .into_response()
}

/// Whether the request was made on this machine. A proxy of ours on this machine is no proof of that, nor is one that
/// `TRUSTED_PROXIES` does not name but that says itself what it is.
fn is_local(door: &Door, peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
    peer.is_some_and(|peer| {
        let address = peer.ip().to_canonical();
        address.is_loopback() && !door.0.proxies.contains(address)
    }) && !HANDED_ON.iter().any(|name| headers.contains_key(*name))
}

/// Whether exactly one `Authorization: Bearer` carries the key. Its codes are compared, so that the time it takes says
/// nothing about the key.
fn has_key(key: Option<&Secret>, headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(key), Some(value), None) = (key, values.next(), values.next()) else { return false };
    let Some((scheme, given)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
        return false;
    };
    scheme.eq_ignore_ascii_case("bearer") && signature::same(key, given)
}
