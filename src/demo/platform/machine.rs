//! `/v1/machines`: join requests, and the decisions on them.

use serde_json::{Value, json};

use super::Platform;
use super::api::ApiRequest;
use super::reply::ApiReply;

impl Platform {
    pub(super) fn machines(&self, rest: &[&str], request: &ApiRequest<'_>) -> ApiReply {
        match (request.method, rest) {
            ("GET", []) => {
                let machines = self.model().machines.clone();
                let object = |(id, status)| json!({"id": id, "status": status});
                ApiReply::ok(Value::Array(machines.into_iter().map(object).collect()))
            }
            ("GET", [id]) => match self.machine(id) {
                Some(status) => ApiReply::ok(json!({"id": id, "status": status})),
                None => ApiReply::detail(404, "Machine not found"),
            },
            ("POST", [id, "approve"]) => self.decide(id, "approved", request),
            ("POST", [id, "deny"]) => self.decide(id, "denied", request),
            _ => ApiReply::detail(404, "Not Found"),
        }
    }

    /// Repeating a decision is fine; a different one is a conflict.
    fn decide(&self, id: &str, verdict: &str, request: &ApiRequest<'_>) -> ApiReply {
        let before = self.model().machines.insert(id.to_owned(), verdict.to_owned());
        match before.as_deref() {
            Some(earlier @ ("approved" | "denied")) if earlier != verdict => {
                self.model().machines.insert(id.to_owned(), earlier.to_owned());
                return ApiReply::detail(409, &format!("This machine is already {earlier}"));
            }
            Some(earlier) if earlier == verdict => {}
            _ if verdict == "approved" => {
                let by = request.body["actor"]["name"].as_str().unwrap_or("somebody");
                let at = self.0.clock.now().to_rfc3339();
                self.emit_afterwards(
                    "machine.approved",
                    json!({"asset_id": id, "status": verdict, "approved_by": by, "approved_at": at}),
                );
            }
            _ => {}
        }
        ApiReply::ok(json!({"id": id, "status": verdict}))
    }
}
