//! Digests: messages that carry more deliveries than one unit may touch.
//!
//! Deliveries are claimed and marked in units of at most [`UNIT`] rows. A digest that is in Discord stays open, with
//! its receipt, until the last of its deliveries is marked: after a crash, marking continues where it stopped.

pub(super) mod page;
pub(super) mod redraw;
mod stream;

use std::time::Duration;

use crate::clock::{Moment, SteadyTime};
use crate::model::{Delivery, DeliveryId, DestinationId, Event, Message, MessageId, Mint, Priority};
use crate::store::message;
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Result, Store, alert_storm, delivery};

use page::DigestPage;
use page::UNIT;
use redraw::redraw;

/// Which deliveries a digest claims.
#[derive(Clone, Copy, Debug)]
pub enum Claim {
    /// Deliveries of normal priority.
    Ordinary {
        /// Exclusive upper bound of their ids.
        before: DeliveryId,
        /// Whether redelivered ones are left out.
        first_only: bool,
    },
    /// Urgent alerts that no card shows.
    Unshown {
        /// How long a repeated alert changes its card.
        folds: Duration,
        /// Time at which they must be due.
        now: Moment,
    },
}

/// Result of a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Number of claimed deliveries.
    pub deliveries: u64,
    /// True if more remain than one unit may claim.
    pub more: bool,
}

impl Store {
    /// Returns whether more than `depth` deliveries of `priority` wait for a lane.
    pub async fn deeper_than(
        &self,
        destination: DestinationId,
        priority: Priority,
        now: SteadyTime,
        depth: usize,
    ) -> Result<bool> {
        let limit = i64::try_from(depth).unwrap_or(i64::MAX).saturating_add(1);
        let waiting: i64 = query_scalar(
            "SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE destination_id = $1 AND rank = $4 \
             AND status = 'pending' AND due_at <= $2 LIMIT $3) AS waiting",
        )
        .bind(destination)
        .bind(now.as_millis())
        .bind(limit)
        .bind(priority.as_i64())
        .fetch_one(self.read())
        .await?;
        Ok(waiting >= limit)
    }

    /// Plans a digest if it is not planned yet, and claims the next deliveries of its lane for it, at most one unit's
    /// worth.
    pub async fn claim(&self, message: &Message, epoch: i64, claim: Claim) -> Result<Taken> {
        let (now, message) = (self.0.clock.steady(), message.clone());
        match claim {
            Claim::Ordinary { before, first_only } => {
                self.writer().submit(Take { message, epoch, before, first_only, now }).await
            }
            Claim::Unshown { folds, now } => {
                self.writer().submit(TakeUnshown { message, epoch, folds, now }).await
            }
        }
    }

    /// Marks the next deliveries after `after` of a digest that is in Discord, at most one unit's worth. Returns the
    /// last of them; `None` when all are marked and the digest is closed.
    pub async fn settle(&self, message: MessageId, after: Option<DeliveryId>) -> Result<Option<DeliveryId>> {
        self.writer().submit(Settle { message, after, now: self.0.clock.moment(), mint: Mint::new() }).await
    }

    /// Releases the next deliveries of a digest that is not in Discord, at most one unit's worth: they are pending
    /// again. Returns how many.
    pub async fn release(&self, message: MessageId) -> Result<u64> {
        self.writer().submit(Release { message }).await
    }

    /// Returns the pending deliveries of a lane about one subject, in order, at most `limit`, without their events.
    pub async fn waiting_about(
        &self,
        destination: DestinationId,
        event: &Event,
        limit: u32,
    ) -> Result<Vec<Delivery>> {
        if event.subject.is_empty() {
            return Ok(Vec::new());
        }
        let rows = query(
            "SELECT d.id, d.event_id, d.slot, d.generation, d.destination_id, d.rank, d.route \
             FROM events AS e JOIN deliveries AS d ON d.event_id = e.id \
             WHERE e.source = $1 AND e.subject = $2 AND d.destination_id = $3 AND d.status = 'pending' \
             AND d.slot = '' AND d.due_at <= $4 ORDER BY d.id LIMIT $5",
        )
        .bind(event.source.as_str())
        .bind(event.subject.as_str())
        .bind(destination)
        .bind(self.0.clock.steady().as_millis())
        .bind(limit)
        .fetch_all(self.read())
        .await?;
        rows.iter().map(delivery::read).collect()
    }
}

/// Returns the state of a digest; `None` if it is not planned yet.
async fn planned(tx: &mut Tx, message: MessageId) -> Result<Option<String>> {
    let state = query_scalar("SELECT state FROM messages WHERE id = $1").bind(message);
    state.fetch_optional(tx).await
}

struct TakeUnshown {
    message: Message,
    epoch: i64,
    folds: Duration,
    now: Moment,
}

impl Unit for TakeUnshown {
    type Output = Taken;

