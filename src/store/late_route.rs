//! Late routing: deliveries for events that no key of the routing map matched on arrival.

use crate::clock::Moment;
use crate::model::{AuditEntry, EventId, Mint};
use crate::store::accept::{Planned, insert_delivery};
use crate::store::audit::{self, AuditKey};
use crate::store::sql::{Tx, query};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

impl Store {
    /// Inserts the planned deliveries of unrouted events, and the audit entry `entry` in the same unit. Returns for
    /// each event whether it was still unrouted.
    pub async fn route_late(
        &self,
        events: Vec<(EventId, Vec<Planned>)>,
        entry: &AuditEntry,
    ) -> Result<Vec<bool>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let (key, now) = (self.audit_key()?, self.0.clock.moment());
        self.writer().submit(RouteLate { events, entry: entry.clone(), key, now, mint: Mint::new() }).await
    }
}

struct RouteLate {
    events: Vec<(EventId, Vec<Planned>)>,
    entry: AuditEntry,
    key: AuditKey,
    now: Moment,
    mint: Mint,
}

impl Unit for RouteLate {
    type Output = Vec<bool>;

    async fn apply(&self, tx: &mut Tx) -> Result<Vec<bool>> {
        let mut routed = Vec::with_capacity(self.events.len());
        for (event, plan) in &self.events {
            // A dispatch without deliveries never counts as unrouted; its caller has checked that it has none.
            let taken = query(
                "UPDATE events SET unrouted = FALSE WHERE id = $1 AND (unrouted OR source = 'dispatch')",
            )
            .bind(*event)
            .execute(&mut *tx)
            .await?;
            routed.push(taken == 1);
            for planned in plan.iter().filter(|_| taken == 1) {
                insert_delivery(tx, self.now, *event, planned, self.mint.next(self.now.steady)).await?;
            }
        }
        let count = routed.iter().filter(|routed| **routed).count();
        if count > 0 {
            let entry = AuditEntry { detail: format!("{count} routed"), ..self.entry.clone() };
            audit::append(tx, &self.key, &entry, self.now.wall).await?;
        }
        Ok(routed)
    }
}
