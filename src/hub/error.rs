//! Why a use case changed nothing. Each entrance maps it once: a sentence in Discord, an exit code at the shell.
//!
//! `Display` is for the audit log and the shell. It never holds a secret.

use crate::hub::Refusal;
use crate::model::{ApiKeyId, Decision, DestinationId, OtherBody};
use crate::store;

/// Result of every use case that changes something.
pub type Result<T> = std::result::Result<T, Error>;

/// Why nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// What the request names does not exist; a sentence.
    #[error("{0}")]
    NotFound(String),
    /// A value of the request is invalid.
    #[error("{reason}")]
    Invalid {
        /// Which value.
        field: &'static str,
        /// A sentence that says what to do.
        reason: String,
    },
    /// Whoever asks may not do this.
    #[error("{0}")]
    Forbidden(Refusal),
    /// The current state does not allow it.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The database failed.
    #[error(transparent)]
    Unavailable(#[from] store::Error),
}

/// The state that a request conflicts with.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Conflict {
    /// The address of a webhook is stored already, as this destination.
    #[error("that webhook is stored already, as {0}")]
    Stored(DestinationId),
    /// Several stored webhooks have this name.
    #[error("several stored webhooks are called that: say which by its id, {}", listed(.0))]
    Ambiguous(Vec<DestinationId>),
    /// Several API keys have this name.
    #[error("several API keys are called that: say which by its id, {}", listed(.0))]
    AmbiguousKey(Vec<ApiKeyId>),
    /// The API key has ended: it cannot be rotated.
    #[error("that API key is expired, revoked, or replaced already: create a new one")]
    KeyEnded,
    /// The `Idempotency-Key` was used for another request.
    #[error(
        "this Idempotency-Key was used for another request: use a new one for each request, and the same one only to repeat it"
    )]
    OtherBody,
    /// A request with this `Idempotency-Key` is being carried out.
    #[error("a request with this Idempotency-Key is still being carried out: repeat it in a few seconds")]
    InFlight,
    /// Another person was faster, or it is too late; the decision's current state.
    #[error("too late: it was decided or changed before")]
    Decided(Box<Decision>),
}

impl Error {
    /// An invalid value.
    pub(in crate::hub) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }
}

impl From<OtherBody> for Error {
    fn from(_: OtherBody) -> Self {
        Conflict::OtherBody.into()
    }
}

fn listed(ids: &[impl ToString]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(" or ")
}
