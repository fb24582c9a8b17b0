//! A lane: the one task of a destination. It sends one message at a time, urgent deliveries first, then in id order.
//!
//! A lane is *caught up* when its queue holds all that is due; then hints are appended. It is *behind* when it does
//! not (it has just started, or too much waits); then it pages through the table, and only urgent hints are taken
//! into the queue, so that they overtake.
//!
//! Before a request leaves, its message and its deliveries are on disk as `sending`: after a crash exactly those are
//! in doubt. A message in doubt is finished before anything else.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;
use crate::dispatch::Context;
use crate::dispatch::gate::Pass;
use crate::hub::Condition;
use crate::model::{
    Arrived, Attempt, Delivery, DeliveryId, Destination, DestinationId, Form, Message, Outcome, Rank,
    schedule,
};
use crate::store::{self, Next};

/// How many hints may wait for a lane; more than that, and it looks at the table instead.
pub(super) const INBOX: usize = 64;
/// How many deliveries a lane keeps in memory.
const PAGE: usize = 64;
/// How long a lane without work stays, so that a burst does not start it anew for every event.
const LINGER: Duration = Duration::from_secs(5);
/// How long a lane waits when the database does not take what it has to record.
const STORE_AGAIN: Duration = Duration::from_secs(1);

/// A flag that also wakes: "look at the table".
#[derive(Clone, Default)]
pub(super) struct Wake(Arc<(AtomicBool, Notify)>);

impl Wake {
    pub(super) fn look_at_the_table(&self) {
        self.0.0.store(true, Ordering::Release);
        self.0.1.notify_one();
    }

    pub(super) fn take(&self) -> bool {
        self.0.0.swap(false, Ordering::AcqRel)
    }

    async fn notified(&self) {
        self.0.1.notified().await;
    }
}

/// What is left of a lane: what it was told while it was closing.
pub(super) struct Finished {
    pub(super) destination: DestinationId,
    pub(super) inbox: mpsc::Receiver<Delivery>,
    pub(super) wake: Wake,
}

pub(super) struct Lane {
    context: Arc<Context>,
    id: DestinationId,
    inbox: mpsc::Receiver<Delivery>,
    wake: Wake,
    queue: BTreeMap<(Rank, DeliveryId), Delivery>,
    in_doubt: VecDeque<Message>,
    behind: bool,
    failures: u32,
}

impl Lane {
    pub(super) fn new(
        context: Arc<Context>,
        id: DestinationId,
        inbox: mpsc::Receiver<Delivery>,
        wake: Wake,
    ) -> Self {
        Self {
            context,
            id,
            inbox,
            wake,
            queue: BTreeMap::new(),
            in_doubt: VecDeque::new(),
            behind: true,
            failures: 0,
        }
    }

    /// Works until there is nothing to do, or until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Finished {
        let work = async {
            if let Err(error) = self.work().await {
                tracing::error!(%error, destination = %self.id, "the database cannot be read: this lane waits for the next sweep");
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = work => {}
        }
        Finished { destination: self.id, inbox: self.inbox, wake: self.wake }
    }

    async fn work(&mut self) -> store::Result<()> {
        let Some(mut destination) = self.context.store.destination(self.id).await? else { return Ok(()) };
        self.in_doubt = self.context.store.open_messages(self.id).await?.into();
        while destination.closed.is_none() {
            self.context.clock.sleep_until(destination.not_before).await;
            if self.in_doubt.is_empty() && !self.has_work().await? {
                if self.wait().await {
                    continue;
                }
                break;
            }
            let pass = self.context.gate.pass().await;
            if let Some(message) = self.in_doubt.pop_front() {
                self.send(&mut destination, message, pass).await?;
            } else {
                // While it waited at the gate something more urgent may have come.
                self.take_hints();
                if let Some((_, delivery)) = self.queue.pop_first() {
                    self.begin(&mut destination, delivery, pass).await?;
                }
            }
        }
        Ok(())
    }

