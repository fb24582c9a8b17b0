//! An HTTP response, read up to a limit, and whether Discord sent it.
//!
//! Proxies, captive portals and Cloudflare sit between nuncio and Discord. Their responses are not Discord's: a success
//! counts only with its proof ([`outcome`]), an error only with Discord's error object. Everything else is an outage,
//! and is retried.

mod outcome;
#[cfg(test)]
mod tests;

pub(super) use outcome::Creation;
use reqwest::Response;
use reqwest::header::{AGE, DATE, HeaderMap, HeaderValue, VIA};
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::discord::limits::{self, BucketHeaders};
use crate::model::{Reason, Snowflake};
use crate::outgoing::read_body;

/// Maximum bytes to read of a response. Messages are far smaller; an endless response must not fill the memory.
const READ_LIMIT: usize = 1024 * 1024;
/// Maximum bytes of an error response to keep for the operator.
const KEEP: usize = 500;

/// One response, read to its end or to [`READ_LIMIT`].
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    json: Option<Value>,
}

impl Answer {
    /// Reads `response`. An unreadable rest is dropped: the response then proves nothing.
    pub(super) async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = read_body(response, READ_LIMIT).await.unwrap_or_else(|error| error.read);
        Self::of(status, headers, body)
    }

    /// Builds a response from its parts.
    pub(super) fn of(status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        let json = serde_json::from_slice(&body).ok();
        Self { status, headers, body, json }
    }

    /// Discord's error code (Discord: "Error Messages"), only if the response has the shape of Discord's errors.
    pub(super) fn code(&self) -> Option<u64> {
        let json = self.json.as_ref()?;
        json.get("message")?.as_str()?;
        json.get("code")?.as_u64()
    }

    /// Whether a non-success response is Discord's own: its error object, its rate-limit object, or JSON of another
    /// shape that came through Discord's servers (old form errors have neither message nor code).
    pub(super) fn is_discords(&self) -> bool {
        if (200..=299).contains(&self.status) {
            return false;
        }
        let has = |name: &str| self.json.as_ref().is_some_and(|json| json.get(name).is_some());
        let is_limit = self.status == 429 && (has("retry_after") || has("global"));
        let is_object = self.json.as_ref().is_some_and(Value::is_object);
        self.code().is_some() || is_limit || (is_object && self.is_via_discord())
    }

    /// Whether it carries the `Via` header of Discord's servers, which proxies on the way pass on.
    pub(super) fn is_via_discord(&self) -> bool {
        let is_google = |via: &HeaderValue| via.as_bytes().ends_with(b"google");
        self.headers.get_all(VIA).iter().any(is_google)
    }

    /// The time at which it was generated. A cached response does not date the present, so it has none.
    pub(super) fn date(&self) -> Option<Timestamp> {
        let date = self.headers.get(DATE).filter(|_| !self.headers.contains_key(AGE))?;
        Timestamp::parse_http_date(date.to_str().ok()?)
    }

    /// What to keep of a failed response for the operator: its first few hundred bytes, and who sent it.
    pub(super) fn excerpt(&self) -> Vec<u8> {
        let excerpt = &self.body[..self.body.len().min(KEEP)];
        let about = match self.status {
            200..=299 => format!("the answer ({}) does not prove that Discord did it: ", self.status),
            500.. | 408 => return excerpt.to_vec(),
            _ if self.is_discords() => return excerpt.to_vec(),
            status => format!("a proxy or a login page answered in place of Discord ({status}): "),
        };
        [about.as_bytes(), excerpt].concat()
    }

    /// Whether Discord counts it towards a ban of the address (Discord: "Invalid Request Limit").
    pub(super) fn is_refusal(&self) -> bool {
        match self.status {
            401 => self.is_discords(),
            403 => true,
            429 => !limits::is_shared(&self.headers),
            _ => false,
        }
    }

    /// Its rate-limit bucket data. Global waits belong to the circuit breaker.
    pub(super) fn bucket_headers(&self) -> BucketHeaders {
        let is_global = limits::is_global(&self.headers, self.json.as_ref());
        let blocked = match self.status {
            429 if !is_global && self.is_discords() => limits::retry_after(&self.headers, self.json.as_ref()),
            _ => None,
        };
        BucketHeaders { blocked, ..BucketHeaders::read(&self.headers) }
    }

    /// Whether the body is a JSON array.
    pub(super) fn is_list(&self) -> bool {
        self.json.as_ref().is_some_and(Value::is_array)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.json.as_ref()?.get(key)?.as_str()
    }

    fn id(&self, key: &str) -> Option<Snowflake> {
        id_of(self.json.as_ref()?.get(key)?)
    }

    /// "Discord answered 400 50035: Invalid Form Body", with Discord's own explanation as far as it fits.
    pub(super) fn reason(&self) -> Reason {
        let code = self.code().map(|code| format!(" {code}")).unwrap_or_default();
        let text = match &self.json {
            Some(json) => {
                let message = json.get("message").and_then(Value::as_str).unwrap_or("no explanation");
                let errors = json.get("errors").map(|errors| format!(" {}", fields(errors)));
                let errors = errors.unwrap_or_default();
                format!("{message}{errors}")
            }
            None => String::from_utf8_lossy(&self.body).into_owned(),
        };
        let text: String = text.chars().filter(|c| !c.is_control()).take(KEEP).collect();
        let who = if self.status >= 500 || self.is_discords() {
            "Discord"
        } else {
            "Something else in Discord's place"
        };
        Reason::new(format!("{who} answered {}{code}: {text}", self.status))
    }
}

/// "2.name: Command name is invalid" for each rejected field (Discord: "Error Messages"); an object of any other shape
/// as raw JSON.
fn fields(errors: &Value) -> String {
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), errors)];
    while let Some((path, value)) = waiting.pop() {
        let Some(object) = value.as_object() else { continue };
        for error in object.get("_errors").and_then(Value::as_array).into_iter().flatten() {
            let message = error["message"].as_str().unwrap_or("no explanation");
            found.push(if path.is_empty() { message.to_owned() } else { format!("{path}: {message}") });
        }
        let below = object.iter().filter(|(name, _)| *name != "_errors");
        let below = below.map(|(name, value)| {
            (if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, value)
        });
        waiting.extend(below.rev());
    }
    if found.is_empty() { errors.to_string() } else { found.join("; ") }
}

/// Parses an id: Discord sends ids as strings, compatible servers as numbers.
pub(super) fn id_of(value: &Value) -> Option<Snowflake> {
    let number = value.as_u64().map(|id| id.to_string());
    number.as_deref().or_else(|| value.as_str())?.parse().ok()
}

/// Deserializes an id with [`id_of`].
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Snowflake, D::Error> {
    id_of(&Value::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("no id"))
}

/// Reads an id that may be absent or null. Anything else counts as absent.
pub(super) fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Snowflake>, D::Error> {
    Ok(id_of(&Value::deserialize(deserializer)?))
}
