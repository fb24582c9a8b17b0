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

use crate::discord::Pass;
use crate::dispatch::Context;
use crate::dispatch::plan::plan;
use crate::dispatch::verdict::{self, Verdict};
use crate::model::{Delivery, DeliveryId, Destination, DestinationId, Message, Rank};
use crate::store::{self, Next};

/// How many hints may wait for a lane; more than that, and it looks at the table instead.
pub(super) const INBOX: usize = 64;
/// How many deliveries a lane keeps in memory.
const PAGE: usize = 64;
/// How long a lane without work stays, so that a burst does not start it anew for every event.
const LINGER: Duration = Duration::from_secs(5);

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
        loop {
            self.rest(&mut destination).await?;
            if destination.closed.is_some() {
                break;
            }
            if self.in_doubt.is_empty() && !self.has_work().await? {
                if self.wait().await {
                    continue;
                }
                break;
            }
            let Some(channel) = &self.context.channel else { break };
            let ready_in = channel.ready_in(&destination.sink);
            if !ready_in.is_zero() {
                self.context.clock.sleep(ready_in).await;
                continue;
            }
            let pass = channel.pass().await;
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

    /// Waits until the destination may be used again. Whoever opens it before that says so in the table, and the next
    /// sweep wakes its lane.
    async fn rest(&mut self, destination: &mut Destination) -> store::Result<()> {
        while destination.closed.is_none() && self.context.clock.now() < destination.not_before {
            tokio::select! {
                biased;
                () = self.context.clock.sleep_until(destination.not_before) => return Ok(()),
                () = self.wake.notified() => {}
            }
            self.take_hints();
            if let Some(found) = self.context.store.destination(self.id).await? {
                // Whose results count does not change by looking.
                *destination = Destination { epoch: destination.epoch, ..found };
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
        let message = plan(&self.context, delivery).await?;
        match self.context.store.begin(&message, destination.epoch).await {
            Ok(true) => self.send(destination, message, pass).await,
            // Somebody else took it in the meantime: the table is right.
            Ok(false) => Ok(()),
            Err(error) => {
                verdict::store_failing(&self.context.hub, &error);
                message.deliveries.into_iter().for_each(|delivery| self.queue_up(delivery));
                self.context.clock.sleep(verdict::STORE_AGAIN).await;
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
        let attempt = channel.send(&self.context, &destination.sink, &mut message, pass).await?;
        verdict::note_reachable(self.context.hub.conditions(), &attempt);
        let now = self.context.clock.now();
        let verdict = Verdict::of(destination, &message, &attempt, &mut self.failures, now);
        verdict.tell(destination, &message, &attempt, now);
        if !verdict.record(&self.context, destination, &message, &attempt).await {
            return Ok(());
        }
        message.attempts += 1;
        match verdict.next {
            Next::Again => {
                message.ambiguous_since.get_or_insert(attempt.started_at);
                self.in_doubt.push_front(message);
            }
            Next::Recomposed(plain) => self.in_doubt.push_front(*plain),
            Next::Withdrawn | Next::Superseded(_) => {
                message.deliveries.into_iter().for_each(|delivery| self.queue_up(delivery))
            }
            Next::Delivered(_) | Next::Dead(_) | Next::Parked(_) => {}
        }
        Ok(())
    }
}
