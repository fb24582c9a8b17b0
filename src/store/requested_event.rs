//! An event that a person requests: accepted with the audit entry of the request, in one unit.

use crate::clock::Moment;
use crate::model::{AuditEntry, Mint};
use crate::store::accept::{self, Accepted, Incoming, Stored};
use crate::store::audit::{self, AuditKey};
use crate::store::sql::Tx;
use crate::store::unit::Unit;
use crate::store::{Result, Store};

impl Store {
    /// Accepts `incoming`, and records `entry` with the event's id in the same unit.
    pub async fn accept_requested(&self, incoming: Incoming, entry: AuditEntry) -> Result<Accepted> {
        let (key, now) = (self.audit_key()?, self.0.clock.moment());
        let unit = EventRequest { incoming: incoming.clone(), entry, key, now, mint: Mint::new() };
        let stored = self.writer().submit(unit).await?;
        let accepted = stored.accepted();
        accept::send_hints(incoming, stored, &self.0.hints);
        Ok(accepted)
    }
}

struct EventRequest {
    incoming: Incoming,
    entry: AuditEntry,
    key: AuditKey,
    now: Moment,
    mint: Mint,
}

impl Unit for EventRequest {
    type Output = Stored;

    async fn apply(&self, tx: &mut Tx) -> Result<Stored> {
        let stored = accept::insert(tx, &self.mint, self.now, &self.incoming).await?;
        let reference = stored.accepted().event_id.to_string();
        let entry = AuditEntry { reference, ..self.entry.clone() };
        audit::append(tx, &self.key, &entry, self.now.wall).await?;
        Ok(stored)
    }
}
