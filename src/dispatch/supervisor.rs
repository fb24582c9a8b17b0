//! The lane supervisor: starts at most one lane for each destination, and only while it has work.
//!
//! A fault in one delivery does not end a lane (`guard.rs`). A lane that crashes anyway is restarted with a backoff
//! that grows each time; the others go on. Its in-flight messages may have arrived (`lane_restart.rs`).

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::dispatch::Context;
use crate::dispatch::calls::platform::PlatformLane;
use crate::dispatch::cards::lane::CardLane;
use crate::dispatch::lane::{Lane, LaneEnd, LaneHandle};
use crate::model::{Delivery, DestinationId, Sink, schedule};

pub(super) struct LaneSupervisor {
    context: Arc<Context>,
    stop: CancellationToken,
    running: HashMap<DestinationId, LaneHandle>,
    broken: HashMap<DestinationId, Broken>,
    tasks: JoinSet<(DestinationId, Option<Finished>)>,
    /// Destinations whose sink has no token or key. That does not change before the next start.
    without_token: HashSet<DestinationId>,
}

/// The restart backoff of a lane that crashed and has not ended cleanly since.
#[derive(Clone, Copy, Debug, Default)]
struct Broken {
    times: u32,
    /// Not restarted before this value of the clock's elapsed time.
    until: Duration,
}

impl Broken {
    /// Records another crash and returns the backoff.
    fn record_crash(&mut self, now: Duration) -> Duration {
        self.times = self.times.saturating_add(1);
        let wait = schedule::backoff(self.times, 1.0);
        self.until = now + wait;
        wait
    }
}

/// What remains of a stopped lane: the hints that arrived while it was closing, among others.
struct Finished {
    lane: Lane,
    end: LaneEnd,
}

impl LaneSupervisor {
    pub(super) fn new(context: Arc<Context>, stop: CancellationToken) -> Self {
        let (running, broken, without_token) = (HashMap::new(), HashMap::new(), HashSet::new());
        Self { context, stop, running, broken, tasks: JoinSet::new(), without_token }
    }

    /// Sends a hint to its lane. A lane that just starts reads the table, so it needs no hint.
    pub(super) fn hint(&mut self, delivery: Delivery) {
        let id = delivery.destination_id;
        match self.running.get(&id) {
            Some(lane) => lane.hint(delivery),
            None => self.start(id),
        }
    }

    /// Ensures that every destination with due deliveries has a lane that knows of them.
    pub(super) async fn sweep(&mut self) {
        match self.context.store.due_destinations(self.context.clock.steady()).await {
            Ok(due) => {
                for id in due {
                    match self.running.get(&id) {
                        Some(lane) => lane.request_poll(),
                        None => self.start(id),
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, "the database cannot be read, so deliveries wait. nuncio tries \
                                                   again by itself")
            }
        }
    }

    /// Makes every lane poll the table because hints were lost.
    pub(super) fn wake_all(&self) {
        self.running.values().for_each(LaneHandle::request_poll);
    }

    /// Waits for the next lane to finish; `None` at once if there is none.
    pub(super) async fn join_next(&mut self) -> Option<()> {
        // A lane's panic is caught and returned, and no lane is aborted.
        let Ok((destination, finished)) = self.tasks.join_next().await? else { return Some(()) };
        self.running.remove(&destination);
        self.context.hub.lanes_running(self.running.len());
        match finished {
            Some(Finished { mut lane, end }) => {
                self.broken.remove(&destination);
                if end == LaneEnd::NeedsToken {
                    self.without_token.insert(destination);
                }
                // A hint that arrived while the lane was closing would otherwise wait for the sweep.
                if lane.has_unseen() {
                    self.start(destination);
                }
            }
            None => {
                let now = self.context.clock.elapsed();
                let wait = self.broken.entry(destination).or_default().record_crash(now);
                tracing::error!(
                    destination = %destination, again_in_s = wait.as_secs(),
                    "sending to a destination failed because nuncio panicked (stderr shows where). What waits for it \
                     is kept and tried again; other destinations go on. Please report this"
                );
            }
        }
        Some(())
    }

    /// Waits for all lanes to stop.
    pub(super) async fn join(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    fn start(&mut self, destination: DestinationId) {
        if self.stop.is_cancelled() || self.without_token.contains(&destination) {
            return;
        }
        if self.broken.get(&destination).is_some_and(|broken| self.context.clock.elapsed() < broken.until) {
            return;
        }
        let crashes = self.broken.get(&destination).map_or(0, |broken| broken.times);
        let (lane, handle) = Lane::new(Arc::clone(&self.context), destination, crashes);
        let run = AssertUnwindSafe(run(lane, self.stop.clone())).catch_unwind();
        self.tasks.spawn(async move { (destination, run.await.ok()) });
        self.running.insert(destination, handle);
        self.context.hub.lanes_running(self.running.len());
    }
}

/// Runs a lane until there is nothing to do, or until `stop`.
async fn run(mut lane: Lane, stop: CancellationToken) -> Finished {
    let end = tokio::select! {
        biased;
        () = stop.cancelled() => LaneEnd::Idle,
        end = work(&mut lane) => end,
    };
    Finished { lane, end }
}

/// The work of a lane: its destination's sink shows cards, or is called.
async fn work(lane: &mut Lane) -> LaneEnd {
    let (context, id) = (Arc::clone(&lane.context), lane.id);
    let worked = match lane.destination().await {
        Ok(None) => return LaneEnd::Idle,
        Ok(Some(destination)) => match (&destination.sink, context.sinks.platform()) {
            (Sink::Channel(_) | Sink::DiscordWebhook(_), _) => CardLane::new(lane).work(destination).await,
            (Sink::XtSystems, Some(platform)) => {
                let worked = PlatformLane::new(lane, platform).work(destination).await;
                return worked.unwrap_or_else(|error| {
                    tracing::error!(%error, "the database cannot be read, so calls to XTSystems wait. nuncio tries \
                                             again by itself");
                    LaneEnd::Idle
                });
            }
            (Sink::XtSystems, None) => Ok(LaneEnd::NeedsToken),
        },
        Err(error) => Err(error),
    };
    worked.unwrap_or_else(|error| {
        tracing::error!(%error, destination = %id, "the database cannot be read, so deliveries to this destination \
                                                    wait. nuncio tries again by itself");
        LaneEnd::Idle
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_that_breaks_again_and_again_is_left_alone_for_longer_each_time() {
        let mut broken = Broken::default();
        let mut now = Duration::ZERO;
        let mut waits = Vec::new();
        for _ in 0..12 {
            waits.push(broken.record_crash(now));
            now = broken.until;
        }
        assert!(waits.is_sorted() && waits[0] >= Duration::from_secs(1), "{waits:?}");
        assert_eq!(waits[11], Duration::from_secs(300));
    }
}
