//! Calls to the platform: the outcome of a call, recorded for its delivery, its decision and the cards.

use std::time::Duration;

use super::announce::announce;
use super::{paused, read};
use crate::clock::{Moment, SteadyTime, Timestamp};
use crate::model::{Attempt, CallState, Delivery, DeliveryId, DestinationId, Message, Mint, Status};
use crate::store::attempt::insert_attempt;
use crate::store::delivery::{COLUMNS, Waiting};
use crate::store::message::{Begin, MessageState};
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

/// After this time people no longer notice an edited card: they get a new message.
const UNSEEN: Duration = Duration::from_secs(15 * 60);

/// Reason for cancelling a call that no operator took back.
const NOT_ASKED_FOR: &str = "the decision no longer asks for it";

/// Disposition of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallNext {
    /// The platform confirmed it.
    Confirmed,
    /// The platform refuses it, and an automatic retry cannot help; contains its answer.
    Refused(String),
    /// The platform has no such call; contains what the operator must do.
    Held(String),
    /// The call is retried.
    Retry {
        /// Delay until the retry.
        wait: Duration,
        /// Reason for the retry.
        platform_reply: String,
        /// Whether all calls to the platform wait, not only this one.
        everybody: bool,
    },
}

/// A call that was made, and its outcome.
#[derive(Clone, Debug)]
pub struct Calling {
    /// The request; it carries one delivery.
    pub message: Message,
    /// Epoch of the lane that made it.
    pub epoch: i64,
    /// The recorded attempt.
    pub attempt: Attempt,
    /// The disposition.
    pub next: CallNext,
}

impl Store {
    /// Returns the next due call. The actions on one ticket reach the platform in the order in which operators
    /// requested them: no call overtakes an earlier unfinished call about the same ticket.
    pub async fn next_call(&self, destination: DestinationId, now: SteadyTime) -> Result<Waiting> {
        let sql = format!(
            "SELECT {COLUMNS} FROM deliveries WHERE destination_id = $1 AND status = 'pending' AND due_at <= $2 \
             AND NOT EXISTS (SELECT 1 FROM decisions AS own JOIN decisions AS earlier \
              ON earlier.source = own.source AND earlier.subject = own.subject \
              AND earlier.kind IN ('take', 'note', 'close') AND earlier.platform = 'calling' \
              AND earlier.delivery_id < own.delivery_id \
              JOIN deliveries AS open ON open.id = earlier.delivery_id AND open.status IN ('pending', 'sending') \
              WHERE own.delivery_id = deliveries.id AND own.kind IN ('take', 'note', 'close')) \
             ORDER BY rank, id LIMIT $3"
        );
        self.waiting(sql, destination, now, 1).await
    }

    /// Records a call to the platform and its disposition. Returns `false`, and changes nothing, if the message is
    /// closed or another lane epoch owns it.
    pub async fn record_call(&self, calling: Calling) -> Result<bool> {
        let unit = Record { calling, now: self.0.clock.moment(), mint: Mint::new() };
        let (ours, hints) = self.writer().submit(unit).await?;
        self.hint_at(hints);
        Ok(ours)
    }

    /// Plans a call: inserts its message and moves its delivery from pending to sending. Returns `false` if the
    /// delivery is no longer pending. A call that its decision no longer requires is cancelled.
    pub async fn begin_call(&self, message: &Message, epoch: i64) -> Result<bool> {
        let begin = Begin { message: message.clone(), epoch };
        self.writer().submit(BeginCall { begin, now: self.0.clock.now() }).await
    }

    /// Cancels an in-doubt call that its decision no longer requires: it is not made a second time.
    pub async fn cancel_call(&self, message: &Message, epoch: i64) -> Result<()> {
        self.writer().submit(CancelCall { message: message.clone(), epoch, now: self.0.clock.now() }).await
    }

    /// Cancels a delivery that has become pointless before it was sent.
    pub async fn drop_delivery(&self, delivery: &Delivery, reason: &'static str) -> Result<()> {
        self.writer().submit(Drop { id: delivery.id, reason, now: self.0.clock.now() }).await
    }
}

struct Record {
    calling: Calling,
    now: Moment,
    mint: Mint,
}

