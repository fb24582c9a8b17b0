//! Request log: API requests and their answers, which tests read and the page counts.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::clock::Timestamp;

/// How many requests are kept. Older ones are dropped; the counts remain.
const KEPT: usize = 5_000;

/// One request to the API.
#[derive(Clone, Debug)]
pub struct LoggedRequest {
    /// When it arrived.
    pub at: Timestamp,
    /// The method: `GET`, `POST`, …
    pub method: String,
    /// The path with its query, as received; tokens in it are `***`.
    pub path: String,
    /// The JSON body (of a form, its `payload_json`), if any.
    pub body: Option<Value>,
    /// The status of the answer; `None` if the connection was cut or left hanging.
    pub status: Option<u16>,
    /// Discord's JSON error code in the answer.
    pub code: Option<u64>,
    /// Whether the body carried `allowed_mentions`.
    pub had_allowed_mentions: bool,
}

/// One complete request with its answer, to check the sandbox against Discord's own specification.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The method: `GET`, `POST`, …
    pub method: String,
    /// The path without its query; tokens in it are `***`.
    pub path: String,
    /// The query, without `?`.
    pub query: String,
    /// The JSON body (of a form, its `payload_json`), if any.
    pub request: Option<Value>,
    /// The status of the answer.
    pub status: u16,
    /// The JSON of the answer; `None` with a 204.
    pub answer: Option<Value>,
}

/// Counters since the start. As JSON they are the page's `SANDBOX_COUNTS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Messages created.
    pub sent: u64,
    /// Create requests that were answered with the earlier message of their nonce.
    pub deduplicated: u64,
    /// Requests answered 2xx.
    pub accepted: u64,
    /// Requests answered 4xx, except 429.
    pub refused: u64,
    /// Requests answered 429.
    pub rate_limited: u64,
    /// Requests answered 5xx, or not answered at all.
    pub failed: u64,
}

/// The request log.
#[derive(Default)]
pub(super) struct Ledger {
    requests: VecDeque<Arc<LoggedRequest>>,
    counts: Counts,
    /// Recorded only on request: bodies of answers are large.
    exchanges: Option<Vec<Exchange>>,
}

impl Ledger {
    /// Records a request once its outcome is known.
    pub(super) fn record(&mut self, request: LoggedRequest) {
        match request.status {
            Some(200..=299) => self.counts.accepted += 1,
            Some(429) => self.counts.rate_limited += 1,
            Some(400..=499) => self.counts.refused += 1,
            _ => self.counts.failed += 1,
        }
        if self.requests.len() == KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back(Arc::new(request));
    }

    /// Records every exchange from now on.
    pub(super) fn keep_exchanges(&mut self) {
        self.exchanges.get_or_insert_default();
    }

    /// Records an exchange, if recording is on.
    pub(super) fn exchange(&mut self, exchange: impl FnOnce() -> Exchange) {
        if let Some(kept) = &mut self.exchanges {
            kept.push(exchange());
        }
    }

    /// Takes the recorded exchanges.
    pub(super) fn take_exchanges(&mut self) -> Vec<Exchange> {
        self.exchanges.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Counts a message that was created, or found by its nonce.
    pub(super) fn message(&mut self, made: bool) {
        if made {
            self.counts.sent += 1;
        } else {
            self.counts.deduplicated += 1;
        }
    }

    /// All kept requests, oldest first.
    pub(super) fn requests(&self) -> Vec<Arc<LoggedRequest>> {
        self.requests.iter().cloned().collect()
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }
}

/// The path without the tokens that some of Discord's paths carry (`/webhooks/{id}/{token}`,
/// `/interactions/{id}/{token}`).
pub(super) fn redact(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    if let Some(at) = parts.iter().position(|part| matches!(*part, "webhooks" | "interactions"))
        && let Some(token) = parts.get_mut(at + 2)
    {
        *token = "***";
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_paths_are_not_logged() {
        assert_eq!(redact("/api/v10/webhooks/1/s3cret/messages/2"), "/api/v10/webhooks/1/***/messages/2");
        assert_eq!(redact("/api/v10/channels/1/messages"), "/api/v10/channels/1/messages");
    }
}