    /// Whether there is something to send; looks at the table if that may hold more than memory.
    async fn has_work(&mut self) -> store::Result<bool> {
        self.take_hints();
        if self.queue.is_empty() && self.behind {
            let page = self.context.store.page(self.id, self.context.clock.now(), PAGE).await?;
            self.behind = page.len() == PAGE;
            page.into_iter().for_each(|delivery| self.queue_up(delivery));
        }
        Ok(!self.queue.is_empty())
    }

    fn take_hints(&mut self) {
        self.behind |= self.wake.take();
        while let Ok(delivery) = self.inbox.try_recv() {
            self.take_hint(delivery);
        }
    }

    fn take_hint(&mut self, delivery: Delivery) {
        self.behind |= self.queue.len() >= PAGE;
        if !self.behind || delivery.rank == Rank::Urgent {
            self.queue_up(delivery);
        }
    }

    fn queue_up(&mut self, delivery: Delivery) {
        self.queue.insert((delivery.rank, delivery.id), delivery);
    }

    /// Waits for work; `false` if there was none for a while.
    async fn wait(&mut self) -> bool {
        tokio::select! {
            biased;
            hint = self.inbox.recv() => {
                hint.map(|delivery| self.take_hint(delivery)).is_some()
            }
            () = self.wake.notified() => true,
            () = self.context.clock.sleep(LINGER) => false,
        }
    }

    /// Plans a message for `delivery`, and sends it once that is on disk.
    async fn begin(
        &mut self,
        destination: &mut Destination,
        delivery: Delivery,
        pass: Pass,
    ) -> store::Result<()> {
        let Some(channel) = &self.context.channel else { return Ok(()) };
        let message = channel.plan(&self.context.store, delivery).await?;
        match self.context.store.begin(&message, destination.epoch).await {
            Ok(true) => self.send(destination, message, pass).await,
            // Somebody else took it in the meantime: the table is right.
            Ok(false) => Ok(()),
            Err(error) => {
                self.store_failing(&error);
                message.deliveries.into_iter().for_each(|delivery| self.queue_up(delivery));
                self.context.clock.sleep(STORE_AGAIN).await;
                Ok(())
            }
        }
    }

    /// Sends a message whose row is on disk, and records what came of it.
    async fn send(
        &mut self,
        destination: &mut Destination,
        mut message: Message,
        pass: Pass,
    ) -> store::Result<()> {
        let Some(channel) = &self.context.channel else { return Ok(()) };
        let attempt = channel.send(&self.context.store, &destination.sink, &mut message).await?;
        pass.report(&attempt, &self.context.hub);
        self.note_reachable(&attempt);
        let next = self.next_step(&message, &attempt);
        let not_before = self.not_before(&attempt, &next);
        destination.not_before = not_before;
        tell(destination, &message, &attempt, &next, not_before.since(self.context.clock.now()));
        if let Next::Parked(reason) = &next {
            destination.closed = Some(reason.as_str().to_owned());
        }
        if !self.record(destination.epoch, &message, &attempt, &next, not_before).await {
            return Ok(());
        }
        message.attempts += 1;
        match next {
            Next::Again => {
                message.ambiguous_since.get_or_insert(attempt.started_at);
                self.in_doubt.push_front(message);
            }
            Next::Recomposed(plain) => self.in_doubt.push_front(*plain),
            Next::Withdrawn => message.deliveries.into_iter().for_each(|delivery| self.queue_up(delivery)),
            Next::Delivered(_) | Next::Dead(_) | Next::Parked(_) => {}
        }
        Ok(())
    }

    /// What an outcome leads to.
    fn next_step(&self, message: &Message, attempt: &Attempt) -> Next {
        match &attempt.outcome {
            Outcome::Sent(receipt) => Next::Delivered(*receipt),
            Outcome::Retry { arrived: Arrived::Maybe, .. } => Next::Again,
            // An earlier try of it may have arrived: it stays one and the same message.
            Outcome::Retry { .. } | Outcome::Paused { .. } if message.ambiguous_since.is_some() => {
                Next::Again
            }
            Outcome::Retry { .. } | Outcome::Paused { .. } => Next::Withdrawn,
            Outcome::Refused(_) if message.form == Form::Single => {
                Next::Recomposed(Box::new(message.in_form(Form::Plain, self.context.clock.now())))
            }
            Outcome::Refused(reason) => Next::Dead(reason.clone()),
            Outcome::Closed(reason) => Next::Parked(reason.clone()),
        }
    }

