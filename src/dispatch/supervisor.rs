//! The lane supervisor: starts at most one lane for each destination, and only while it has work.
//!
//! A fault in one delivery does not end a lane (`guard.rs`). A lane that crashes anyway is restarted with a backoff
//! that grows each time; the others go on. Its in-flight messages may have arrived (`lane_restart.rs`).

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::dispatch::Context;
use crate::dispatch::lane::{Finished, INBOX, Lane};
use crate::dispatch::platform::PlatformLane;
use crate::dispatch::wake::Wake;
use crate::model::{Delivery, DestinationId, schedule};

pub(super) struct LaneSupervisor {
    context: Arc<Context>,
    stop: CancellationToken,
    running: HashMap<DestinationId, Handle>,
    broken: HashMap<DestinationId, Broken>,
    tasks: JoinSet<(DestinationId, Option<Finished>)>,
    /// Destinations that need a bot while there is no token. That does not change before the next start.
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

struct Handle {
    inbox: mpsc::Sender<Delivery>,
    wake: Wake,
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
            Some(lane) => {
                if lane.inbox.try_send(delivery).is_err() {
                    lane.wake.request_poll();
                }
            }
            None => self.start(id),
        }
    }

    /// Ensures that every destination with due deliveries has a lane that knows of them.
    pub(super) async fn sweep(&mut self) {
        match self.context.store.due_destinations(self.context.clock.steady()).await {
            Ok(due) => {
                for id in due {
                    match self.running.get(&id) {
                        Some(lane) => lane.wake.request_poll(),
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
        self.running.values().for_each(|lane| lane.wake.request_poll());
    }

    /// Waits for the next lane to finish; `None` at once if there is none.
    pub(super) async fn join_next(&mut self) -> Option<()> {
        // A lane's panic is caught and returned, and no lane is aborted.
        let Ok((destination, finished)) = self.tasks.join_next().await? else { return Some(()) };
        self.running.remove(&destination);
        self.context.hub.lanes_running(self.running.len());
        match finished {
            Some(Finished { mut inbox, wake, needs_token }) => {
                self.broken.remove(&destination);
                if needs_token {
                    self.without_token.insert(destination);
                }
                // A hint that arrived while the lane was closing would otherwise wait for the sweep.
                if inbox.try_recv().is_ok() || wake.take() {
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
        let platform = self.context.platform.clone().filter(|platform| platform.is_at(destination));
        if self.stop.is_cancelled() || self.without_token.contains(&destination) {
            return;
        }
        if self.broken.get(&destination).is_some_and(|broken| self.context.clock.elapsed() < broken.until) {
            return;
        }
        let breaks = self.broken.get(&destination).map_or(0, |broken| broken.times);
        let (inbox, received) = mpsc::channel(INBOX);
        let (wake, context) = (Wake::default(), Arc::clone(&self.context));
        match platform {
            Some(platform) => {
                let lane = PlatformLane::new(context, platform, received, wake.clone());
                self.spawn(destination, lane.run(self.stop.clone()));
            }
            None => {
                let lane = Lane::new(context, destination, received, wake.clone(), breaks);
                self.spawn(destination, lane.run(self.stop.clone()));
            }
        }
        self.running.insert(destination, Handle { inbox, wake });
        self.context.hub.lanes_running(self.running.len());
    }

    fn spawn(&mut self, destination: DestinationId, lane: impl Future<Output = Finished> + Send + 'static) {
        self.tasks.spawn(async move { (destination, AssertUnwindSafe(lane).catch_unwind().await.ok()) });
    }
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
