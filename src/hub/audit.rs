//! The audit log as a use case: whoever changes something says so here.

use crate::hub::Hub;
use crate::model::AuditEntry;
use crate::store::Result;

impl Hub {
    /// Notes what somebody did. Answers `false` if that click or command is noted already.
    pub async fn audit(&self, entry: AuditEntry) -> Result<bool> {
        self.0.store.audit(entry).await
    }
}
