//! Audit entries of what this database does not hold: changes at the platform, what was shown to a person, and clicks
//! that were refused before any lookup. A change of the database is recorded by the use case that makes it.

use crate::hub::Hub;
use crate::model::AuditEntry;
use crate::store::Result;

impl Hub {
    /// Records an entry. Returns `false` if that click or command is recorded already.
    pub async fn audit(&self, entry: AuditEntry) -> Result<bool> {
        self.0.store.audit(entry).await
    }
}
