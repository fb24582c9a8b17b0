//! What an address says that was replaced while it was tried: it must not close what the new one opened.

use sqlx::sqlite::SqliteConnection;

use super::{Entry, Next, Record};
use crate::model::{Form, Message, Mint};
use crate::store::Result;
use crate::store::attempt::insert_attempt;

/// What came of recording a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is written down.
    Kept,
    /// Nothing was changed: the message is no longer this process's to finish.
    Theirs,
    /// The webhook got another address while the old one was tried: what that one says counts for nothing. What the
    /// message carried waits again, and the destination is as it was.
    Outdated,
}

/// Whether a message that was recorded as outdated is tried again as it is: what may stand there since an earlier try
/// stays one and the same message, and so does a digest that carries something.
#[must_use]
pub fn stays_open(message: &Message, next: &Next) -> bool {
    match next {
        Next::Parked(_) => message.ambiguous_since.is_some() && message.form != Form::Digest,
        next => matches!(next, Next::Again | Next::Kept),
    }
}

impl Record {
    /// Whether the address that closes or denies itself here is not the destination's any more.
    pub(super) async fn is_outdated(&self, tx: &mut SqliteConnection) -> Result<bool> {
        let closes = matches!(self.entry.next, Next::Parked(_)) || self.entry.attempt.outcome.is_denied();
        let Some(through) = self.message.through.as_ref().filter(|_| closes) else { return Ok(false) };
        let address: Option<String> = sqlx::query_scalar("SELECT address FROM destinations WHERE id = $1")
            .bind(self.message.destination_id.to_string())
            .fetch_optional(tx)
            .await?;
        Ok(address.is_some_and(|address| address != through.stored()))
    }

    /// The try alone is written down: the message is sent again, to the address that there is now.
    pub(super) async fn withdraw(&self, tx: &mut SqliteConnection) -> Result<Recorded> {
        let next = match &self.entry.next {
            Next::Parked(_) if stays_open(&self.message, &self.entry.next) => Next::Kept,
            Next::Parked(_) => Next::Withdrawn,
            next => next.clone(),
        };
        let (message, mint) = (self.message.clone(), Mint::new());
        let record = Self { message, mint, entry: Entry { next, ..self.entry.clone() }, ..*self };
        if !record.finish_message(tx).await? {
            return Ok(Recorded::Theirs);
        }
        insert_attempt(tx, &record.message, &record.entry.attempt).await?;
        record.finish_deliveries(tx).await?;
        Ok(Recorded::Outdated)
    }
}
