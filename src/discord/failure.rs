//! Requests that did not bring what was asked for.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::discord::answer::Answer;
use crate::discord::limits;
use crate::model::{Arrived, Outcome, PauseScope};
use crate::outgoing;

/// A request that did not bring what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct Failure {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Discord's own error code, if it gave one.
    pub code: Option<u64>,
    /// What it means for whoever asked.
    pub outcome: Outcome,
    sentence: String,
}

impl Failure {
    pub(super) fn network(error: reqwest::Error) -> Self {
        let outcome = Outcome::Retry { after: None, arrived: Arrived::No };
        Self { status: None, code: None, outcome, sentence: sentence(&error) }
    }

    /// It was not even asked: the gate is shut.
    #[must_use]
    pub fn shut(wait: Duration) -> Self {
        let after = wait.clamp(limits::SHORTEST, limits::LONGEST);
        let sentence = "nuncio sends Discord nothing for now, because Discord asked it to wait".to_owned();
        let outcome = Outcome::Paused { scope: PauseScope::Address, after };
        Self { status: None, code: None, outcome, sentence }
    }

    /// The answer was another request's.
    pub(super) fn stale() -> Self {
        Self {
            status: Some(200),
            code: None,
            outcome: Outcome::Retry { after: None, arrived: Arrived::No },
            sentence: "the answer is about something other than what nuncio asked for".to_owned(),
        }
    }

    /// A success that does not hold what Discord answers there.
    pub(super) fn unproven(answer: &Answer, why: &str) -> Self {
        Self {
            status: Some(answer.status),
            code: None,
            outcome: Outcome::Retry { after: None, arrived: Arrived::No },
            sentence: format!("the answer ({}) is not what Discord answers there: {why}", answer.status),
        }
    }
}

/// The JSON of a successful answer.
pub(super) fn json<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    if !(200..=299).contains(&answer.status) {
        let (outcome, sentence) = (answer.trouble(), answer.reason().to_string());
        return Err(Failure { status: Some(answer.status), code: answer.code(), outcome, sentence });
    }
    serde_json::from_slice(&answer.body).map_err(|error| Failure::unproven(answer, &error.to_string()))
}

/// What it comes to when there was no answer at all.
pub(super) fn no_answer(error: &reqwest::Error) -> Outcome {
    // What never connected cannot have arrived; everything after that may have.
    let arrived = if error.is_connect() || error.is_builder() { Arrived::No } else { Arrived::Maybe };
    Outcome::Retry { after: None, arrived }
}

/// A network error in words, without the address it went to.
pub(super) fn sentence(error: &reqwest::Error) -> String {
    outgoing::cause(error)
}
