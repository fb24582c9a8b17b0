//! Redelivery of dead letters, delivered messages, and unrouted events.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::hub::Hub;
use crate::hub::error::{Error, Result};
use crate::model::{
    Actor, By, DecisionAction, DeliveryFilter, DeliveryId, EventId, NotRetried, Revived, Snowflake, Status,
};
use crate::store::{Requester, Selection};

/// Page size of reads, and the number of changes in one unit.
const PAGE: u32 = 100;

/// Result of a redelivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redelivered {
    /// Number of events that now have a route.
    pub routed: u64,
    /// Number of deliveries that are pending: new ones of these events, or old ones again.
    pub deliveries: u64,
    /// Number of calls to the platform that are due again.
    pub calls: u64,
    /// Number of calls to the platform that stay unchanged, by reason.
    pub not_called: BTreeMap<NotRetried, u64>,
    /// Number of events that still have no route.
    pub unrouted: u64,
    /// Number of closed destinations that were reopened.
    pub reopened: u64,
    /// Number of deliveries skipped because they are unfinished.
    pub unfinished: u64,
    /// Number of deliveries whose destination was removed.
    pub gone: u64,
    /// Number of deliveries whose rows are corrupt.
    pub unreadable: u64,
}

impl Redelivered {
    fn count(&mut self, revived: &Revived) {
        match revived {
            Revived::Pending { reopened } => {
                self.deliveries += 1;
                self.reopened += u64::from(*reopened);
            }
            Revived::Called => self.calls += 1,
            Revived::NotCalled(why) => *self.not_called.entry(*why).or_default() += 1,
            Revived::Conflict { reopened, .. } => {
                self.unfinished += 1;
                self.reopened += u64::from(*reopened);
            }
            Revived::Gone(_) => self.gone += 1,
            Revived::Unreadable => self.unreadable += 1,
            Revived::NotFound => {}
        }
    }

    /// Number of deliveries that were examined.
    #[must_use]
    pub fn seen(&self) -> u64 {
        let left: u64 = self.not_called.values().sum();
        self.deliveries + self.calls + left + self.unfinished + self.gone + self.unreadable
    }
}

impl Hub {
    /// Makes a finished delivery pending again; a running `nuncio serve` sends it within a second. `None` if this
    /// very request was handled before.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or the database failed.
    pub async fn redeliver(&self, id: DeliveryId, by: &By) -> Result<Option<Revived>> {
        let by = self.requester(by, format!("delivery {id}")).await?;
        let revived = self.0.store.revive(vec![id], Selection::Named, &by).await?;
        Ok(revived.map(|revived| revived.into_iter().next().unwrap_or(Revived::NotFound)))
    }

    /// Makes everything pending again that a Discord message shows. `None` if this very request was handled before.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the message shows nothing that is kept; [`Error::Forbidden`].
    pub async fn redeliver_message(&self, message: Snowflake, by: &By) -> Result<Option<Redelivered>> {
        let subject = format!("message {message}");
        let requester = self.requester(by, subject.as_str()).await?;
        let shown = self.0.store.shown_in(message).await?;
        if shown.is_empty() {
            let why =
                "nuncio did not send this message, or does not keep its event any more (RETENTION_DAYS)";
            return Err(self.refused(by, &subject, Error::NotFound(why.to_owned())).await);
        }
        let ids: Vec<DeliveryId> = shown.into_iter().map(|(delivery, _)| delivery).collect();
        self.revive_all(&ids, requester).await
    }

    /// Makes an event's deliveries pending again: the dead letters or, without any, all finished ones. An unrouted
    /// event gets its current route.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or the database failed.
    pub async fn redeliver_event(&self, id: EventId, by: &By) -> Result<Redelivered> {
        let requester = self.requester(by, format!("event {id}")).await?;
        let mut deliveries = self.0.store.delivery_details_of(DeliveryFilter::Of(id), u32::MAX).await?;
        if deliveries.is_empty() {
            return self.route_event(id, &requester).await;
        }
        if deliveries.iter().any(|delivery| delivery.status == Status::Dead) {
            deliveries.retain(|delivery| delivery.status == Status::Dead);
        }
        let ids: Vec<DeliveryId> = deliveries.iter().map(|delivery| delivery.id).collect();
        Ok(self.revive_all(&ids, requester).await?.unwrap_or_default())
    }

