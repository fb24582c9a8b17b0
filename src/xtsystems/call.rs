//! One HTTP exchange with the platform.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::model::{Arrived, Endpoint, Method};
use crate::xtsystems::Client;

/// How much of an answer is read.
const READ_LIMIT: usize = 1024 * 1024;
/// How much of it is kept for the operator.
const KEEP: usize = 500;
/// The longest wait that is believed.
const LONGEST_WAIT: Duration = crate::model::schedule::LONGEST_WAIT;

/// What came of a call. Holds neither the key nor the address.
#[derive(Clone, Debug)]
pub struct Reply {
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The HTTP status; `None` if there was no answer.
    pub status: Option<u16>,
    /// What the platform asked for in `Retry-After`, at most an hour.
    pub retry_after: Option<Duration>,
    /// The answer's body, or as much of it as was read.
    pub body: Vec<u8>,
    /// Whether the answer broke off.
    pub is_broken: bool,
    /// Whether a call that brought no 2xx may have had an effect all the same.
    pub arrived: Arrived,
    /// Why there was no answer, in words.
    pub trouble: Option<String>,
}

impl Reply {
    /// Whether the platform did it: a 2xx that is empty or JSON. A login page confirms nothing.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self.status, Some(200..=299)) && self.foreign().is_none()
    }

    /// What stands in the place of JSON, if something does: whoever answered was not the platform's API.
    #[must_use]
    pub fn foreign(&self) -> Option<&'static str> {
        let text = self.body.trim_ascii();
        if self.is_broken || text.is_empty() || serde_json::from_slice::<Value>(text).is_ok() {
            return None;
        }
        Some(if text.starts_with(b"<") { "a web page" } else { "text" })
    }

    /// The answer as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What came instead of success, for people: "XTSystems answered 500 Internal Server Error", or why it did not answer.
    #[must_use]
    pub fn summary(&self) -> String {
        let status = self.status.and_then(|status| reqwest::StatusCode::from_u16(status).ok());
        match (status, &self.trouble) {
            (Some(status), _) => {
                let words = status.canonical_reason().map(|words| format!(" {words}")).unwrap_or_default();
                format!("XTSystems answered {}{words}", status.as_u16())
            }
            (None, Some(trouble)) => format!("XTSystems did not answer: {trouble}"),
            (None, None) => "XTSystems did not answer".to_owned(),
        }
    }

    /// What the platform said, for people: its `detail` or `message`, else the beginning of its answer, else why there
    /// was none. At most 500 characters, without control characters.
    #[must_use]
    pub fn excerpt(&self) -> String {
        let json = self.json();
        let said = ["detail", "message", "error", "title"].iter().find_map(|key| match &json[*key] {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        });
        let text = said
            .or_else(|| self.trouble.clone())
            .unwrap_or_else(|| String::from_utf8_lossy(&self.body).into_owned());
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(KEEP).collect()
    }
}

impl Client {
    /// Calls `endpoint` with the key, and with `body` as JSON. The same `idempotency_key` on every try tells the
    /// platform that it is the same call.
    pub async fn call(
        &self,
        endpoint: &Endpoint,
        idempotency_key: Option<&str>,
        body: Option<&Value>,
    ) -> Reply {
        let started_at = self.0.clock.now();
        let began = self.0.clock.elapsed();
        let sent = match self.request(endpoint, idempotency_key, body) {
            Ok(request) => request.send().await,
            Err(error) => Err(error),
        };
        let mut reply = Reply {
            started_at,
            took: Duration::ZERO,
            status: None,
            retry_after: None,
            body: Vec::new(),
            is_broken: false,
            arrived: Arrived::Maybe,
            trouble: None,
        };
        match sent {
            Ok(response) => self.read(response, &mut reply).await,
            Err(error) => {
                // What never connected cannot have arrived; everything after that may have.
                let before = error.is_connect() || error.is_builder();
                reply.arrived = if before { Arrived::No } else { Arrived::Maybe };
                reply.trouble = Some(trouble(&error).to_owned());
            }
        }
        reply.took = self.0.clock.elapsed().saturating_sub(began);
        reply
    }

    fn request(
        &self,
        endpoint: &Endpoint,
        idempotency_key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<reqwest::RequestBuilder, reqwest::Error> {
        let method = match endpoint.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut request = self
            .http_client()?
            .request(method, format!("{}{}", self.0.base, endpoint.path))
            .header("accept", "application/json")
            .bearer_auth(self.0.key.expose());
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        Ok(match body {
            Some(body) => request.json(body),
            None => request,
        })
    }

    /// What could not be read to its end is left out: the status counts all the same.
    async fn read(&self, mut response: Response, reply: &mut Reply) {
        let status = response.status().as_u16();
        reply.status = Some(status);
        // The platform refused before it did anything. After a 5xx nobody knows.
        reply.arrived =
            if (300..=499).contains(&status) && status != 408 { Arrived::No } else { Arrived::Maybe };
        reply.retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.trim().parse::<u32>().ok())
            .map(|secs| Duration::from_secs(secs.into()).min(LONGEST_WAIT));
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    body.extend_from_slice(&chunk[..chunk.len().min(READ_LIMIT - body.len())]);
                }
                Ok(None) => break,
                Err(_) => {
                    reply.is_broken = true;
                    break;
                }
            }
            if body.len() == READ_LIMIT {
                break;
            }
        }
        reply.body = redacted(body, self.0.key.expose());
    }
}

/// `body` without the key: a platform that repeats what it was sent must not bring it into our logs.
fn redacted(body: Vec<u8>, key: &str) -> Vec<u8> {
    if key.is_empty() || !body.windows(key.len()).any(|window| window == key.as_bytes()) {
        return body;
    }
    String::from_utf8_lossy(&body).replace(key, "***").into_bytes()
}

/// A failed request in words, without the address it went to.
fn trouble(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "it cannot be reached"
    } else if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_builder() {
        "the call cannot be made: its address or TLS is invalid"
    } else {
        "the connection broke before it answered"
    }
}
