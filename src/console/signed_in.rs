//! Whoever is signed in, as handlers see them.

use crate::model::{By, ConsoleSession};
use crate::secret::Secret;

/// The session of this request. An extension of every request that passed.
#[derive(Clone, Debug)]
pub(super) struct SignedIn {
    /// The session.
    pub(super) session: ConsoleSession,
    /// The text that its forms carry.
    pub(super) form_token: Secret,
}

impl SignedIn {
    /// Whoever is signed in, asking for `action`.
    pub(super) fn by(&self, action: &str) -> By {
        By::new(self.session.actor(), action)
    }
}
