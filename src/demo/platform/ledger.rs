//! Request log of the platform: every request to its API with its answer.

use serde::Serialize;
use serde_json::Value;

use crate::clock::Timestamp;

/// One request to the platform's API. It contains no secret: the key is not kept, and a webhook's secret is blanked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecordedRequest {
    /// When it arrived, in milliseconds since the epoch.
    pub at: i64,
    /// The HTTP method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The value of the header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The body; null if it was empty or not JSON.
    pub body: Value,
    /// The status of the answer; `None` if there was no answer.
    pub status: Option<u16>,
    /// The body of the answer.
    pub answer: Value,
}

impl RecordedRequest {
    pub(super) fn new(at: Timestamp, method: &str, path: &str, key: Option<&str>, body: &Value) -> Self {
        Self {
            at: at.as_millis(),
            method: method.to_owned(),
            path: path.to_owned(),
            idempotency_key: key.map(str::to_owned),
            body: blanked(body),
            status: None,
            answer: Value::Null,
        }
    }

    pub(super) fn answered(mut self, status: u16, answer: &Value) -> Self {
        self.status = Some(status);
        self.answer = blanked(answer);
        self
    }
}

/// `value` without secrets.
fn blanked(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(secret) = value.get_mut("secret") {
        *secret = "•••".into();
    }
    value
}
