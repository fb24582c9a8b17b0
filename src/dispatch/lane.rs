//! A lane: the one task of a destination, and what each lane does whatever it sends: it receives hints, holds while its
//! destination may not be used, waits for work, and finishes the messages in doubt before anything else.
//!
//! It knows neither Discord nor XTSystems. The destination's sink says what the lane sends: cards (`cards/lane.rs`) or
//! calls (`calls/platform.rs`). The supervisor chooses.
//!
//! Before a request is sent, its message and its deliveries are on disk as `sending`: after a crash exactly those are
//! in doubt.

pub(super) mod insist;
pub(super) mod pacing;
pub(super) mod restart;
mod wake;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::dispatch::lane::wake::{UrgentOnly, Wake};
use crate::dispatch::{Context, guard};
use crate::model::{Delivery, Destination, DestinationId, Message, Priority};
use crate::store;

/// Capacity of a lane's inbox. When it is full, the lane polls the table instead.
const INBOX: usize = 64;
/// How long an idle lane stays alive, so that a burst does not start a new lane for every event.
const LINGER: Duration = Duration::from_secs(5);

/// A running lane, as its supervisor holds it.
pub(super) struct LaneHandle {
    inbox: mpsc::Sender<Delivery>,
    wake: Wake,
}

impl LaneHandle {
    /// Passes a hint on, unless the lane needs none like it.
    pub(super) fn hint(&self, delivery: Delivery) {
        if delivery.priority > Priority::Urgent && self.wake.needs_urgent_only() {
            return;
        }
        if self.inbox.try_send(delivery).is_err() {
            self.request_poll();
        }
    }

    /// Makes the lane poll the table.
    pub(super) fn request_poll(&self) {
        self.wake.request_poll();
    }
}

/// Why a lane ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LaneEnd {
    /// There is nothing to do.
    Idle,
    /// Its sink has no token or key. That does not change before the next start.
    NeedsToken,
}

/// What woke an idle lane.
pub(super) enum WakeReason {
    /// A delivery.
    Hint(Box<Delivery>),
    /// The table may hold more than the hints.
    Poll,
}

pub(super) struct Lane {
    pub(super) context: Arc<Context>,
    pub(super) id: DestinationId,
    /// The messages in doubt, in the order in which they are finished.
    pub(super) in_doubt: VecDeque<Message>,
    /// How many consecutive times the lane of this destination crashed.
    pub(super) crashes: u32,
    inbox: mpsc::Receiver<Delivery>,
    wake: Wake,
}

impl Lane {
    /// A lane of the destination `id`, and the handle to reach it.
    pub(super) fn new(context: Arc<Context>, id: DestinationId, crashes: u32) -> (Self, LaneHandle) {
        let (sender, inbox) = mpsc::channel(INBOX);
        let wake = Wake::default();
        let handle = LaneHandle { inbox: sender, wake: wake.clone() };
        (Self { context, id, in_doubt: VecDeque::new(), crashes, inbox, wake }, handle)
    }

    /// The destination as it is in the table; `None` if it was removed.
    pub(super) async fn destination(&self) -> store::Result<Option<Destination>> {
        self.context.store.destination(self.id).await
    }

    /// Whether messages are sent to the destination now.
    pub(super) async fn is_enabled(&self) -> store::Result<bool> {
        self.context.store.is_enabled(self.id).await
    }

    /// Reads the destination again. Its epoch, which says whose results count, does not change by reading.
    pub(super) async fn read_again(&self, destination: &mut Destination) -> store::Result<()> {
        if let Some(found) = self.destination().await? {
            *destination = Destination { epoch: destination.epoch, ..found };
        }
        Ok(())
    }

    /// Finds what an earlier process, or this lane before it crashed, left in doubt.
    pub(super) async fn find_in_doubt(&mut self, destination: &Destination) -> store::Result<()> {
        self.in_doubt = guard::in_doubt(&self.context, destination).await?.into();
        Ok(())
    }

    /// Waits until the destination may be used, and returns true. Code that reopens it earlier records that in the
    /// table, and the next sweep wakes the lane: then the destination is read again, and this returns false.
    pub(super) async fn hold(&self, destination: &mut Destination) -> store::Result<bool> {
        let clock = &self.context.clock;
        if destination.closed.is_some() || destination.not_before <= clock.steady() {
            return Ok(true);
        }
        tokio::select! {
            biased;
            () = clock.sleep_until(destination.not_before) => return Ok(true),
            () = self.wake.notified() => {}
        }
        self.read_again(destination).await?;
        Ok(false)
    }

    /// Lets hints of ordinary priority be dropped until the guard is: see `Wake::urgent_only`.
    pub(super) fn urgent_only(&self) -> UrgentOnly {
        self.wake.urgent_only()
    }

    /// Whether the table may hold more than the hints. Resets the flag.
    pub(super) fn take_wake(&self) -> bool {
        self.wake.take()
    }

    /// The next hint that has arrived.
    pub(super) fn next_hint(&mut self) -> Option<Delivery> {
        self.inbox.try_recv().ok()
    }

    /// The next hint; `None` if none arrives until `until` of the clock's elapsed time.
    pub(super) async fn hint_until(&mut self, until: Duration) -> Option<Delivery> {
        tokio::select! {
            biased;
            Some(hint) = self.inbox.recv() => Some(hint),
            () = self.context.clock.sleep_until_elapsed(until) => None,
        }
    }

    /// Waits for work; `None` if there is none for a while.
    pub(super) async fn wait(&mut self) -> Option<WakeReason> {
        tokio::select! {
            biased;
            hint = self.inbox.recv() => hint.map(Box::new).map(WakeReason::Hint),
            () = self.wake.notified() => Some(WakeReason::Poll),
            () = self.context.clock.sleep(LINGER) => None,
        }
    }

    /// Whether something arrived that this lane has not seen.
    pub(super) fn has_unseen(&mut self) -> bool {
        self.next_hint().is_some() || self.take_wake()
    }
}
