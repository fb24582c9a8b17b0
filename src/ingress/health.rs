//! `/health`: for the seed's troubleshooting `curl`, for monitors and for orchestrators.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;

use crate::hub::Problem;
use crate::ingress::IngressState;
use crate::ingress::insider::is_insider;

/// The response body of `/health`.
#[derive(Serialize)]
pub(super) struct Report {
    status: &'static str,
    problems: Vec<String>,
    /// The code of each problem, in the same order.
    codes: Vec<&'static str>,
    service: &'static str,
    version: &'static str,
    timestamp: String,
    discord: &'static str,
    database: &'static str,
    pending: u64,
    unrouted: u64,
    /// For insiders only: anyone who knows the secret could use it to guess the values of other variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<String>,
}

/// Always 200: a degraded nuncio still accepts events. Sentences, which name guilds, channels and roles, go to
/// insiders; all others get the problems' codes.
pub(super) async fn report(
    State(door): State<IngressState>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Json<Report> {
    let peer = peer.map(|axum::Extension(ConnectInfo(peer))| peer);
    let is_insider = is_insider(&door, peer, &headers);
    let words = if is_insider { sentence } else { code };
    let health = door.0.hub.health().await;
    let backlog = health.backlog.unwrap_or_default();
    Json(Report {
        status: if health.problems.is_empty() { "ok" } else { "degraded" },
        problems: health.problems.iter().map(words).collect(),
        codes: health.problems.iter().map(|problem| problem.code).collect(),
        service: "nuncio",
        version: env!("CARGO_PKG_VERSION"),
        timestamp: door.0.clock.now().to_rfc3339(),
        discord: if health.discord_connected { "connected" } else { "disconnected" },
        database: if health.stores { "ok" } else { "failed" },
        pending: backlog.pending + backlog.sending,
        unrouted: backlog.unrouted,
        configuration: is_insider.then(|| door.0.hub.configuration()),
    })
}

fn sentence(problem: &Problem) -> String {
    problem.sentence()
}

fn code(problem: &Problem) -> String {
    problem.code.to_owned()
}

/// Liveness: the process runs.
pub(super) async fn live() -> &'static str {
    "ok"
}

/// Readiness: the database reads and writes. (The listener opens only after the store is ready.)
pub(super) async fn ready(State(door): State<IngressState>) -> (StatusCode, &'static str) {
    if door.0.hub.health().await.stores {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    }
}
