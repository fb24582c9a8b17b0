//! A lane that shows cards: it sends one message at a time, decisions first, then urgent deliveries, each in id order.
//!
//! It is *caught up* when its queue holds everything that is due; then hints are appended. It is *behind* when it does
//! not (it has just started, or too much waits); then it pages through the table, and only hints with a higher
//! priority enter the queue.

mod address;
mod storm;
mod waiting;

use std::collections::HashSet;
use std::sync::Arc;

use crate::discord::Permit;
use crate::dispatch::Context;
use crate::dispatch::cards::digest;
use crate::dispatch::cards::disposition::{self, Disposition};
use crate::dispatch::cards::plan::{self, Pressure, Queue};
use crate::dispatch::cards::storm::Pinged;
use crate::dispatch::guard::{Poison, isolate};
use crate::dispatch::lane::insist::put_off;
use crate::dispatch::lane::{Lane, LaneEnd, restart};
use crate::dispatch::sink::reachability;
use crate::model::{Delivery, DeliveryId, Destination, Form, Message, Priority, Sink};
use crate::store::{self, NextStep, Recorded};

/// How many deliveries a lane keeps in memory.
const PAGE: usize = 64;

/// The work of a lane that shows cards.
pub(in crate::dispatch) struct CardLane<'a> {
    lane: &'a mut Lane,
    context: Arc<Context>,
    queue: Queue,
    behind: bool,
    /// True once deliveries had to wait: cards are packed until the lane has caught up.
    pressed: bool,
    /// Deliveries that were refused as part of a group, and are sent alone.
    alone: HashSet<DeliveryId>,
    /// True if a digest was refused or the lane keeps crashing: no further digest until the lane has caught up.
    no_digest: bool,
    /// True during an alert storm: the worst alerts are in the queue, all others only in the table.
    storm: bool,
    /// How many alerts of the storm have been named.
    named: usize,
    /// How many decisions were sent in a row.
    decisions: u32,
    /// When each role was last pinged.
    pinged: Pinged,
    /// A short reason for the delay of waiting deliveries.
    trouble: Option<String>,
    failures: u32,
}

impl<'a> CardLane<'a> {
    pub(in crate::dispatch) fn new(lane: &'a mut Lane) -> Self {
        Self {
            context: Arc::clone(&lane.context),
            queue: Queue::new(),
            behind: true,
            pressed: false,
            alone: HashSet::new(),
            no_digest: lane.crashes >= restart::MANY,
            storm: false,
            named: 0,
            decisions: 0,
            pinged: Pinged::default(),
            trouble: None,
            failures: 0,
            lane,
        }
    }

    /// Sends what is due to `destination`, until there is nothing left to do.
    pub(in crate::dispatch) async fn work(mut self, mut destination: Destination) -> store::Result<LaneEnd> {
        let context = Arc::clone(&self.context);
        if self.lane.crashes > 0 {
            restart::record_crash(&self.context, destination.id).await;
        }
        self.lane.find_in_doubt(&destination).await?;
        loop {
            if !destination.enabled && !self.lane.is_enabled().await? {
                return Ok(LaneEnd::Idle);
            }
            self.pressed |= destination.not_before > self.context.clock.steady();
            while !self.lane.hold(&mut destination).await? {
                self.take_hints();
            }
            if destination.closed.is_some() {
                return Ok(LaneEnd::Idle);
            }
            let work = self.has_work(&destination.name).await?;
            if self.lane.in_doubt.is_empty() && !work {
                self.caught_up();
                if self.wait().await {
                    continue;
                }
                return Ok(LaneEnd::Idle);
            }
            let Some(sink) = context.sinks.showing(&destination.sink) else {
                return Ok(LaneEnd::NeedsToken);
            };
            let share = self.share();
            let ready_in = sink.ready_in(share);
            if !ready_in.is_zero() {
                self.pressed = true;
                self.wait_for_room(ready_in, share).await?;
                continue;
            }
            let permit = sink.permit().await;
            // A stored webhook may have been disabled meanwhile.
            if matches!(destination.sink, Sink::DiscordWebhook(_)) && !self.lane.is_enabled().await? {
                return Ok(LaneEnd::Idle);
            }
            // More urgent deliveries may have arrived while the lane waited for the permit.
            self.take_hints();
            if self.overtakes() {
                self.begin(&mut destination, permit).await?;
            } else if let Some(message) = self.lane.in_doubt.pop_front() {
                self.send(&mut destination, message, permit).await?;
            } else {
                self.begin(&mut destination, permit).await?;
            }
        }
    }

    /// Resets the state of a lane that has nothing left to send.
    fn caught_up(&mut self) {
        self.pressed = false;
        self.no_digest = false;
        self.trouble = None;
        self.alone.clear();
    }

    /// Plans the next message, and sends it once it is on disk.
    async fn begin(&mut self, destination: &mut Destination, permit: Permit) -> store::Result<()> {
        if self.storms(destination).await? {
            return self.name_others(destination, permit).await;
        }
        let now = self.context.clock.steady();
        if !self.is_urgent()
            && !self.no_digest
            && let Some(claim) =
                digest::due(&self.context, destination.id, &self.queue, self.behind, now).await?
        {
            let planned = digest::gather(&self.context, destination, claim).await?;
            digest::forget(&mut self.queue, &mut self.alone);
            self.behind = true;
            return match planned {
                Some(message) => self.send(destination, message, permit).await,
                None => Ok(()),
            };
        }
        let pressure = Pressure { pack: self.packs(), more: self.behind, alone: &self.alone };
        let turn = self.turn().unwrap_or(Priority::Decision);
        let head = plan::head(&self.queue, turn).map(|(_, id)| id);
        let planned =
            isolate(plan::next(&self.context, destination.id, &mut self.queue, turn, pressure)).await?;
        match (planned, head) {
            (Ok(Some(message)), _) => self.put_down(destination, message, permit).await,
            (Err(poison), Some(head)) => self.quarantine(destination, head, poison).await,
            (Ok(None) | Err(_), _) => Ok(()),
        }
    }