impl Unit for Record {
    type Output = (bool, Vec<Delivery>);

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        if !self.finish_message(tx).await? {
            return Ok((false, Vec::new()));
        }
        insert_attempt(tx, &self.calling.message, &self.calling.attempt).await?;
        self.finish_delivery(tx).await?;
        self.note_destination(tx).await?;
        Ok((true, self.follow_up(tx).await?))
    }
}

impl Record {
    async fn finish_message(&self, tx: &mut Tx) -> Result<bool> {
        let state = match self.calling.next {
            CallNext::Confirmed => MessageState::Sent,
            CallNext::Refused(_) | CallNext::Held(_) => MessageState::Refused,
            // The call's idempotency key makes a repetition harmless: nothing is in doubt.
            CallNext::Retry { .. } => MessageState::Withdrawn,
        };
        let changed = query(
            "UPDATE messages SET state = $1, finished_at = $2, nonce = NULL WHERE id = $3 AND state = 'sending' AND lane_epoch = $4",
        )
        .bind(state.as_str())
        .bind(self.now.wall.as_millis())
        .bind(self.calling.message.id)
        .bind(self.calling.epoch)
        .execute(tx)
        .await?;
        Ok(changed == 1)
    }

    async fn finish_delivery(&self, tx: &mut Tx) -> Result<()> {
        let mut is_over = false;
        for delivery in &self.calling.message.deliveries {
            is_over |= !is_asked_for(tx, delivery.id).await?;
        }
        let (status, reason, due_at) = match &self.calling.next {
            CallNext::Retry { .. } if is_over => (Status::Cancelled, Some(NOT_ASKED_FOR), None),
            CallNext::Confirmed => (Status::Delivered, None, None),
            CallNext::Refused(platform_reply) | CallNext::Held(platform_reply) => {
                (Status::Dead, Some(platform_reply.as_str()), None)
            }
            CallNext::Retry { wait, .. } => {
                (Status::Pending, None, Some(self.now.steady.plus(*wait).as_millis()))
            }
        };
        query(
            "UPDATE deliveries SET status = $1, reason = $2, due_at = COALESCE($3, due_at), attempts = attempts + 1, \
             finished_at = CASE WHEN $1 = 'pending' THEN NULL ELSE CAST($4 AS BIGINT) END, \
             message_id = CASE WHEN $1 = 'pending' THEN NULL ELSE message_id END \
             WHERE message_id = $5 AND status = 'sending'",
        )
        .bind(status)
        .bind(reason)
        .bind(due_at)
        .bind(self.now.wall.as_millis())
        .bind(self.calling.message.id)
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn note_destination(&self, tx: &mut Tx) -> Result<()> {
        let (error, rest) = match &self.calling.next {
            CallNext::Confirmed => (None, Duration::ZERO),
            // The platform works; it only refuses this call.
            CallNext::Refused(_) => (None, Duration::ZERO),
            CallNext::Held(platform_reply) => (Some(platform_reply.as_str()), Duration::ZERO),
            CallNext::Retry { wait, platform_reply, everybody } => {
                (Some(platform_reply.as_str()), if *everybody { *wait } else { Duration::ZERO })
            }
        };
        query(
            "UPDATE destinations SET not_before = $1, updated_at = $2, last_error = $3, \
             last_success_at = CASE WHEN CAST($3 AS TEXT) IS NULL THEN $2 ELSE last_success_at END, \
             failing_since = CASE WHEN CAST($3 AS TEXT) IS NULL THEN NULL ELSE COALESCE(failing_since, $2) END \
             WHERE id = $4 AND lane_epoch = $5",
        )
        .bind(self.now.steady.plus(rest).as_millis())
        .bind(self.now.wall.as_millis())
        .bind(error)
        .bind(self.calling.message.destination_id)
        .bind(self.calling.epoch)
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Applies the platform's answer to the decision and announces it as an event, which redraws the cards.
    async fn follow_up(&self, tx: &mut Tx) -> Result<Vec<Delivery>> {
        let Some(delivery) = self.calling.message.deliveries.first() else { return Ok(Vec::new()) };
        let (kind, platform, platform_reply, wait) = match &self.calling.next {
            CallNext::Confirmed => ("decision.confirmed", CallState::Confirmed, None, None),
            CallNext::Refused(platform_reply) => {
                ("decision.refused", CallState::Refused, Some(platform_reply), None)
            }
            CallNext::Held(platform_reply) => ("decision.held", CallState::Held, Some(platform_reply), None),
            CallNext::Retry { wait, platform_reply, .. } => {
                ("decision.waiting", CallState::Calling, Some(platform_reply), Some(*wait))
            }
        };
        // The platform may have reported its own approval meanwhile: then that one counts.
        let row = query(
            "UPDATE decisions SET platform = $1, platform_reply = $2, due_at = $3, attempts = attempts + 1, \
             settled_at = CASE WHEN $1 = 'calling' THEN NULL ELSE CAST($4 AS BIGINT) END \
             WHERE delivery_id = $5 AND platform IN ('calling', 'held', 'refused') RETURNING *",
        )
        .bind(platform)
        .bind(platform_reply)
        .bind(wait.map(|wait| self.now.wall.plus(wait).as_millis()))
        .bind(self.now.wall.as_millis())
        .bind(delivery.id)
        .fetch_optional(&mut *tx)
        .await?;
        let mut hints = match &self.calling.next {
            CallNext::Retry { everybody: true, platform_reply, .. } => {
                paused::say_why(tx, &self.mint, self.now, delivery.id, platform_reply).await?
            }
            _ => Vec::new(),
        };
        let Some(decision) = row.as_ref().map(read).transpose()? else { return Ok(hints) };
        hints.extend(announce(tx, &self.mint, self.now, kind, &decision, &[]).await?.1);
        if wait.is_none() && self.goes_unseen(delivery) {
            hints.extend(announce(tx, &self.mint, self.now, "decision.late", &decision, &[]).await?.1);
        }
        Ok(hints)
    }

    fn goes_unseen(&self, call: &Delivery) -> bool {
        self.now.steady.since(call.id.minted_at()) > UNSEEN
    }
}

/// Returns whether the decision still requires its call. It does not once the platform itself has reported the
/// result: since then the machine may have registered again and been denied.
async fn is_asked_for(tx: &mut Tx, delivery: DeliveryId) -> Result<bool> {
    let settled: Option<i64> =
        query_scalar("SELECT CAST(1 AS BIGINT) FROM decisions WHERE delivery_id = $1 AND platform IN ('not_called', 'confirmed', 'refused', 'held')")
            .bind(delivery)
            .fetch_optional(tx)
            .await?;
    Ok(settled.is_none())
}

struct BeginCall {
    begin: Begin,
    now: Timestamp,
}

impl Unit for BeginCall {
    type Output = bool;

    async fn apply(&self, tx: &mut Tx) -> Result<bool> {
        for delivery in &self.begin.message.deliveries {
            if !is_asked_for(tx, delivery.id).await? {
                cancel(tx, delivery.id, "pending", NOT_ASKED_FOR, self.now).await?;
                return Ok(false);
            }
        }
        self.begin.apply(tx).await
    }
}

struct CancelCall {
    message: Message,
    epoch: i64,
    now: Timestamp,
}

impl Unit for CancelCall {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        let withdrawn = query(
            "UPDATE messages SET state = 'withdrawn', finished_at = $1 \
             WHERE id = $2 AND state = 'sending' AND lane_epoch = $3",
        )
        .bind(self.now.as_millis())
        .bind(self.message.id)
        .bind(self.epoch)
        .execute(&mut *tx)
        .await?;
        for delivery in self.message.deliveries.iter().filter(|_| withdrawn == 1) {
            cancel(tx, delivery.id, "sending", NOT_ASKED_FOR, self.now).await?;
        }
        Ok(())
    }
}

async fn cancel(tx: &mut Tx, id: DeliveryId, from: &str, reason: &str, now: Timestamp) -> Result<()> {
    query(
        "UPDATE deliveries SET status = 'cancelled', reason = $1, finished_at = $2 WHERE id = $3 AND status = $4",
    )
    .bind(reason)
    .bind(now.as_millis())
    .bind(id)
    .bind(from)
    .execute(tx)
    .await?;
    Ok(())
}

struct Drop {
    id: DeliveryId,
    reason: &'static str,
    now: Timestamp,
}

impl Unit for Drop {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        cancel(tx, self.id, "pending", self.reason, self.now).await
    }
}
