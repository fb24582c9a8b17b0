//! Authorization of changes: checked by the use case itself, so that no entrance can forget it. A refused request is
//! recorded.

use crate::hub::error::{Error, Result};
use crate::hub::{Hub, Refusal};
use crate::model::{Actor, ApiRole, By};

impl Hub {
    /// Checks that whoever asks may change something other than a decision. Otherwise records the refusal about
    /// `subject`.
    pub(in crate::hub) async fn authorize(&self, by: &By, subject: &str) -> Result<()> {
        match self.may_change(&by.actor) {
            Ok(()) => Ok(()),
            Err(refusal) => Err(self.refused(by, subject, Error::Forbidden(refusal)).await),
        }
    }

    /// Checks that whoever asks may make a change that the API offers to keys of the role `needed`. Otherwise records the
    /// refusal about `subject`. Which company and owner the change is about is for the caller to check.
    pub(in crate::hub) async fn authorize_role(&self, by: &By, subject: &str, needed: ApiRole) -> Result<()> {
        match &by.principal {
            Some(principal) if principal.may(needed) => Ok(()),
            Some(_) => Err(self.refused(by, subject, Error::Forbidden(Refusal::NeedsRole(needed))).await),
            None => self.authorize(by, subject).await,
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
            // Whoever may read the key and the database may do everything, also in the console, which only they open.
            Actor::Shell | Actor::ShellUser(_) | Actor::Session { .. } | Actor::Nuncio => Ok(()),
            // Keys change what the API offers, by `authorize_role`: see `docs/security.md`.
            Actor::ApiKey | Actor::Key { .. } => Err(Refusal::NotByKey),
        }
    }
}
