//! The error type for failed calls to the platform.

use serde::de::DeserializeOwned;

use crate::model::Endpoint;
use crate::xtsystems::CallReply;

/// A call that failed. Its text includes the remedy, and holds neither key nor address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct CallFailure {
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The platform's message; empty if there was no response.
    pub platform_reply: String,
    sentence: String,
}

impl CallFailure {
    /// Builds the error for `reply` to `endpoint`.
    pub(super) fn of(endpoint: &Endpoint, reply: &CallReply) -> Self {
        let platform_reply = reply.excerpt();
        let sentence = match reply.status {
            None => format!(
                "XTSystems did not answer {endpoint}: {platform_reply}. Check XTSYSTEMS_API_URL and whether it runs"
            ),
            Some(status @ (401 | 403)) => {
                format!(
                    "XTSystems refused XTSYSTEMS_API_KEY ({status}): {platform_reply}. Set a key that may do this"
                )
            }
            Some(status @ (404 | 405)) => {
                format!("XTSystems answered {status} to {endpoint}: {platform_reply}")
            }
            Some(429) => "XTSystems has had too many calls (429): try again in a minute".to_owned(),
            Some(status @ 300..=399) => format!(
                "XTSystems answered {endpoint} with a redirect ({status}), and those are not followed: set XTSYSTEMS_API_URL to where it really is"
            ),
            Some(status @ 500..) => {
                format!("XTSystems failed at {endpoint} ({status}): {platform_reply}. Try again later")
            }
            Some(status @ 200..=299) => format!(
                "XTSystems answered {endpoint} ({status}) with {} instead of JSON: is XTSYSTEMS_API_URL its API?",
                reply.foreign().unwrap_or("an incomplete answer")
            ),
            Some(status) => format!("XTSystems refused {endpoint} ({status}): {platform_reply}"),
        };
        Self {
            status: reply.status,
            platform_reply: if reply.status.is_some() { platform_reply } else { String::new() },
            sentence,
        }
    }

    /// The outage of the platform at `base`, without a full stop, and the remedy; `None` if the platform responds and
    /// only this call failed.
    #[must_use]
    pub fn outage(&self, base: &str) -> Option<(String, &'static str)> {
        match self.status {
            None => Some((
                format!("XTSystems ({base}) cannot be reached"),
                "Check XTSYSTEMS_API_URL and whether it runs",
            )),
            Some(status @ 500..) => {
                Some((format!("XTSystems ({base}) answers {status}"), "Look at XTSystems' own log"))
            }
            Some(_) => None,
        }
    }

    /// XTSystems returned an id that cannot be part of a path.
    pub(super) fn unusable(what: &str) -> Self {
        let sentence = format!("XTSystems returned a {what} whose id cannot be part of a web address");
        Self { status: None, platform_reply: String::new(), sentence }
    }

    fn unreadable(endpoint: &Endpoint, reply: &CallReply, error: &serde_json::Error) -> Self {
        Self {
            status: reply.status,
            platform_reply: reply.excerpt(),
            sentence: format!(
                "XTSystems answered {endpoint} with something unexpected ({error}): is XTSYSTEMS_API_URL its API?"
            ),
        }
    }
}

/// Parses the JSON of a successful reply.
pub(super) fn read<T: DeserializeOwned>(endpoint: &Endpoint, reply: &CallReply) -> Result<T, CallFailure> {
    if !reply.is_success() {
        // If the sender was not the platform's API, its 2xx status is not trusted either.
        let status = reply.status.filter(|status| !(200..=299).contains(status));
        return Err(CallFailure { status, ..CallFailure::of(endpoint, reply) });
    }
    serde_json::from_slice(&reply.body).map_err(|error| CallFailure::unreadable(endpoint, reply, &error))
}
