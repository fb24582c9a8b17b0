//! The lanes that exist now: at most one for a destination, and only while it has work.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::dispatch::Context;
use crate::dispatch::lane::{Finished, INBOX, Lane, Wake};
use crate::dispatch::platform::PlatformLane;
use crate::model::{Delivery, DestinationId};

pub(super) struct Lanes {
    context: Arc<Context>,
    stop: CancellationToken,
    running: HashMap<DestinationId, Handle>,
    tasks: JoinSet<Finished>,
    /// Those that only a bot can send to, while there is no token. That does not change before the next start.
    without_token: HashSet<DestinationId>,
}

struct Handle {
    inbox: mpsc::Sender<Delivery>,
    wake: Wake,
}

impl Lanes {
    pub(super) fn new(context: Arc<Context>, stop: CancellationToken) -> Self {
        let (running, tasks, without_token) = (HashMap::new(), JoinSet::new(), HashSet::new());
        Self { context, stop, running, tasks, without_token }
    }

    /// Hands a hint to its lane. A lane that just starts looks at the table, so it needs no hint.
    pub(super) fn hint(&mut self, delivery: Delivery) {
        let id = delivery.destination_id;
        match self.running.get(&id) {
            Some(lane) => {
                if lane.inbox.try_send(delivery).is_err() {
                    lane.wake.look_at_the_table();
                }
            }
            None => self.start(id),
        }
    }

    /// Sees to it that every destination with due deliveries has a lane that knows of them.
    pub(super) async fn sweep(&mut self) {
        match self.context.store.due_destinations(self.context.clock.now()).await {
            Ok(due) => {
                for id in due {
                    match self.running.get(&id) {
                        Some(lane) => lane.wake.look_at_the_table(),
                        None => self.start(id),
                    }
                }
            }
            Err(error) => tracing::error!(%error, "the database cannot be read: what is due now waits"),
        }
    }

    /// Makes every lane look at the table: hints were lost.
    pub(super) fn wake_all(&self) {
        self.running.values().for_each(|lane| lane.wake.look_at_the_table());
    }

    /// Waits for the next lane to finish; `None` at once if there is none.
    pub(super) async fn reap(&mut self) -> Option<()> {
        let finished = self.tasks.join_next().await?;
        match finished {
            Ok(Finished { destination, mut inbox, wake, needs_token }) => {
                if needs_token {
                    self.without_token.insert(destination);
                }
                self.running.remove(&destination);
                self.context.hub.lanes_running(self.running.len());
                // What came in while the lane was closing would else wait for the sweep.
                if inbox.try_recv().is_ok() || wake.take() {
                    self.start(destination);
                }
            }
            Err(error) => {
                tracing::error!(%error, "a lane died; the next sweep starts it again");
                self.running.retain(|_, lane| !lane.inbox.is_closed());
                self.context.hub.lanes_running(self.running.len());
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
        let (inbox, received) = mpsc::channel(INBOX);
        let (wake, context) = (Wake::default(), Arc::clone(&self.context));
        match platform {
            Some(platform) => {
                let lane = PlatformLane::new(context, platform, received, wake.clone());
                self.tasks.spawn(lane.run(self.stop.clone()));
            }
            None => {
                let lane = Lane::new(context, destination, received, wake.clone());
                self.tasks.spawn(lane.run(self.stop.clone()));
            }
        }
        self.running.insert(destination, Handle { inbox, wake });
        self.context.hub.lanes_running(self.running.len());
    }
}
