//! A listener that answers probes and nothing else, for checks of a setup before nuncio runs.

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::ProbeKey;
use super::answer::{ProbeContext, question_of};
use crate::clock::Clock;
use crate::config::TrustedProxies;
use crate::ingress::rejection::Rejection;
use crate::model::ClientAddress;
use crate::secret::Secret;

struct ProbeListener {
    key: ProbeKey,
    secret: Option<Secret>,
    proxies: TrustedProxies,
    clock: Clock,
}

/// Answers probes on `listener` until `stop`. All other requests get a 503, as from a nuncio that cannot store:
/// the sender of an event that arrives meanwhile sends it again, so nothing is lost.
pub async fn answer_probes(
    listener: TcpListener,
    key: ProbeKey,
    secret: Option<Secret>,
    proxies: TrustedProxies,
    clock: Clock,
    stop: CancellationToken,
) {
    let probed = Arc::new(ProbeListener { key, secret, proxies, clock });
    let router = Router::new().fallback(answer).with_state(probed);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        // Only `stop` ends it.
        _ = axum::serve(listener, service).into_future() => {}
        () = stop.cancelled() => {}
    }
}

async fn answer(
    State(probed): State<Arc<ProbeListener>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    if question_of(request.uri()).is_none() {
        return Rejection::Unavailable.into_response();
    }
    let answering = ProbeContext {
        key: &probed.key,
        secret: probed.secret.as_ref(),
        now: probed.clock.now(),
        peer: peer.ip().to_canonical(),
        is_peer_trusted: probed.proxies.contains(peer.ip()),
        client: ClientAddress::of(peer.ip(), request.headers(), &probed.proxies),
    };
    let (head, body) = request.into_parts();
    answering.answer(&head, body, Vec::new).await
}
