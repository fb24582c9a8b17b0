//! Outdated answers: a webhook's address was replaced during an attempt, and the old address must not close what the
//! new one opened.

use super::{AttemptEntry, NextStep, Record};
use crate::model::{Form, Message, Mint};
use crate::store::Result;
use crate::store::attempt::insert_attempt;
use crate::store::sql::{Tx, query_scalar};

/// Result of recording an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It was recorded.
    Kept,
    /// Nothing was changed: the message is closed, or another lane epoch owns it.
    Theirs,
    /// The webhook got a new address during the attempt, so the old one's answer is ignored. The message's deliveries
    /// are pending again, and the destination is unchanged.
    Outdated,
}

/// Returns whether a message that was recorded as outdated is sent again unchanged. This keeps a message that may
/// have arrived in an earlier attempt one and the same, and a digest with its deliveries together.
#[must_use]
pub fn stays_open(message: &Message, next: &NextStep) -> bool {
    match next {
        NextStep::Parked(_) => message.ambiguous_since.is_some() && message.form != Form::Digest,
        next => matches!(next, NextStep::InDoubt | NextStep::SendAgain),
    }
}

impl Record {
    /// Returns whether the address that this attempt closes or denies is no longer the destination's.
    pub(super) async fn is_outdated(&self, tx: &mut Tx) -> Result<bool> {
        let closes = matches!(self.entry.next, NextStep::Parked(_)) || self.entry.attempt.outcome.is_denied();
        let Some(through) = self.message.through.as_ref().filter(|_| closes) else { return Ok(false) };
        let address: Option<String> = query_scalar("SELECT address FROM destinations WHERE id = $1")
            .bind(self.message.destination_id)
            .fetch_optional(tx)
            .await?;
        Ok(address.is_some_and(|address| address != through.stored()))
    }

    /// Records only the attempt: the message is sent again, to the current address.
    pub(super) async fn withdraw(&self, tx: &mut Tx) -> Result<Recorded> {
        let next = match &self.entry.next {
            NextStep::Parked(_) if stays_open(&self.message, &self.entry.next) => NextStep::SendAgain,
            NextStep::Parked(_) => NextStep::Withdrawn,
            next => next.clone(),
        };
        let (message, mint) = (self.message.clone(), Mint::new());
        let record = Self { message, mint, entry: AttemptEntry { next, ..self.entry.clone() }, ..*self };
        if !record.finish_message(tx).await? {
            return Ok(Recorded::Theirs);
        }
        insert_attempt(tx, &record.message, &record.entry.attempt).await?;
        record.finish_deliveries(tx).await?;
        Ok(Recorded::Outdated)
    }
}
