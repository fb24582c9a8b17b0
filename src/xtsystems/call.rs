//! One HTTP exchange with the platform.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::model::{Arrived, Endpoint, Method};
use crate::outgoing::{BodyFault, read_body};
use crate::xtsystems::XtSystemsClient;

/// Maximum bytes to read of a reply.
const READ_LIMIT: usize = 1024 * 1024;
/// Maximum characters of a reply to keep for the operator.
const KEEP: usize = 500;
/// Maximum accepted `Retry-After`.
const LONGEST_WAIT: Duration = crate::model::schedule::LONGEST_WAIT;

/// The result of a call. Holds neither the key nor the address.
#[derive(Clone, Debug)]
pub struct CallReply {
    /// When the call began.
    pub started_at: Timestamp,
    /// Duration of the call, including the reply's body.
    pub took: Duration,
    /// The HTTP status; `None` if there was no response.
    pub status: Option<u16>,
    /// The wait requested in `Retry-After`, at most an hour.
    pub retry_after: Option<Duration>,
    /// The reply's body, up to the read limit.
    pub body: Vec<u8>,
    /// Whether the body broke off.
    pub is_broken: bool,
    /// Whether a call without a 2xx may have had an effect anyway.
    pub arrived: Arrived,
    /// Why there was no response, for people.
    pub trouble: Option<String>,
}

impl CallReply {
    /// Whether the platform made the change: a 2xx with an empty or JSON body. A login page confirms nothing.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self.status, Some(200..=299)) && self.foreign().is_none()
    }

    /// What the body is if it is not JSON: then the sender was not the platform's API.
    #[must_use]
    pub fn foreign(&self) -> Option<&'static str> {
        let text = self.body.trim_ascii();
        if self.is_broken || text.is_empty() || serde_json::from_slice::<Value>(text).is_ok() {
            return None;
        }
        Some(if text.starts_with(b"<") { "a web page" } else { "text" })
    }

    /// The body as JSON; null if it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The failure for people: "XTSystems answered 500 Internal Server Error", or why there was no response.
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

    /// The platform's message for people: its `detail` or `message`, else the start of the body, else why there was no
    /// response. At most 500 characters, without control characters.
    #[must_use]
    pub fn excerpt(&self) -> String {
        let json = self.json();
        let message = ["detail", "message", "error", "title"].iter().find_map(|key| match &json[*key] {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        });
        let text = message
            .or_else(|| self.trouble.clone())
            .unwrap_or_else(|| String::from_utf8_lossy(&self.body).into_owned());
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(KEEP).collect()
    }
}

impl XtSystemsClient {
    /// Calls `endpoint` with the key, and with `body` as JSON. Pass one `idempotency_key` for every try of a call, so
    /// that the platform recognizes repetitions.
    pub async fn call(
        &self,
        endpoint: &Endpoint,
        idempotency_key: Option<&str>,
        body: Option<&Value>,
    ) -> CallReply {
        let started_at = self.0.clock.now();
        let began = self.0.clock.elapsed();
        let sent = match self.request(endpoint, idempotency_key, body) {
            Ok(request) => request.send().await,
            Err(error) => Err(error),
        };
        let mut reply = CallReply {
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
                // A request that never connected cannot have arrived; any later failure leaves it in doubt.
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

    /// Reads the response into `reply`. An unreadable rest of the body is dropped: the status counts anyway.
    async fn read(&self, response: Response, reply: &mut CallReply) {
        let status = response.status().as_u16();
        reply.status = Some(status);
        // With these statuses the platform refused before it did anything. After a 5xx its state is unknown.
        reply.arrived =
            if (300..=499).contains(&status) && status != 408 { Arrived::No } else { Arrived::Maybe };
        reply.retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.trim().parse::<u32>().ok())
            .map(|secs| Duration::from_secs(secs.into()).min(LONGEST_WAIT));
        let body = read_body(response, READ_LIMIT).await.unwrap_or_else(|error| {
            reply.is_broken = match error.fault {
                BodyFault::TooLarge(_) => false,
                BodyFault::TooSlow | BodyFault::BrokeOff(_) => true,
            };
            error.read
        });
        reply.body = redacted(body, self.0.key.expose());
    }
}

/// `body` without the key: a platform that echoes its input must not put the key into our logs.
fn redacted(body: Vec<u8>, key: &str) -> Vec<u8> {
    if key.is_empty() || !body.windows(key.len()).any(|window| window == key.as_bytes()) {
        return body;
    }
    String::from_utf8_lossy(&body).replace(key, "***").into_bytes()
}

/// A failed request as text, without the address.
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
