//! An operator's confirmation of the clock.

use crate::clock::Timestamp;
use crate::model::AuditEntry;
use crate::store::audit::{self, AuditKey};
use crate::store::meta::put_in;
use crate::store::sql::Tx;
use crate::store::unit::Unit;
use crate::store::{Result, Store};

/// The `meta` key of the time at which an operator confirmed the clock, as the clock showed it then.
const CONFIRMED: &str = "clock.confirmed";

impl Store {
    /// Records that the clock was right when it showed `at`, with the audit entry `entry` in the same unit.
    pub async fn confirm_clock(&self, at: Timestamp, entry: AuditEntry) -> Result<()> {
        self.writer().submit(Confirm { at, entry, key: self.audit_key()? }).await
    }

    /// Returns the time that the clock showed when an operator last confirmed it; `None` if nobody did.
    pub async fn clock_confirmed(&self) -> Result<Option<Timestamp>> {
        let confirmed = self.meta(CONFIRMED).await?;
        Ok(confirmed.and_then(|millis| millis.parse().ok()).map(Timestamp::from_millis))
    }
}

struct Confirm {
    at: Timestamp,
    entry: AuditEntry,
    key: AuditKey,
}

impl Unit for Confirm {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        put_in(tx, CONFIRMED, &self.at.as_millis().to_string(), self.at).await?;
        audit::append(tx, &self.key, &self.entry, self.at).await.map(drop)
    }
}
