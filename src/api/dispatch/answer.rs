//! The answers to a dispatch.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::problem::Fault;
use crate::model::EventId;
use crate::model::dispatch::{DispatchError, DispatchReport, DispatchResult, Dispatched};

/// A webhook that a dispatch does not reach, and why.
#[derive(Clone, Serialize, ToSchema)]
pub(in crate::api) struct DispatchWebhookError {
    /// The webhook's name, or `system`.
    webhook: String,
    /// `HTTP 404: Not Found`, or a reason.
    error: String,
}

/// A dispatch that was accepted.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"event_id": "evt_0193f2c1a5b07c3e9d1f4a6b8c0d2e4f", "deliveries": 2}))]
pub(in crate::api) struct DispatchAccepted {
    /// The event; null if nothing had happened.
    #[schema(value_type = Option<String>, required = true)]
    event_id: Option<EventId>,
    /// How many webhooks it goes to.
    deliveries: u64,
    /// Why it goes to none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<DispatchWebhookError>,
    /// What was left out of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Fault>,
}

/// What became of a dispatch.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "event_id": "evt_0193f2c1a5b07c3e9d1f4a6b8c0d2e4f", "success": true, "sent": 1, "failed": 1,
    "errors": [{"webhook": "old", "error": "HTTP 404: Not Found"}],
    "results": [
        {"webhook": "ops", "status": 200, "state": "delivered", "ms": 80, "attempts": 1},
        {"webhook": "old", "status": 404, "state": "closed", "ms": 41, "attempts": 1},
    ],
}))]
pub(in crate::api) struct DispatchOutcome {
    /// The event; null if nothing had happened.
    #[schema(value_type = Option<String>, required = true)]
    event_id: Option<EventId>,
    /// Whether it arrived at any webhook.
    success: bool,
    /// How many webhooks it arrived at.
    sent: usize,
    /// How many it will not arrive at as things are.
    failed: usize,
    errors: Vec<DispatchWebhookError>,
    results: Vec<DispatchWebhookResult>,
    /// How many are still on their way: the wait ran out, and nuncio goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pending: Option<usize>,
    /// What was left out of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Fault>,
}

/// How one webhook took it.
#[derive(Serialize, ToSchema)]
struct DispatchWebhookResult {
    /// The webhook's name.
    webhook: String,
    /// HTTP status of the last answer; null if there was none.
    #[schema(required = true)]
    status: Option<i64>,
    /// How far it is: `delivered`, `pending`, `retrying`, `dead`, `closed`, `muted`, `canceled`.
    state: &'static str,
    /// How long the last attempt took; null if there was none.
    #[schema(required = true)]
    ms: Option<i64>,
    /// Number of attempts.
    attempts: u64,
}

impl DispatchAccepted {
    pub(super) fn of(dispatched: &Dispatched, warnings: &[Fault]) -> Self {
        Self {
            event_id: dispatched.event_id,
            deliveries: dispatched.deliveries,
            errors: errors(&dispatched.errors),
            warnings: all_warnings(dispatched, warnings),
        }
    }
}

impl DispatchOutcome {
    pub(super) fn of(dispatched: &Dispatched, report: &DispatchReport, warnings: &[Fault]) -> Self {
        let (sent, pending) = (report.sent(), report.pending());
        let result = |result: &DispatchResult| DispatchWebhookResult {
            webhook: result.webhook.clone(),
            status: result.status,
            state: result.state.as_str(),
            ms: result.ms,
            attempts: result.attempts,
        };
        Self {
            event_id: dispatched.event_id,
            success: sent > 0,
            sent,
            failed: report.failed(),
            errors: errors(&report.all_errors()),
            results: report.results.iter().map(result).collect(),
            pending: (pending > 0).then_some(pending),
            warnings: all_warnings(dispatched, warnings),
        }
    }
}

fn errors(errors: &[DispatchError]) -> Vec<DispatchWebhookError> {
    let error =
        |one: &DispatchError| DispatchWebhookError { webhook: one.webhook.clone(), error: one.error.clone() };
    errors.iter().map(error).collect()
}

fn all_warnings(dispatched: &Dispatched, warnings: &[Fault]) -> Vec<Fault> {
    let ours =
        dispatched.warnings.iter().map(|warning| Fault::new("/options/scopes", "left_out", warning.as_str()));
    warnings.iter().cloned().chain(ours).collect()
}
