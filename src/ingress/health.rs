//! `/health`: for the seed's troubleshooting `curl`, for monitors and for orchestrators.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;

use crate::hub::{Findings, Problem};
use crate::ingress::IngressState;
use crate::ingress::insider::is_insider;

/// The response body of `/health`.
#[derive(Serialize)]
pub(super) struct HealthReport {
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
    /// Refused requests of the last 24 hours. For insiders only: it contains addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Vec<RefusedReport>>,
}

/// Requests that were refused for one reason.
#[derive(Serialize)]
struct RefusedReport {
    reason: &'static str,
    count: u64,
    last_at: String,
    /// The addresses that most of them came from, most first; at most eight.
    addresses: Vec<AddressReport>,
    /// How many came from other addresses.
    others: u64,
}

/// How many refused requests came from an address.
#[derive(Serialize)]
struct AddressReport {
    address: String,
    count: u64,
}

impl RefusedReport {
    fn of(findings: Findings) -> Self {
        let (others, reason) = (findings.from_others(), findings.finding.as_str());
        let addresses = findings.addresses.into_iter();
        let addresses =
            addresses.map(|count| AddressReport { address: count.address, count: count.last_day });
        Self {
            reason,
            count: findings.last_day,
            last_at: findings.last_at.to_rfc3339(),
            addresses: addresses.collect(),
            others,
        }
    }
}

/// Always 200: a degraded nuncio still accepts events. Sentences, which name guilds, channels and roles, go to
/// insiders; all others get the problems' codes.
pub(super) async fn report(
    State(ingress): State<IngressState>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Json<HealthReport> {
    let peer = peer.map(|axum::Extension(ConnectInfo(peer))| peer);
    let is_insider = is_insider(&ingress, peer, &headers).await;
    let words = if is_insider { sentence } else { code };
    let health = ingress.0.hub.health().await;
    let backlog = health.backlog.unwrap_or_default();
    Json(HealthReport {
        status: if health.problems.is_empty() { "ok" } else { "degraded" },
        problems: health.problems.iter().map(words).collect(),
        codes: health.problems.iter().map(|problem| problem.code).collect(),
        service: "nuncio",
        version: env!("CARGO_PKG_VERSION"),
        timestamp: ingress.0.clock.now().to_rfc3339(),
        discord: if health.discord_connected { "connected" } else { "disconnected" },
        database: if health.stores { "ok" } else { "failed" },
        pending: backlog.pending + backlog.sending,
        unrouted: backlog.unrouted,
        configuration: is_insider.then(|| ingress.0.hub.configuration()),
        refused: is_insider.then(|| ingress.0.hub.refusals().into_iter().map(RefusedReport::of).collect()),
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
pub(super) async fn ready(State(ingress): State<IngressState>) -> (StatusCode, &'static str) {
    if ingress.0.hub.health().await.stores {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    }
}
