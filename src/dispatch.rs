//! The dispatcher: turns deliveries into messages, with one lane for every destination that has work.
//!
//! The table carries the facts; a hint only says where to look, with the event attached. The dispatcher starts lanes,
//! passes hints to them, and polls the table each second for deliveries that no lane holds. A lane never knows more
//! than the table does, so it may be dropped at any moment.

mod calls;
mod cards;
mod dry_run;
mod guard;
mod lane;
mod lost;
mod pause_reporter;
mod probe;
mod recovery;
mod sink;
mod supervisor;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, SteadyTime};
use crate::config::Composition;
use crate::discord::Access;
pub use crate::dispatch::calls::platform::PlatformSink;
use crate::dispatch::calls::platform_probe;
pub use crate::dispatch::dry_run::DryRun;
pub use crate::dispatch::pause_reporter::recall as recall_pauses;
use crate::dispatch::recovery::Recovery;
use crate::dispatch::sink::Sinks;
use crate::dispatch::supervisor::LaneSupervisor;
use crate::hub::Hub;
use crate::model::Links;
use crate::outgoing::load_certificates;
use crate::store::{self, HintReceiver, Store};

/// How many hints are passed on at a time.
const HINTS: usize = 64;
/// Interval between two polls of the table for deliveries that no lane holds.
const SWEEP: Duration = Duration::from_secs(1);

/// Dependencies of a lane. Shared by all lanes.
pub(crate) struct Context {
    store: Store,
    hub: Hub,
    clock: Clock,
    composition: Composition,
    /// When this process started to send.
    started: SteadyTime,
    links: Links,
    sinks: Sinks,
    recovery: Recovery,
}

/// What deliveries are sent through.
pub struct SinkClients {
    /// Discord.
    pub discord: Access,
    /// The platform that receives decisions; `None` without a key.
    pub platform: Option<PlatformSink>,
}

/// Sends due deliveries until it is stopped.
pub struct Dispatcher {
    context: Arc<Context>,
    hints: HintReceiver,
    access: Access,
}

impl Dispatcher {
    /// Creates a dispatcher over `store`. If `clients` have no Discord token, all deliveries to channels stay pending.
    #[must_use]
    pub fn new(
        store: Store,
        hub: Hub,
        hints: HintReceiver,
        clients: SinkClients,
        links: Links,
        composition: Composition,
        clock: Clock,
    ) -> Self {
        let SinkClients { discord: access, platform } = clients;
        let sinks = Sinks::new(&access, platform);
        let recovery = Recovery::new(access.transport().circuit_breaker().successes());
        let started = clock.steady();
        Self {
            context: Arc::new(Context { store, hub, clock, composition, started, links, sinks, recovery }),
            hints,
            access,
        }
    }

    /// Restores the pauses that an earlier process recorded. Call it before the first request to Discord.
    pub async fn recall(&self) -> store::Result<()> {
        pause_reporter::recall(
            &self.context.store,
            &self.context.clock,
            self.access.transport().circuit_breaker(),
        )
        .await
    }

    /// Runs until `stop`. Requests in flight are then abandoned; their messages stay `sending`, and the next start
    /// resolves what became of them.
    pub async fn run(mut self, stop: CancellationToken) {
        load_certificates().await;
        let mut lanes = LaneSupervisor::new(Arc::clone(&self.context), stop.clone());
        let mut background = JoinSet::new();
        background.spawn(recovery::follow(Arc::clone(&self.context)));
        background.spawn(pause_reporter::follow(
            Arc::clone(&self.context),
            self.access.transport().circuit_breaker().clone(),
        ));
        if let Some(platform) = self.context.sinks.platform() {
            let client = platform.client().clone();
            background.spawn(platform_probe::watch(client, Arc::clone(&self.context)));
        }
        background
            .spawn(lost::name_lost_webhooks(self.access.transport().clone(), Arc::clone(&self.context)));
        if let Some(client) = self.access.client() {
            background.spawn(probe::introduce(client.clone(), Arc::clone(&self.context)));
            background.spawn(probe::look_for_closed(client.clone(), Arc::clone(&self.context)));
            background.spawn(probe::ask_the_time(client.clone(), Arc::clone(&self.context)));
        }
        let mut mutes_unread = false;
        let mut next_sweep = self.context.clock.elapsed();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(()) = lanes.join_next() => {}
                () = self.context.clock.sleep_until_elapsed(next_sweep) => {
                    if self.hints.take_lost() {
                        lanes.wake_all();
                    }
                    self.expire().await;
                    lanes.sweep().await;
                    match self.context.hub.tend_mutes().await {
                        Ok(()) => mutes_unread = false,
                        Err(error) if mutes_unread => tracing::debug!(%error, "the mutes still cannot be read"),
                        Err(error) => {
                            mutes_unread = true;
                            tracing::warn!(%error, "the mutes could not be read: nuncio tries again every second");
                        }
                    }
                    if let Err(error) = self.context.hub.tend_routes().await {
                        tracing::debug!(%error, "a change of the map takes effect a second later");
                    }
                    if let Err(error) = self.context.hub.report_refused_source().await {
                        tracing::debug!(%error, "the card about a refused source comes a second later");
                    }
                    if let Err(error) = self.context.hub.cancel_removed().await {
                        tracing::debug!(%error, "deliveries for removed destinations are cancelled a second later");
                    }
                    next_sweep = self.context.clock.elapsed() + SWEEP;
                }
                hint = self.hints.recv() => match hint {
                    Some(delivery) => {
                        lanes.hint(delivery);
                        // Each turn of the loop sets up all of the waiting above: under load that costs more than the
                        // hint itself. Only so many, so that the sweep has its turn.
                        for _ in 0..HINTS {
                            let Some(delivery) = self.hints.next() else { break };
                            lanes.hint(delivery);
                        }
                    }
                    None => break,
                },
            }
        }
        lanes.join().await;
        background.shutdown().await;
    }

    /// Closes decisions whose time limit has passed without an answer.
    async fn expire(&self) {
        if let Err(error) = self.context.hub.expire_decisions().await {
            tracing::debug!(%error, "decisions that expired are closed a second later");
        }
    }
}
