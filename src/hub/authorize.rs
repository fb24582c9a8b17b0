//! Authorization of changes: checked by the use case itself, so that no entrance can forget it. A refused request is
//! recorded.

use crate::hub::error::{Error, Result};
use crate::hub::{Hub, Refusal};
use crate::model::{Actor, By};

impl Hub {
    /// Checks that whoever asks may change something other than a decision. Otherwise records the refusal about
    /// `subject`.
    pub(in crate::hub) async fn authorize(&self, by: &By, subject: &str) -> Result<()> {
        match self.may_change(&by.actor) {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.refused(by, subject, Error::Forbidden(refusal)).await),
        }
    }

    /// Records that nothing was changed because of `error`, and returns it. If that fails, returns the store's error.
    pub(in crate::hub) async fn refused(&self, by: &By, subject: &str, error: Error) -> Error {
        match self.0.store.audit(by.refused(subject, error.to_string())).await {
            Ok(_) => error,
            Err(error) => error.into(),
        }
    }

    fn may_change(&self, actor: &Actor) -> std::result::Result<(), Refusal> {
        match actor {
            Actor::Person(person) => self.may_operate(person),
            // Whoever may read the key and the database may do everything.
            Actor::Shell | Actor::ShellUser(_) | Actor::Nuncio => Ok(()),
            // It reads, and registers the webhook: see `docs/security.md`.
            Actor::ApiKey => Err(Refusal::NotByKey),
        }
    }
}
