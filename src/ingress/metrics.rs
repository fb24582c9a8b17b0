//! `GET /metrics`: for requests with the API key, and for this machine itself.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::ingress::IngressState;
use crate::ingress::insider::is_insider;
use crate::ingress::rejection::{ErrorBody, Rejection};
use crate::model::ClientAddress;
use crate::telemetry::metric;

/// The metrics, or 401.
pub(super) async fn page(
    State(ingress): State<IngressState>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Response {
    let peer = peer.map(|axum::Extension(ConnectInfo(peer))| peer);
    if is_insider(&ingress, peer, &headers).await {
        let headers = [(header::CONTENT_TYPE, metric::CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
        return (headers, ingress.0.hub.metrics().await).into_response();
    }
    let client = peer.map(|peer| ClientAddress::of(peer.ip(), &headers, &ingress.live().proxies).0);
    if let Some(Err(retry_after_s)) = client.map(|client| ingress.live().limiter.charge(client)) {
        return Rejection::TooMany { retry_after_s }.into_response();
    }
    (
        StatusCode::UNAUTHORIZED,
        [(header::WWW_AUTHENTICATE, "Bearer")],
        Json(ErrorBody::new(
            "/metrics is for this machine, and for Authorization: Bearer with NUNCIO_API_KEY or an admin key of no company",
        )),
    )
        .into_response()
}
