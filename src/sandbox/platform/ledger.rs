//! What the platform was told: every request to its API, with what it answered.

use serde::Serialize;
use serde_json::Value;

use crate::clock::Timestamp;

/// One request to the platform's API. Holds no secret: the key is not kept, and a webhook's secret is blanked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// When, in milliseconds since the epoch.
    pub at: i64,
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// What came as `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The body; null if there was none, or if it was no JSON.
    pub body: Value,
    /// What was answered; `None` if nothing was.
    pub status: Option<u16>,
    /// The answer's body.
    pub answer: Value,
}

impl Told {
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
