//! What became of a dispatch: how many webhooks it goes to, and later, how each of them took it.

use crate::model::{Class, EventId};

/// Said when no stored webhook is selected.
pub const NOBODY: &str = "No webhooks configured for this event type";
/// Stands for the name of a webhook where an error is about none of them.
pub const SYSTEM: &str = "system";

/// A webhook that a dispatch does not reach, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchError {
    /// The webhook's name, or `SYSTEM`.
    pub webhook: String,
    /// A sentence, or `HTTP 404: Not Found`.
    pub error: String,
}

impl DispatchError {
    /// An error about no webhook in particular.
    pub fn system(error: impl Into<String>) -> Self {
        Self { webhook: SYSTEM.to_owned(), error: error.into() }
    }
}

/// A dispatch that was accepted. It is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Its event; `None` if nothing had happened.
    pub event_id: Option<EventId>,
    /// How many webhooks it goes to.
    pub deliveries: u64,
    /// Why it goes to none.
    pub errors: Vec<DispatchError>,
    /// What the caller should know.
    pub warnings: Vec<String>,
}

/// How far a delivery of a dispatch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DispatchState {
    /// The message is in Discord.
    Delivered,
    /// It waits, or is being sent.
    Pending,
    /// An attempt failed, and another follows.
    Retrying,
    /// Discord refused it for good.
    Dead,
    /// The webhook is closed: it waits for another address.
    Closed,
    /// A mute suppressed it.
    Muted,
    /// It was canceled before it was sent: the webhook was removed.
    Canceled,
}

impl DispatchState {
    /// The word in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Pending => "pending",
            Self::Retrying => "retrying",
            Self::Dead => "dead",
            Self::Closed => "closed",
            Self::Muted => "muted",
            Self::Canceled => "canceled",
        }
    }

    /// Whether waiting longer is of no use.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Retrying)
    }
}

/// One webhook's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchResult {
    /// The webhook's name.
    pub webhook: String,
    /// How far it is.
    pub state: DispatchState,
    /// HTTP status of the last answer, if there was one.
    pub status: Option<i64>,
    /// How long the last attempt took, in milliseconds.
    pub ms: Option<i64>,
    /// Number of attempts.
    pub attempts: u64,
    /// Why it was not delivered, as a sentence; empty if it is not known.
    pub reason: String,
}

/// How all webhooks of a dispatch took it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DispatchReport {
    /// A result for each webhook.
    pub results: Vec<DispatchResult>,
    /// Why there are no results.
    pub errors: Vec<DispatchError>,
}

impl DispatchResult {
    /// The error text: the answer's status, or the reason; `None` if it was delivered, or may still be.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        if self.state == DispatchState::Delivered || !self.state.is_final() {
            return None;
        }
        let refused = self.status.filter(|status| *status >= 300 && self.state != DispatchState::Muted);
        let reason =
            || if self.reason.is_empty() { self.state.as_str().to_owned() } else { self.reason.clone() };
        Some(refused.map_or_else(reason, |status| match status_text(status) {
            "" => format!("HTTP {status}"),
            text => format!("HTTP {status}: {text}"),
        }))
    }
}

impl DispatchReport {
    /// How many are in Discord.
    #[must_use]
    pub fn sent(&self) -> usize {
        self.results.iter().filter(|result| result.state == DispatchState::Delivered).count()
    }

    /// How many will not arrive as things are.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.results.len() - self.sent() - self.pending()
    }

    /// How many are still on their way.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.results.iter().filter(|result| !result.state.is_final()).count()
    }

    /// The errors, webhook by webhook.
    #[must_use]
    pub fn all_errors(&self) -> Vec<DispatchError> {
        let failed = self.results.iter().filter_map(|result| {
            Some(DispatchError { webhook: result.webhook.clone(), error: result.error()? })
        });
        self.errors.iter().cloned().chain(failed).collect()
    }
}

/// The text of a status, as HTTP has it (RFC 9110).
const fn status_text(status: i64) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Payload Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

/// How far a delivery is that is not finished, by its last attempt.
#[must_use]
pub fn unfinished(last_class: Option<&str>) -> DispatchState {
    match last_class {
        None => DispatchState::Pending,
        Some(class) if class == Class::Sent.as_str() => DispatchState::Pending,
        Some(_) => DispatchState::Retrying,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(state: DispatchState, status: Option<i64>, reason: &str) -> DispatchResult {
        DispatchResult {
            webhook: "ops".to_owned(),
            state,
            status,
            ms: Some(80),
            attempts: 1,
            reason: reason.to_owned(),
        }
    }

    #[rstest::rstest]
    #[case(DispatchState::Delivered, Some(200), "", None)]
    #[case(DispatchState::Retrying, Some(503), "", None)]
    #[case(DispatchState::Closed, Some(404), "gone", Some("HTTP 404: Not Found"))]
    #[case(DispatchState::Closed, None, "it was deleted", Some("it was deleted"))]
    #[case(DispatchState::Dead, Some(400), "too long", Some("HTTP 400: Bad Request"))]
    #[case(DispatchState::Dead, Some(418), "", Some("HTTP 418"))]
    #[case(
        DispatchState::Muted,
        None,
        "muted until 13:32 UTC by Alice",
        Some("muted until 13:32 UTC by Alice")
    )]
    #[case(DispatchState::Canceled, None, "", Some("canceled"))]
    fn an_error_is_the_answer_or_the_reason(
        #[case] state: DispatchState,
        #[case] status: Option<i64>,
        #[case] reason: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(result(state, status, reason).error().as_deref(), expected);
    }

    #[test]
    fn a_report_counts_each_webhook_once() {
        let report = DispatchReport {
            results: vec![
                result(DispatchState::Delivered, Some(200), ""),
                result(DispatchState::Closed, Some(404), ""),
                result(DispatchState::Pending, None, ""),
            ],
            errors: Vec::new(),
        };
        assert_eq!((report.sent(), report.failed(), report.pending()), (1, 1, 1));
        assert_eq!(report.all_errors().len(), 1);
    }
}