    async fn apply(&self, tx: &mut Tx) -> Result<Taken> {
        let planned = planned(tx, self.message.id).await?;
        if planned.as_deref().is_some_and(|state| state != "sending") {
            return Ok(Taken::default());
        }
        let taken =
            alert_storm::ids_of_unshown(tx, self.message.destination_id, self.folds, self.now, UNIT).await?;
        if taken.is_empty() {
            return Ok(Taken::default());
        }
        if planned.is_none() {
            message::insert(tx, &self.message, self.epoch).await?;
        }
        for id in &taken {
            query("UPDATE deliveries SET status = 'sending', message_id = $1 WHERE id = $2 AND status = 'pending'")
                .bind(self.message.id)
                .bind(*id)
                .execute(&mut *tx)
                .await?;
        }
        let (deliveries, unit) = (taken.len() as u64, UNIT.unsigned_abs());
        Ok(Taken { deliveries, more: deliveries == unit })
    }
}

struct Take {
    message: Message,
    epoch: i64,
    before: DeliveryId,
    first_only: bool,
    now: SteadyTime,
}

impl Unit for Take {
    type Output = Taken;

    async fn apply(&self, tx: &mut Tx) -> Result<Taken> {
        match planned(tx, self.message.id).await?.as_deref() {
            Some("sending") => {}
            // Its destination was removed meanwhile: the purge cancels what it claimed.
            Some(_) => return Ok(Taken::default()),
            None if !self.finds_any(tx).await? => return Ok(Taken::default()),
            None => message::insert(tx, &self.message, self.epoch).await?,
        }
        let bound = self.bound(tx).await?;
        let taken = query(
            "UPDATE deliveries SET status = 'sending', message_id = $1 WHERE destination_id = $2 AND rank = 1 \
             AND status = 'pending' AND due_at <= $3 AND id < $4 AND (generation = 0 OR NOT $5)",
        )
        .bind(self.message.id)
        .bind(self.message.destination_id)
        .bind(self.now.as_millis())
        .bind(bound.unwrap_or(self.before))
        .bind(self.first_only)
        .execute(tx)
        .await?;
        Ok(Taken { deliveries: taken, more: bound.is_some() })
    }
}

impl Take {
    /// The first delivery beyond this unit's limit; `None` if the rest fits.
    async fn bound(&self, tx: &mut Tx) -> Result<Option<DeliveryId>> {
        query_scalar(
            "SELECT id FROM deliveries WHERE destination_id = $1 AND rank = 1 AND status = 'pending' \
             AND due_at <= $2 AND id < $3 AND (generation = 0 OR NOT $4) ORDER BY id LIMIT 1 OFFSET $5",
        )
        .bind(self.message.destination_id)
        .bind(self.now.as_millis())
        .bind(self.before)
        .bind(self.first_only)
        .bind(UNIT)
        .fetch_optional(tx)
        .await
    }

    async fn finds_any(&self, tx: &mut Tx) -> Result<bool> {
        let found: Option<i64> = query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM deliveries WHERE destination_id = $1 AND rank = 1 AND status = 'pending' \
             AND due_at <= $2 AND id < $3 AND (generation = 0 OR NOT $4) LIMIT 1",
        )
        .bind(self.message.destination_id)
        .bind(self.now.as_millis())
        .bind(self.before)
        .bind(self.first_only)
        .fetch_optional(tx)
        .await?;
        Ok(found.is_some())
    }
}

struct Settle {
    message: MessageId,
    after: Option<DeliveryId>,
    now: Moment,
    mint: Mint,
}

impl Unit for Settle {
    type Output = Option<DeliveryId>;

    async fn apply(&self, tx: &mut Tx) -> Result<Option<DeliveryId>> {
        let page = DigestPage::behind(tx, self.message, self.after).await?;
        redraw(tx, self.message, page, &self.mint, self.now.steady).await?;
        let (after, last) = page.bounds();
        query(
            "UPDATE deliveries SET status = 'delivered', finished_at = $2, attempts = attempts + 1 \
             WHERE message_id = $1 AND status = 'sending' AND id > $3 AND id <= $4",
        )
        .bind(self.message)
        .bind(self.now.wall.as_millis())
        .bind(after)
        .bind(last)
        .execute(&mut *tx)
        .await?;
        if page.last.is_some() {
            return Ok(page.last);
        }
        query("UPDATE messages SET state = 'sent', settling = FALSE WHERE id = $1 AND state = 'sending'")
            .bind(self.message)
            .execute(tx)
            .await?;
        Ok(None)
    }
}

struct Release {
    message: MessageId,
}

impl Unit for Release {
    type Output = u64;

    async fn apply(&self, tx: &mut Tx) -> Result<u64> {
        let released = query(
            "UPDATE deliveries SET status = 'pending', message_id = NULL WHERE id IN \
             (SELECT id FROM deliveries WHERE message_id = $1 AND status = 'sending' ORDER BY id LIMIT $2)",
        )
        .bind(self.message)
        .bind(UNIT)
        .execute(tx)
        .await?;
        Ok(released)
    }
}
