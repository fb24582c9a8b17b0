//! Messages: planned before they are sent, recorded once they have an outcome.

mod outdated;

pub use outdated::{Recorded, stays_open};

use crate::clock::{Moment, SteadyTime, Timestamp};
use crate::model::{
    Action, Attempt, EventId, Form, Message, MessageId, Mint, Outcome, Reason, Receipt, Snowflake, Status,
};
use crate::store::attempt::{insert_attempt, millis};
use crate::store::digest::page::DigestPage;
use crate::store::digest::redraw::redraw;
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::webhook::health;
use crate::store::{Incoming, Result, Store, accept, card, delivery};

/// Disposition of an attempt, as the lane decided: what happens to the message, its deliveries and the destination.
#[derive(Clone, Debug)]
pub enum NextStep {
    /// The message is in Discord; its deliveries are done.
    Delivered(Receipt),
    /// It may have arrived: the same message is sent again.
    InDoubt,
    /// It cannot have arrived, and is sent again unchanged: too much depends on it to compose it again.
    SendAgain,
    /// It cannot have arrived: its deliveries are pending again and will be composed again.
    Withdrawn,
    /// Discord refused it while it carried several deliveries: they are pending again, and each is sent alone.
    Split(Reason),
    /// The message that it edits cannot be edited: its deliveries are pending again, and the next message about them
    /// is a new one.
    Superseded(Reason),
    /// Discord refused its form: its deliveries continue in this message instead.
    Recomposed(Box<Message>),
    /// Discord refused it for good: its deliveries are dead.
    Dead(Reason),
    /// Its destination is closed: its deliveries wait for the operator.
    Parked(Reason),
}

/// The record of one attempt.
#[derive(Clone, Debug)]
pub struct AttemptEntry {
    /// The attempt itself.
    pub attempt: Attempt,
    /// The disposition of the message and its deliveries.
    pub next: NextStep,
    /// Earliest time of the next request to the destination.
    pub not_before: SteadyTime,
    /// If the destination waits for the end of an outage: the earliest time of its next request after any other
    /// request has succeeded.
    pub retry_from: Option<SteadyTime>,
    /// Why the destination denies access, if it does.
    pub denied: Option<String>,
    /// The event that reported the destination's problem, as long as the problem lasts.
    pub announced: Option<EventId>,
    /// New events of nuncio's own that result from the outcome.
    pub follow_ups: Vec<FollowUp>,
}

/// An event that results from the outcome of another one.
#[derive(Clone, Debug)]
pub struct FollowUp {
    /// Id of the event.
    pub id: EventId,
    /// The event with its planned deliveries.
    pub incoming: Incoming,
}

/// State of a message. What is not `Sending` is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageState {
    Sending,
    Sent,
    Refused,
    Withdrawn,
}

impl MessageState {
    /// The word in the database.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Store {
    /// Plans a message: inserts its row and moves its deliveries from pending to sending. Returns `false`, and
    /// changes nothing, if one of them is no longer pending.
    pub async fn begin(&self, message: &Message, epoch: i64) -> Result<bool> {
        self.writer().submit(Begin { message: message.clone(), epoch }).await
    }

    /// Records one attempt of a message and its disposition.
    pub async fn record(&self, message: &Message, epoch: i64, entry: AttemptEntry) -> Result<Recorded> {
        let now = self.0.clock.moment();
        let mint = Mint::new();
        self.writer().submit(Record { message: message.clone(), epoch, entry, now, mint }).await
    }

    /// Records that a message is sent again although it may already be in the channel.
    pub async fn note_maybe_duplicate(&self, message: MessageId) -> Result<()> {
        self.writer().submit(MaybeDuplicate(message)).await
    }

    /// Start times of the requests since `since` that Discord counts toward a ban, oldest first. Requests that hit a
    /// shared rate limit are included: the table does not distinguish them.
    pub async fn refusals_since(&self, since: Timestamp) -> Result<Vec<Timestamp>> {
        let times: Vec<i64> = query_scalar(
            "SELECT started_at FROM attempts \
             WHERE status IN (401, 403, 429) AND started_at >= $1 ORDER BY started_at",
        )
        .bind(since.as_millis())
        .fetch_all(self.read())
        .await?;
        Ok(times.into_iter().map(Timestamp::from_millis).collect())
    }
}

pub(super) struct Begin {
    pub(super) message: Message,
    pub(super) epoch: i64,
}

impl Unit for Begin {
    type Output = bool;

    async fn apply(&self, tx: &mut Tx) -> Result<bool> {
        for delivery in &self.message.deliveries {
            // A redelivery may have moved it to another destination meanwhile.
            let pending: Option<i64> = query_scalar(
                "SELECT CAST(1 AS BIGINT) FROM deliveries WHERE id = $1 AND status = 'pending' AND destination_id = $2",
            )
            .bind(delivery.id)
            .bind(self.message.destination_id)
            .fetch_optional(&mut *tx)
            .await?;
            if pending.is_none() {
                return Ok(false);
            }
        }
        insert(tx, &self.message, self.epoch).await?;
        for delivery in &self.message.deliveries {
            query(
                "UPDATE deliveries SET status = 'sending', message_id = $1 WHERE id = $2 AND status = 'pending'",
            )
            .bind(self.message.id)
            .bind(delivery.id)
            .execute(&mut *tx)
            .await?;
        }
        Ok(true)
    }
}

