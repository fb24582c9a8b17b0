//! Sending what was left behind.

use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::clock::Timestamp;
use crate::hub::Hub;
use crate::model::{DeliveryId, Event, EventId, Status};
use crate::store::{Result, Revived, Which};

/// How many are looked at in one go.
const PAGE: u32 = 200;
/// How many changes wait for the writer at once: it commits them together.
const TOGETHER: usize = 64;

/// What came of a redelivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redelivered {
    /// Events that now have a route.
    pub routed: u64,
    /// Deliveries that are due: made of these events, or pending again.
    pub deliveries: u64,
    /// Events that still have none.
    pub unrouted: u64,
    /// Destinations that were closed and are open again.
    pub reopened: u64,
    /// Deliveries that were left alone: they are not finished.
    pub unfinished: u64,
    /// Deliveries that cannot be sent: their destination was removed.
    pub gone: u64,
}

impl Redelivered {
    fn count(&mut self, revived: Revived) {
        match revived {
            Revived::Pending { reopened } => {
                self.deliveries += 1;
                self.reopened += u64::from(reopened);
            }
            Revived::Conflict { reopened, .. } => {
                self.unfinished += 1;
                self.reopened += u64::from(reopened);
            }
            Revived::Gone(_) => self.gone += 1,
            Revived::NotFound => {}
        }
    }
}

impl Hub {
    /// Makes a finished delivery pending again; a running `nuncio serve` sends it within a second.
    pub async fn redeliver(&self, id: DeliveryId) -> Result<Revived> {
        self.0.store.revive(id).await
    }

    /// Makes the deliveries of an event pending again: those that are dead or, if none is, all that are finished. An
    /// event without a route gets the one it has by now.
    pub async fn redeliver_event(&self, id: EventId) -> Result<Redelivered> {
        let mut done = Redelivered::default();
        let letters = self.0.store.letters(Which::Of(id), u32::MAX).await?;
        if letters.is_empty() {
            if let Some(event) = self.0.store.event(id).await? {
                self.route_late(event, &mut done).await?;
            }
            return Ok(done);
        }
        let one_is_dead = letters.iter().any(|letter| letter.status == Status::Dead);
        for letter in letters {
            if !one_is_dead || letter.status == Status::Dead {
                done.count(self.redeliver(letter.id).await?);
            }
        }
        Ok(done)
    }

    /// Makes every delivery pending again that was given up at `since` or later. After each page `told` learns how far
    /// it is.
    pub async fn redeliver_dead(
        &self,
        since: Timestamp,
        mut told: impl FnMut(&Redelivered),
    ) -> Result<Redelivered> {
        let mut done = Redelivered::default();
        let mut after = None;
        loop {
            let page = self.0.store.dead_letters(after, since, PAGE).await?;
            let Some(last) = page.last() else { return Ok(done) };
            after = Some(*last);
            let revived: Vec<Revived> = futures_util::stream::iter(page)
                .map(|id| self.redeliver(id))
                .buffered(TOGETHER)
                .try_collect()
                .await?;
            revived.into_iter().for_each(|revived| done.count(revived));
            told(&done);
        }
    }

    /// Gives every unrouted event the route it has by now. A running `nuncio serve` sends them within a second. After
    /// each page `told` learns how far it is.
    pub async fn redeliver_unrouted(&self, mut told: impl FnMut(&Redelivered)) -> Result<Redelivered> {
        let mut done = Redelivered::default();
        let mut after = None;
        loop {
            let page = self.0.store.unrouted(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(done) };
            after = Some(last.id);
            for event in page {
                self.route_late(event, &mut done).await?;
            }
            told(&done);
        }
    }

    async fn route_late(&self, event: Event, done: &mut Redelivered) -> Result<()> {
        let Some(plan) = self.0.routing.now().plan_for(&event.kind, &event.company, event.severity()) else {
            done.unrouted += 1;
            return Ok(());
        };
        let deliveries = plan.len() as u64;
        if self.0.store.route(event.id, plan).await? {
            done.routed += 1;
            done.deliveries += deliveries;
        }
        Ok(())
    }
}
