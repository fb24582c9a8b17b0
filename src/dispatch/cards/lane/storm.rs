//! A lane in an alert storm: cards for the worst alerts, then digests that name all the others.

use crate::discord::Permit;
use crate::dispatch::cards::lane::CardLane;
use crate::dispatch::cards::storm;
use crate::dispatch::guard::isolate;
use crate::model::{Destination, Priority};
use crate::store;

impl CardLane<'_> {
    /// Whether a digest that names alerts is next. When a storm begins, its worst alerts replace all others in the
    /// queue.
    pub(super) async fn storms(&mut self, destination: &Destination) -> store::Result<bool> {
        if self.no_digest || self.turn().is_some_and(|priority| priority == Priority::Decision) {
            return Ok(false);
        }
        if !self.storm && self.behind && self.turn() == Some(Priority::Urgent) {
            let now = self.context.clock.moment();
            if let Some(worst) = storm::worst(&self.context, destination, now).await? {
                self.queue.retain(|(priority, _), _| *priority == Priority::Decision);
                self.named = worst.len();
                self.queue_all(worst);
                self.storm = true;
            }
        }
        Ok(self.storm && !self.queue.keys().any(|(priority, _)| *priority == Priority::Urgent))
    }

    /// While the lane waits, worse alerts may come: as long as none of the chosen ones was posted, they are chosen again.
    pub(super) fn choose_worst_again(&mut self) {
        let waiting = self.queue.keys().filter(|(priority, _)| *priority == Priority::Urgent).count();
        if self.storm && waiting >= self.named {
            (self.storm, self.behind) = (false, true);
        }
    }

    /// Sends the next digest of the storm, or the one that counts the rest. The storm is over when there is none.
    pub(super) async fn name_others(
        &mut self,
        destination: &mut Destination,
        permit: Permit,
    ) -> store::Result<()> {
        if self.named >= storm::NAMED {
            return self.count_others(destination, permit).await;
        }
        match isolate(storm::rest(&self.context, destination, &self.pinged)).await? {
            Ok(Some((message, named))) => {
                self.named += named;
                self.put_down(destination, message, permit).await
            }
            Ok(None) => {
                self.storm = false;
                Ok(())
            }
            // Corrupt rows are found when each delivery is planned alone.
            Err(_) => {
                (self.storm, self.no_digest) = (false, true);
                Ok(())
            }
        }
    }

    async fn count_others(&mut self, destination: &mut Destination, permit: Permit) -> store::Result<()> {
        match isolate(storm::count(&self.context, destination, &self.pinged)).await? {
            Ok(Some(message)) => {
                self.note_turn(&message);
                self.pinged.note(&message);
                self.send(destination, message, permit).await
            }
            Ok(None) => {
                self.storm = false;
                Ok(())
            }
            Err(_) => {
                (self.storm, self.no_digest) = (false, true);
                Ok(())
            }
        }
    }
}