struct MaybeDuplicate(MessageId);

impl Unit for MaybeDuplicate {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        query("UPDATE messages SET maybe_duplicate = TRUE WHERE id = $1").bind(self.0).execute(tx).await?;
        Ok(())
    }
}

struct Record {
    message: Message,
    epoch: i64,
    entry: AttemptEntry,
    now: Moment,
    mint: Mint,
}

impl Unit for Record {
    type Output = Recorded;

    async fn apply(&self, tx: &mut Tx) -> Result<Recorded> {
        if self.is_outdated(tx).await? {
            return self.withdraw(tx).await;
        }
        if !self.finish_message(tx).await? {
            return Ok(Recorded::Theirs);
        }
        if self.only_attempt().is_none() {
            insert_attempt(tx, &self.message, &self.entry.attempt).await?;
        }
        if self.message.form == Form::Digest && matches!(self.entry.next, NextStep::Delivered(_)) {
            let page = DigestPage::behind(tx, self.message.id, None).await?;
            redraw(tx, self.message.id, page, &self.mint, self.now.steady).await?;
        }
        self.finish_deliveries(tx).await?;
        match self.entry.next {
            NextStep::Delivered(_) => {
                card::note_shown(tx, &self.message, self.now.wall).await?;
                delivery::insert_replies(tx, &self.message, self.now.steady).await?;
            }
            NextStep::Superseded(_) => card::freeze(tx, &self.message).await?,
            _ => {}
        }
        self.note_destination(tx).await?;
        for FollowUp { id, incoming } in &self.entry.follow_ups {
            accept::insert_follow_up(tx, *id, incoming, &self.mint, self.now).await?;
        }
        Ok(Recorded::Kept)
    }
}

impl Record {
    /// The attempt, if it was the first and the message arrived: then it is part of the message's row. (One row and one
    /// index less for nearly every message. A digest stays open, and what is open has its attempts in their table.)
    fn only_attempt(&self) -> Option<&Attempt> {
        let attempt = &self.entry.attempt;
        let is_over = matches!(self.entry.next, NextStep::Delivered(_)) && self.message.form != Form::Digest;
        let is_plain = attempt.code.is_none()
            && attempt.response.is_empty()
            && matches!(attempt.outcome, Outcome::Sent(_));
        (is_over && is_plain && self.message.attempts == 0).then_some(attempt)
    }

    /// Updates the message, if it is still open and its lane still owns it.
    async fn finish_message(&self, tx: &mut Tx) -> Result<bool> {
        let (state, receipt) = match &self.entry.next {
            // A digest's deliveries are marked in small units; until then it stays open, with its receipt.
            NextStep::Delivered(receipt) if self.message.form == Form::Digest => {
                (MessageState::Sending, Some(receipt))
            }
            NextStep::Delivered(receipt) => (MessageState::Sent, Some(receipt)),
            NextStep::InDoubt | NextStep::SendAgain => (MessageState::Sending, None),
            NextStep::Withdrawn | NextStep::Split(_) | NextStep::Superseded(_) => {
                (MessageState::Withdrawn, None)
            }
            NextStep::Recomposed(_) | NextStep::Dead(_) | NextStep::Parked(_) => {
                (MessageState::Refused, None)
            }
        };
        let is_open = state == MessageState::Sending;
        let settling = is_open && receipt.is_some();
        let (open, ambiguous) = (is_open && !settling, matches!(self.entry.next, NextStep::InDoubt));
        let only = self.only_attempt();
        let changed = query(
            "UPDATE messages SET state = $1, channel_id = $2, receipt = $3, finished_at = $4, \
             ambiguous_since = COALESCE(ambiguous_since, $5), settling = $8, \
             posted_after = CASE WHEN $1 = 'sending' THEN posted_after END, \
             discord_time = CASE WHEN $1 = 'sending' THEN discord_time END, \
             nonce = CASE WHEN $1 = 'sending' THEN nonce END, started_at = $9, took_ms = $10, status = $11 \
             WHERE id = $6 AND state = 'sending' AND lane_epoch = $7",
        )
        .bind(state.as_str())
        .bind(receipt.and_then(|receipt| receipt.channel()))
        .bind(receipt.and_then(|receipt| receipt.message()))
        .bind((!open).then_some(self.now.wall.as_millis()))
        .bind(ambiguous.then_some(self.entry.attempt.started_at.as_millis()))
        .bind(self.message.id)
        .bind(self.epoch)
        .bind(settling)
        .bind(only.map(|attempt| attempt.started_at.as_millis()))
        .bind(only.map(|attempt| millis(attempt.took)))
        .bind(only.and_then(|attempt| attempt.status).map(i64::from))
        .execute(tx)
        .await?;
        Ok(changed == 1)
    }

