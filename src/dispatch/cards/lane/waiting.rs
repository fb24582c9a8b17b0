//! A lane's queue: waiting deliveries, the hints that fill it, and which priority is next.

use std::time::Duration;

use crate::config::Coalesce;
use crate::discord::Share;
use crate::dispatch::cards::lane::{CardLane, PAGE};
use crate::dispatch::cards::plan;
use crate::dispatch::guard;
use crate::dispatch::lane::WakeReason;
use crate::model::{Delivery, DeliveryId, Form, Message, Priority};
use crate::store;

/// How long a lane waits for its bucket before it checks the table for a decision that need not wait.
const LOOK: Duration = Duration::from_secs(2);
/// How many waiting deliveries fill a message.
const FULL: usize = 10;
/// Maximum number of waiting urgent deliveries that are still sent unpacked.
const FEW: usize = 5;
/// How many decisions go before waiting alerts: a fleet of machines that asks to join must not block the alerts.
const IN_A_ROW: u32 = 4;
/// How many urgent hints a lane that is behind keeps in memory; the table has them all.
const URGENT: usize = 2 * PAGE;

fn is_urgent((priority, _): (Priority, DeliveryId)) -> bool {
    priority == Priority::Urgent
}

impl CardLane<'_> {
    /// The priority that is next: the queue's first, except that an alert follows several decisions in a row.
    pub(super) fn turn(&self) -> Option<Priority> {
        let first = self.queue.first_key_value().map(|((priority, _), _)| *priority);
        let alerts = || self.storm || plan::head(&self.queue, Priority::Urgent).is_some_and(is_urgent);
        match first {
            Some(Priority::Decision) if self.decisions >= IN_A_ROW && alerts() => Some(Priority::Urgent),
            None | Some(Priority::Normal | Priority::Background) if self.storm => Some(Priority::Urgent),
            first => first,
        }
    }

    /// Counts `message` as sent in its turn.
    pub(super) fn note_turn(&mut self, message: &Message) {
        let decides = message.deliveries.first().is_some_and(|head| head.priority == Priority::Decision);
        self.decisions = if decides { self.decisions.saturating_add(1) } else { 0 };
    }

    /// Whether the next delivery is a decision or urgent.
    pub(super) fn is_urgent(&self) -> bool {
        self.turn().is_some_and(|priority| priority <= Priority::Urgent)
    }

    /// Whether several cards may share the next message.
    pub(super) fn packs(&self) -> bool {
        let many = || match self.turn() {
            None | Some(Priority::Decision) => false,
            Some(Priority::Urgent) if self.storm => true,
            Some(Priority::Urgent) => {
                self.queue.keys().filter(|(priority, _)| *priority == Priority::Urgent).count() > FEW
            }
            Some(Priority::Normal | Priority::Background) => self.pressed || self.queue.len() >= FULL,
        };
        self.context.composition.coalesce > Coalesce::Off && many()
    }

    /// Whether an urgent delivery goes before the in-doubt message: one that cannot have arrived can wait. In a storm the
    /// in-doubt message may be a digest of alerts: the next such digest does not overtake it.
    pub(super) fn overtakes(&self) -> bool {
        let overtaking = self.is_urgent()
            && self.queue.first_key_value().is_some_and(|((priority, _), _)| *priority <= Priority::Urgent);
        overtaking
            && self.lane.in_doubt.front().is_some_and(|message| {
                message.form == Form::Digest && !message.settling && message.ambiguous_since.is_none()
            })
    }

    /// The share of the bucket that the next message may use: the last slot is reserved for decisions. An in-doubt
    /// message waits for nothing, since everything else waits for it; the exception is a digest that a decision would
    /// overtake.
    pub(super) fn share(&self) -> Share {
        let waits = match self.lane.in_doubt.front() {
            Some(message) if !self.overtakes() => {
                message.form == Form::Digest && !message.settling && message.ambiguous_since.is_none()
            }
            _ => self.turn() != Some(Priority::Decision),
        };
        if waits { Share::Ordinary } else { Share::Full }
    }

    /// Whether there is something to send. Polls the table if it may hold more than memory.
    pub(super) async fn has_work(&mut self, place: &str) -> store::Result<bool> {
        self.take_hints();
        // Background deliveries block nothing.
        let idle = !self.storm && self.turn().is_none_or(|priority| priority == Priority::Background);
        if idle && self.behind {
            let page = self.context.store.page(self.lane.id, self.context.clock.steady(), PAGE).await?;
            self.behind = !page.is_all;
            self.queue_all(guard::readable(&self.context, place, page).await?);
        }
        if self.behind {
            // Hints about these may have been lost. They go first, whatever else waits.
            let now = self.context.clock.steady();
            let last = if self.storm { Priority::Decision } else { Priority::Urgent };
            let urgent = self.context.store.overtaking(self.lane.id, last, now, PAGE).await?;
            self.queue_all(guard::readable(&self.context, place, urgent).await?);
        }
        Ok(self.storm || !self.queue.is_empty())
    }

    pub(super) fn take_hints(&mut self) {
        self.behind |= self.lane.take_wake();
        while let Some(delivery) = self.lane.next_hint() {
            self.take_hint(delivery);
        }
    }

    fn take_hint(&mut self, delivery: Delivery) {
        self.behind |= self.storm || self.queue.len() >= PAGE;
        let overtakes = match delivery.priority {
            Priority::Decision => true,
            Priority::Urgent => !self.storm && self.queue.len() < URGENT,
            Priority::Normal | Priority::Background => false,
        };
        if !self.behind || overtakes {
            self.queue_up(delivery);
        }
    }

    pub(super) fn queue_all(&mut self, deliveries: Vec<Delivery>) {
        deliveries.into_iter().for_each(|delivery| self.queue_up(delivery));
    }

    fn queue_up(&mut self, delivery: Delivery) {
        self.queue.insert((delivery.priority, delivery.id), delivery);
    }

    /// Waits for work; `false` after a timeout.
    pub(super) async fn wait(&mut self) -> bool {
        match self.lane.wait().await {
            Some(WakeReason::Hint(delivery)) => self.take_hint(*delivery),
            Some(WakeReason::Poll) => {}
            None => return false,
        }
        true
    }

    /// Waits `ready_in` for a slot in the bucket. A message that may use only a `share` yields at once to a decision
    /// that arrives meanwhile, and soon to one whose hint was lost.
    pub(super) async fn wait_for_room(&mut self, ready_in: Duration, share: Share) -> store::Result<()> {
        let clock = self.context.clock.clone();
        let until = clock.elapsed() + ready_in;
        if share == Share::Full {
            clock.sleep_until_elapsed(until).await;
            return Ok(());
        }
        // A lane that is behind reads the table before it is not. Otherwise each event would wake it, for nothing.
        let _urgent_only = self.behind.then(|| self.lane.urgent_only());
        let mut look = clock.elapsed() + LOOK;
        while clock.elapsed() < until && self.turn() != Some(Priority::Decision) {
            if let Some(hint) = self.lane.hint_until(until.min(look)).await {
                self.take_hint(hint);
            }
            if clock.elapsed() >= look && look < until {
                let found = self
                    .context
                    .store
                    .overtaking(self.lane.id, Priority::Decision, clock.steady(), PAGE)
                    .await?;
                self.queue_all(found.deliveries);
                look = clock.elapsed() + LOOK;
            }
        }
        Ok(())
    }
}