    /// When the destination may be used again after this try. A pause of all lanes shuts the gate instead.
    fn not_before(&mut self, attempt: &Attempt, next: &Next) -> Timestamp {
        let now = self.context.clock.now();
        let own = match &attempt.outcome {
            Outcome::Retry { after, .. } => {
                self.failures += 1;
                let backoff = schedule::backoff(self.failures, rand::random());
                after.map_or(backoff, |after| after.max(backoff))
            }
            // A pause is the gate's.
            Outcome::Sent(_) | Outcome::Refused(_) | Outcome::Closed(_) | Outcome::Paused { .. } => {
                Duration::ZERO
            }
        };
        if matches!(next, Next::Delivered(_)) {
            self.failures = 0;
        }
        now.plus(own.max(attempt.cooldown))
    }

    /// Keeps `/health` true: whether Discord as a whole can be reached.
    fn note_reachable(&self, attempt: &Attempt) {
        let conditions = self.context.hub.conditions();
        match &attempt.outcome {
            Outcome::Sent(_) if conditions.clear(Condition::DiscordUnreachable) => {
                tracing::info!("Discord can be reached again");
            }
            Outcome::Retry { .. } if attempt.status.is_none_or(|status| status >= 500) => {
                conditions.raise(
                    Condition::DiscordUnreachable,
                    "Discord cannot be reached or does not work: deliveries wait and are tried again",
                );
            }
            _ => {}
        }
    }

    /// Writes down what came of a try, however long the database takes to accept it. `false` if another process has
    /// taken over meanwhile.
    async fn record(
        &self,
        epoch: i64,
        message: &Message,
        attempt: &Attempt,
        next: &Next,
        not_before: Timestamp,
    ) -> bool {
        loop {
            match self.context.store.record(message, epoch, attempt.clone(), next.clone(), not_before).await {
                Ok(ours) => {
                    self.context.hub.conditions().clear(Condition::StoreFailing);
                    self.context.hub.progressed();
                    return ours;
                }
                Err(error) => self.store_failing(&error),
            }
            self.context.clock.sleep(STORE_AGAIN).await;
        }
    }

    fn store_failing(&self, error: &store::Error) {
        let sentence = format!("{error}: deliveries wait until it works again (is the disk full?)");
        if self.context.hub.conditions().raise(Condition::StoreFailing, sentence.clone()) {
            tracing::error!("{sentence}");
        }
    }
}

/// Tells the operator what came of a try, once for each.
fn tell(destination: &Destination, message: &Message, attempt: &Attempt, next: &Next, wait: Duration) {
    let name = &destination.name;
    let (took_ms, tries) = (attempt.took.as_millis(), message.attempts + 1);
    let said = String::from_utf8_lossy(&attempt.response);
    let again_in_s = wait.as_secs_f64();
    match next {
        Next::Delivered(_) => tracing::info!(message.id = %message.id, took_ms, tries, "delivered to {name}"),
        Next::Again | Next::Withdrawn => tracing::warn!(
            message.id = %message.id, status = attempt.status, took_ms, tries, again_in_s,
            "{name} did not take a message: {}; it is tried again", said.escape_debug()
        ),
        Next::Recomposed(_) => tracing::warn!(
            message.id = %message.id, status = attempt.status,
            "{name} refused a card: {}; it is sent as plain text", said.escape_debug()
        ),
        Next::Dead(reason) => tracing::error!(
            message.id = %message.id, status = attempt.status,
            "{name} refused a message for good: {reason}. The event is kept"
        ),
        Next::Parked(reason) => tracing::error!(
            message.id = %message.id, status = attempt.status,
            "{name} is closed: {reason}. Its deliveries wait; mend it and restart"
        ),
    }
}