    async fn finish_deliveries(&self, tx: &mut Tx) -> Result<()> {
        let id = self.message.id;
        let (status, message, reason) = match &self.entry.next {
            NextStep::Delivered(_) => (Status::Delivered, Some(id), None),
            NextStep::InDoubt | NextStep::SendAgain => (Status::Sending, Some(id), None),
            NextStep::Withdrawn | NextStep::Split(_) | NextStep::Superseded(_) | NextStep::Parked(_) => {
                (Status::Pending, None, None)
            }
            NextStep::Recomposed(plain) => {
                insert(tx, plain, self.epoch).await?;
                (Status::Sending, Some(plain.id), None)
            }
            NextStep::Dead(reason) => (Status::Dead, Some(id), Some(reason.as_str())),
        };
        let is_over = matches!(status, Status::Delivered | Status::Dead);
        let finished = is_over.then_some(self.now.wall.as_millis());
        if message != Some(id) {
            // The deliveries leave this message, whose attempts must stay findable.
            query(
                "INSERT INTO earlier_messages (delivery_id, message_id) SELECT id, message_id FROM deliveries \
                 WHERE message_id = $1 AND status = 'sending' ON CONFLICT (delivery_id, message_id) DO NOTHING",
            )
            .bind(id)
            .execute(&mut *tx)
            .await?;
        }
        let (after, last) = DigestPage::behind(tx, self.message.id, None).await?.bounds();
        query(
            "UPDATE deliveries SET status = $1, message_id = $2, reason = $3, finished_at = $4, \
             attempts = attempts + 1 WHERE message_id = $5 AND status = 'sending' AND id > $6 AND id <= $7",
        )
        .bind(status)
        .bind(message)
        .bind(reason)
        .bind(finished)
        .bind(id)
        .bind(after)
        .bind(last)
        .execute(tx)
        .await?;
        Ok(())
    }

    /// The Discord message that this attempt posted.
    fn posted(&self) -> Option<Snowflake> {
        match self.entry.next {
            NextStep::Delivered(receipt) if self.message.action == Action::Create => receipt.message(),
            _ => None,
        }
    }

    async fn note_destination(&self, tx: &mut Tx) -> Result<()> {
        let success = matches!(self.entry.next, NextStep::Delivered(_)).then_some(self.now.wall.as_millis());
        let failure =
            success.is_none().then(|| String::from_utf8_lossy(&self.entry.attempt.response).into_owned());
        let newest = self.posted();
        let closed =
            if let NextStep::Parked(reason) = &self.entry.next { Some(reason.as_str()) } else { None };
        query(
            "UPDATE destinations SET not_before = $1, updated_at = $2, last_success_at = COALESCE($3, last_success_at), \
             failing_since = CASE WHEN $3 IS NULL THEN COALESCE(failing_since, $2) END, last_error = $4, \
             closed_reason = COALESCE($5, closed_reason), denied_reason = $8, announced = $9, \
             newest = CASE WHEN $10 > COALESCE(newest, 0) THEN $10 ELSE newest END, retry_from = $11, \
             test_success_at = CASE WHEN sink = 'discord_webhook' THEN COALESCE($3, test_success_at) END, \
             consecutive_failures = CASE WHEN $3 IS NOT NULL THEN 0 ELSE consecutive_failures + $12 END \
             WHERE id = $6 AND lane_epoch = $7",
        )
        .bind(self.entry.not_before.as_millis())
        .bind(self.now.wall.as_millis())
        .bind(success)
        .bind(failure)
        .bind(closed)
        .bind(self.message.destination_id)
        .bind(self.epoch)
        .bind(self.entry.denied.as_deref())
        .bind(self.entry.announced)
        .bind(newest)
        .bind(self.entry.retry_from.map(SteadyTime::as_millis))
        .bind(i64::from(self.entry.attempt.is_failure()))
        .execute(&mut *tx)
        .await?;
        // Only a request through a stored webhook names one.
        if self.message.through.is_some() && (success.is_some() || self.entry.attempt.is_failure()) {
            let id = self.message.destination_id;
            health::count(tx, id, success.is_some(), self.now.wall).await?;
        }
        Ok(())
    }
}

pub(super) async fn insert(tx: &mut Tx, message: &Message, epoch: i64) -> Result<()> {
    let pings: Vec<String> = message.pings.iter().map(ToString::to_string).collect();
    query(
        "INSERT INTO messages (id, destination_id, nonce, action, edits, form, pings, state, lane_epoch, created_at, \
         posted_after, discord_time, planned_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'sending', $8, $9, $10, $11, $12)",
    )
    .bind(message.id)
    .bind(message.destination_id)
    .bind(message.nonce.as_str())
    .bind(message.action.as_str())
    .bind(message.action.edits())
    .bind(message.form.as_str())
    .bind(pings.join(","))
    .bind(epoch)
    .bind(message.created_at.as_millis())
    .bind(message.posted_after.message)
    .bind(message.posted_after.time.map(Timestamp::as_millis))
    .bind(message.planned_at.as_millis())
    .execute(tx)
    .await?;
    Ok(())
}
