//! The error type for failed requests.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::discord::answer::Answer;
use crate::discord::limits;
use crate::model::{Arrived, Outcome, PauseScope};
use crate::outgoing;

/// A request that failed. Its text names no address and no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct DiscordFailure {
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// Discord's own error code, if it gave one.
    pub code: Option<u64>,
    /// The outcome for the caller.
    pub outcome: Outcome,
    sentence: String,
}

impl DiscordFailure {
    pub(super) fn network(error: reqwest::Error) -> Self {
        let outcome = Outcome::Retry { after: None, arrived: Arrived::No };
        Self { status: None, code: None, outcome, sentence: sentence(&error) }
    }

    /// Not sent: the circuit breaker blocks requests for `wait`.
    #[must_use]
    pub fn breaker_open(wait: Duration) -> Self {
        let after = wait.clamp(limits::SHORTEST, limits::LONGEST);
        let sentence = "nuncio sends Discord nothing for now, because Discord asked it to wait".to_owned();
        let outcome = Outcome::Paused { scope: PauseScope::Address, after };
        Self { status: None, code: None, outcome, sentence }
    }

    /// The response belongs to another request.
    pub(super) fn stale() -> Self {
        Self {
            status: Some(200),
            code: None,
            outcome: Outcome::Retry { after: None, arrived: Arrived::No },
            sentence: "the answer is about something other than what nuncio asked for".to_owned(),
        }
    }

    /// A success without the content that Discord sends there.
    pub(super) fn unproven(answer: &Answer, why: &str) -> Self {
        Self {
            status: Some(answer.status),
            code: None,
            outcome: Outcome::Retry { after: None, arrived: Arrived::No },
            sentence: format!("the answer ({}) is not what Discord answers there: {why}", answer.status),
        }
    }
}

/// Parses the JSON of a successful response.
pub(super) fn json<T: DeserializeOwned>(answer: &Answer) -> Result<T, DiscordFailure> {
    if !(200..=299).contains(&answer.status) {
        let (outcome, sentence) = (answer.trouble(), answer.reason().to_string());
        return Err(DiscordFailure { status: Some(answer.status), code: answer.code(), outcome, sentence });
    }
    serde_json::from_slice(&answer.body).map_err(|error| DiscordFailure::unproven(answer, &error.to_string()))
}

/// The outcome of a request without a response.
pub(super) fn no_answer(error: &reqwest::Error) -> Outcome {
    // A request that never connected cannot have arrived; any later failure leaves it in doubt.
    let arrived = if error.is_connect() || error.is_builder() { Arrived::No } else { Arrived::Maybe };
    Outcome::Retry { after: None, arrived }
}

/// A network error as text, without the address.
pub(super) fn sentence(error: &reqwest::Error) -> String {
    outgoing::cause(error)
}
