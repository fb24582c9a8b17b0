//! A webhook whose address was replaced while a request to the old one was in flight.

use crate::dispatch::cards::lane::CardLane;
use crate::model::{Attempt, Destination, Message, Outcome, Sink};
use crate::store::{self, NextStep};

impl CardLane<'_> {
    /// Whether the address that was closed or denied by this attempt has been replaced: then operators are not
    /// notified. (The unit that records the attempt checks again.)
    pub(super) async fn is_readdressed(&self, message: &Message, attempt: &Attempt) -> store::Result<bool> {
        let closes = matches!(attempt.outcome, Outcome::Closed(_) | Outcome::Denied(_));
        let Some(through) = message.through.as_ref().filter(|_| closes) else { return Ok(false) };
        let found = self.lane.destination().await?;
        Ok(found.is_some_and(|found| found.sink != Sink::DiscordWebhook(through.clone())))
    }

    /// Continues with the destination's new address.
    pub(super) async fn readdressed(
        &mut self,
        destination: &mut Destination,
        mut message: Message,
        next: &NextStep,
    ) -> store::Result<()> {
        tracing::info!(
            message.id = %message.id,
            "{} got another address while the old one was tried: what was for it is sent to the new one", destination.name
        );
        self.lane.read_again(destination).await?;
        if store::stays_open(&message, next) {
            message.attempts += 1;
            self.lane.in_doubt.push_front(message);
        }
        // The rest is pending in the table.
        self.behind = true;
        Ok(())
    }
}
