//! The audit log as a use case: every change by a person is recorded here.

use crate::hub::Hub;
use crate::model::AuditEntry;
use crate::store::Result;

impl Hub {
    /// Records an entry. Returns `false` if that click or command is recorded already.
    pub async fn audit(&self, entry: AuditEntry) -> Result<bool> {
        self.0.store.audit(entry).await
    }
}
