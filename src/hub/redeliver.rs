//! Sending what was left behind.

use crate::hub::Hub;
use crate::store::Result;

/// How many events are looked at in one go.
const PAGE: u32 = 200;

/// What came of a redelivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redelivered {
    /// Events that now have a route.
    pub routed: u64,
    /// Deliveries made of them.
    pub deliveries: u64,
    /// Events that still have none.
    pub unrouted: u64,
}

impl Hub {
    /// Gives every unrouted event the route it has by now. A running `nuncio serve` sends them within a second.
    pub async fn redeliver_unrouted(&self) -> Result<Redelivered> {
        let mut done = Redelivered::default();
        let mut after = None;
        loop {
            let page = self.0.store.unrouted(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(done) };
            after = Some(last.id);
            for event in page {
                let Some(plan) = self.0.routing.plan_for(&event.kind, &event.company, event.severity())
                else {
                    done.unrouted += 1;
                    continue;
                };
                let deliveries = plan.len() as u64;
                if self.0.store.route(event.id, plan).await? {
                    done.routed += 1;
                    done.deliveries += deliveries;
                }
            }
        }
    }
}