    /// Makes every delivery pending again that was given up at `since` or later; calls to the platform are left to
    /// the buttons on their cards. Reports each page to `progress`.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or the database failed.
    pub async fn redeliver_dead(
        &self,
        since: Timestamp,
        by: &By,
        mut progress: impl FnMut(&Redelivered),
    ) -> Result<Redelivered> {
        let mut by = self.requester(by, "dead deliveries").await?;
        let mut done = Redelivered::default();
        let mut after = None;
        loop {
            let page = self.0.store.dead_letters(after, since, PAGE).await?;
            let Some(last) = page.last() else { return Ok(done) };
            after = Some(*last);
            let revived = self.0.store.revive(page, Selection::Bulk, &by).await?;
            revived.iter().flatten().for_each(|revived| done.count(revived));
            by.entry.interaction = None;
            progress(&done);
        }
    }

    /// Gives every unrouted event its current route. A running `nuncio serve` sends them within a second. Reports
    /// each page to `progress`.
    ///
    /// # Errors
    /// [`Error::Forbidden`], or the database failed.
    pub async fn redeliver_unrouted(
        &self,
        by: &By,
        mut progress: impl FnMut(&Redelivered),
    ) -> Result<Redelivered> {
        let mut by = self.requester(by, "unrouted events").await?;
        let mut done = Redelivered::default();
        let mut after = None;
        loop {
            let page = self.0.store.unrouted(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(done) };
            after = Some(last.id);
            let routes = self.0.routing.now();
            let mut planned = Vec::with_capacity(page.len());
            for event in &page {
                planned.extend(self.plan_again(&routes, event).await?.map(|plan| (event.id, plan)));
            }
            done.unrouted += (page.len() - planned.len()) as u64;
            let sizes: Vec<u64> = planned.iter().map(|(_, plan)| plan.len() as u64).collect();
            let routed = self.0.store.route_late(planned, &by.entry).await?;
            by.entry.interaction = None;
            for (_, size) in routed.iter().zip(sizes).filter(|(routed, _)| **routed) {
                done.routed += 1;
                done.deliveries += size;
            }
            progress(&done);
        }
    }

    /// Checks that whoever asks may redeliver `subject`, and which calls to the platform are theirs to repeat.
    pub(in crate::hub) async fn requester(&self, by: &By, subject: impl Into<String>) -> Result<Requester> {
        let subject = subject.into();
        self.authorize(by, &subject).await?;
        let may = |action| match &by.actor {
            Actor::Person(person) => self.rules().may(person, action).is_ok(),
            Actor::Shell | Actor::ShellUser(_) | Actor::Session { .. } | Actor::Nuncio => true,
            Actor::ApiKey | Actor::Key { .. } => false,
        };
        let (decides, operates) = (may(DecisionAction::TryAgain), may(DecisionAction::Resend));
        Ok(Requester { entry: by.entry(subject), decides, operates })
    }

    /// Makes finished deliveries pending again. `None` if this very request was handled before.
    async fn revive_all(&self, ids: &[DeliveryId], mut by: Requester) -> Result<Option<Redelivered>> {
        let mut done = Redelivered::default();
        for page in ids.chunks(PAGE as usize) {
            let Some(revived) = self.0.store.revive(page.to_vec(), Selection::Named, &by).await? else {
                return Ok(None);
            };
            revived.iter().for_each(|revived| done.count(revived));
            // The audit log holds one entry for each click or command, so only the first page carries its id.
            by.entry.interaction = None;
        }
        Ok(Some(done))
    }

    async fn route_event(&self, id: EventId, by: &Requester) -> Result<Redelivered> {
        let Some(event) = self.0.store.event(id).await? else { return Ok(Redelivered::default()) };
        let plan = self.plan_again(&self.0.routing.now(), &event).await?;
        let Some(plan) = plan else { return Ok(Redelivered { unrouted: 1, ..Redelivered::default() }) };
        let size = plan.len() as u64;
        let routed = self.0.store.route_late(vec![(id, plan)], &by.entry).await?;
        Ok(match routed.first() {
            Some(true) => Redelivered { routed: 1, deliveries: size, ..Redelivered::default() },
            _ => Redelivered::default(),
        })
    }
}