    /// Stores a planned message, then sends it.
    async fn put_down(
        &mut self,
        destination: &mut Destination,
        mut message: Message,
        permit: Permit,
    ) -> store::Result<()> {
        self.note_turn(&message);
        message.posted_after = self.context.sinks.posted_after(destination, &self.context.clock);
        match self.context.store.begin(&message, destination.epoch).await {
            Ok(true) => {
                self.pinged.note(&message);
                if message.form == Form::Digest {
                    // They stay in the table, like those of every digest.
                    message.deliveries.clear();
                }
                self.send(destination, message, permit).await
            }
            // Some of its deliveries were changed in the meantime: the table is right.
            Ok(false) => {
                self.behind = true;
                Ok(())
            }
            Err(error) => {
                self.queue_all(message.deliveries);
                put_off(&self.context, &error).await;
                Ok(())
            }
        }
    }

    /// Plans an unplannable group's head again alone. If it cannot be planned alone either, the delivery itself is at
    /// fault and is given up.
    async fn quarantine(
        &mut self,
        destination: &Destination,
        head: DeliveryId,
        poison: Poison,
    ) -> store::Result<()> {
        // All queued deliveries are still pending in the table.
        self.queue.clear();
        self.behind = true;
        if self.alone.insert(head) {
            return Ok(());
        }
        let reason = poison.into_reason();
        if self.context.store.give_up(head, &reason).await? {
            disposition::log_given_up(&destination.name, &[head], &reason);
            self.context.hub.gave_up();
        }
        Ok(())
    }

    /// A short reason for the delay of `message`, if it is late.
    fn why(&self, message: &Message) -> Option<String> {
        let before = |delivery: &Delivery| delivery.id.minted_at() < self.context.started;
        let stopped = message.planned_at < self.context.started || message.deliveries.iter().any(before);
        self.trouble.clone().or_else(|| stopped.then(|| "from before nuncio's last start".to_owned()))
    }

    /// Sends a message whose row is on disk, and records the outcome.
    async fn send(
        &mut self,
        destination: &mut Destination,
        mut message: Message,
        permit: Permit,
    ) -> store::Result<()> {
        if message.settling {
            digest::settle(&self.context, &message).await;
            return Ok(());
        }
        let context = Arc::clone(&self.context);
        // Whatever address the destination is given meanwhile, its sink still shows cards.
        let Some(sink) = context.sinks.showing(&destination.sink) else {
            return Err(store::Error::Corrupt(format!("a {} that shows no cards", destination.sink.kind())));
        };
        message.late = self.why(&message);
        let (tries, successes) = (message.attempts, self.context.recovery.successes());
        let sending = sink.send(&context, destination, &mut message, permit);
        let attempt = match isolate(sending).await? {
            Ok(attempt) => attempt,
            Err(poison) => poison.lost(self.context.clock.now(), tries),
        };
        reachability::note(self.context.hub.conditions(), &attempt);
        // A rate limit that is hit while catching up is not the reason for the wait.
        if self.trouble.is_none() || attempt.status != Some(429) {
            self.trouble = reachability::trouble(&attempt).or(self.trouble.take());
        }
        let now = self.context.clock.moment();
        let disposition = Disposition::of(destination, &message, &attempt, &mut self.failures, now);
        if !self.is_readdressed(&message, &attempt).await? {
            disposition.log(&self.context.hub, destination, &message, &attempt, now);
        }
        let digest = message.form == Form::Digest;
        if digest && matches!(disposition.next, NextStep::Split(_) | NextStep::Dead(_) | NextStep::Parked(_))
        {
            digest::release(&self.context, &message).await?;
        }
        let recorded = disposition.record(&self.context, destination, &message, &attempt).await;
        if attempt.is_outage() {
            self.context.recovery.wait_since(successes);
        }
        if recorded == Recorded::Outdated {
            return self.readdressed(destination, message, &disposition.next).await;
        }
        if recorded == Recorded::Theirs {
            return Ok(());
        }
        message.attempts += 1;
        match disposition.next {
            NextStep::InDoubt | NextStep::SendAgain => {
                if matches!(disposition.next, NextStep::InDoubt) {
                    message.ambiguous_since.get_or_insert(attempt.started_at);
                }
                self.lane.in_doubt.push_front(message);
            }
            NextStep::Recomposed(plain) => self.lane.in_doubt.push_front(*plain),
            NextStep::Withdrawn => {
                // Also if the wait is over before the loop looks at the clock.
                self.pressed = true;
                self.queue_all(message.deliveries);
                self.choose_worst_again();
            }
            NextStep::Superseded(_) => self.queue_all(message.deliveries),
            NextStep::Split(_) => {
                self.no_digest |= digest;
                self.behind |= digest;
                self.storm &= !digest;
                self.alone.extend(message.deliveries.iter().map(|delivery| delivery.id));
                self.queue_all(message.deliveries);
            }
            NextStep::Delivered(_) => {
                if digest {
                    digest::settle(&self.context, &message).await;
                }
                self.queue_all(message.replies);
            }
            NextStep::Dead(_) | NextStep::Parked(_) => {}
        }
        Ok(())
    }
}
