//! What a call returns. Errors are values in it: an application does not fail because a message could not be sent.

use serde::Serialize;

use crate::exchange::Answer;

/// Why a webhook got nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DispatchError {
    /// The webhook's name, or `system` if the event got to no webhook.
    pub webhook: String,
    /// What went wrong and, where there is something, what to do. At most 500 characters in one line.
    pub error: String,
}

/// What nuncio answered at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Accepted {
    /// nuncio has the event on disk.
    pub accepted: bool,
    /// The event's id in nuncio: `nuncio events evt_…` shows what became of it.
    pub event_id: Option<String>,
    /// How many webhooks get it.
    pub deliveries: u64,
    /// Why it was not accepted, or gets to no webhook.
    pub errors: Vec<DispatchError>,
}

/// What Discord answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DispatchResult {
    /// At least one webhook has the message.
    pub success: bool,
    /// How many webhooks have the message.
    pub sent: u64,
    /// How many refused it.
    pub failed: u64,
    /// Why, one by one.
    pub errors: Vec<DispatchError>,
    /// Deliveries without an answer after ten seconds: nuncio goes on with them.
    #[serde(skip_serializing_if = "is_zero")]
    pub pending: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn system(error: String) -> Vec<DispatchError> {
    vec![DispatchError { webhook: "system".to_owned(), error }]
}

impl From<Result<Answer, String>> for Accepted {
    fn from(answer: Result<Answer, String>) -> Self {
        match answer {
            Err(error) => Self { errors: system(error), ..Self::default() },
            Ok(Answer { body, errors }) => Self {
                accepted: true,
                event_id: body.string("event_id"),
                deliveries: body.count("deliveries"),
                errors,
            },
        }
    }
}

impl From<Result<Answer, String>> for DispatchResult {
    fn from(answer: Result<Answer, String>) -> Self {
        match answer {
            Err(error) => Self { errors: system(error), ..Self::default() },
            Ok(Answer { body, errors }) => Self {
                // Counted, not believed.
                success: body.count("sent") > 0,
                sent: body.count("sent"),
                failed: body.count("failed"),
                errors,
                // An answer that did not wait has deliveries only.
                pending: body.count(if body.has("sent") { "pending" } else { "deliveries" }),
            },
        }
    }
}
