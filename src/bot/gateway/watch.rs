//! The gateway watcher of one connection: tracks the bot's guilds and the connection's health.
//!
//! Serenity handles every event in a task of its own: code here may rely on no order except that READY comes first.

mod events;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serenity::all::{ConnectionStage, Context, EventHandler, Ready, ShardManager, ShardStageUpdateEvent};
use serenity::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::bot::gateway::interaction_sink::InteractionSink;
use crate::bot::guild::Channel;
use crate::bot::guild_cache::GuildCache;
use crate::bot::identify::APART;
use crate::bot::{Shared, lose};
use crate::hub::{Condition, GatewayState};

/// How long guilds may take to arrive after READY before the route map is checked without them.
const ARRIVAL: Duration = Duration::from_secs(10);
/// Interval of the connection check.
const LOOK: Duration = Duration::from_secs(1);
/// Checks without a connection before operators are warned. Most connections are back before that.
const TELL: u32 = 5;
/// Checks during which a connection may hang while connecting. (Serenity, when resuming fails at once, neither
/// continues nor gives up.)
const HANGING: u32 = 15;
/// Checks without a connection before the gateway's URL is fetched again.
const ASK_AGAIN: u32 = 30;

/// The watcher of one connection. Clones share it.
#[derive(Clone)]
pub(super) struct Watch(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    /// Cancelled when this connection is abandoned: later events on it are ignored.
    closed: CancellationToken,
    endings: mpsc::UnboundedSender<String>,
    guilds: GuildCache,
    logins: AtomicU32,
    /// The sink for interactions that serenity cannot parse.
    hearing: OnceLock<Box<dyn InteractionSink>>,
    was_connected: AtomicBool,
    /// READY was parsed here, and the shard runner, whose serenity could not parse it, does not know yet.
    receives_clicks: AtomicBool,
}

impl Watch {
    /// Creates a watcher, and the receiver of reasons why the connection must end.
    pub(super) fn new(
        shared: Arc<Shared>,
        guilds: GuildCache,
        closed: CancellationToken,
    ) -> (Self, mpsc::UnboundedReceiver<String>) {
        let (endings, ended) = mpsc::unbounded_channel();
        let inner = Inner {
            shared,
            closed,
            endings,
            guilds,
            logins: AtomicU32::new(0),
            hearing: OnceLock::new(),
            was_connected: AtomicBool::new(false),
            receives_clicks: AtomicBool::new(false),
        };
        (Self(Arc::new(inner)), ended)
    }

    /// Sets the sink for interactions that serenity cannot parse.
    pub(super) fn heard_by(&self, hearing: impl InteractionSink + 'static) {
        let _ = self.0.hearing.set(Box::new(hearing));
    }

    /// Whether this connection was ever established.
    pub(super) fn was_connected(&self) -> bool {
        self.0.was_connected.load(Ordering::Acquire)
    }

    /// Keeps the information about the route map's channels current. Never returns.
    pub(super) async fn draw(&self) {
        let (hub, clock, guilds) = (&self.0.shared.hub, &self.0.shared.clock, &self.0.guilds);
        let mut drawn = None;
        let mut patience = None;
        let mut maps = hub.map_changes();
        loop {
            let (is_ready, all_arrived) = guilds.progress();
            if is_ready {
                hub.set_guilds(guilds.guilds(&hub.mapped_channels()));
            }
            let now = clock.elapsed();
            if is_ready && patience.is_none() {
                patience = Some(now + ARRIVAL);
            }
            let is_late = patience.is_some_and(|until| now >= until);
            if is_ready && (all_arrived || is_late) {
                self.ask_for_unlisted().await;
                let places = guilds.places(hub.channels());
                if drawn.as_ref() != Some(&places) {
                    hub.set_channels(places.clone()).await;
                    drawn = Some(places);
                }
                tokio::select! {
                    () = guilds.changed() => {}
                    // The hub outlives its watchers.
                    _ = maps.changed() => {}
                }
            } else if let Some(until) = patience {
                tokio::select! {
                    () = guilds.changed() => {}
                    () = clock.sleep_until_elapsed(until) => {}
                }
            } else {
                guilds.changed().await;
            }
        }
    }

    /// Fetches those of the route map's channels that no guild listed, each once per connection: no list contains
    /// archived threads.
    async fn ask_for_unlisted(&self) {
        let unlisted = self.0.guilds.take_unlisted(self.0.shared.hub.channels());
        let client = &self.0.shared.client;
        for id in unlisted {
            let permit = client.circuit_breaker().acquire().await;
            let Ok(found) = client.channel(permit, id).await else { continue };
            let Some(guild) = found.guild_id else { continue };
            self.0.guilds.put_channel(guild, id, Channel::found(&found));
        }
    }

    /// Monitors the connection: serenity does not report every way to lose one. Warns if it does not come back soon,
    /// fetches the gateway's URL again, and ends a connection that hangs. Never returns.
    pub(super) async fn guard(&self, manager: &ShardManager, gateway: &tokio::sync::Mutex<String>) {
        let shared = &self.0.shared;
        let (mut hanging, mut offline) = (0, 0);
        loop {
            shared.clock.sleep(LOOK).await;
            shared.rival.settle(&shared.hub);
            let stage = self.stage(manager).await;
            if stage == Some(ConnectionStage::Connected) {
                (hanging, offline) = (0, 0);
                if self.was_connected() {
                    self.connected();
                }
                continue;
            }
            self.disconnected();
            offline += 1;
            if offline == TELL {
                lose(shared, "The bot has no connection to Discord's gateway");
            }
            let is_hanging = matches!(
                stage,
                Some(ConnectionStage::Connecting | ConnectionStage::Resuming | ConnectionStage::Identifying)
            );
            hanging = if is_hanging { hanging + 1 } else { 0 };
            if hanging >= HANGING {
                self.end("it stopped responding");
            }
            if offline % ASK_AGAIN == 0
                && let Ok(found) = shared.client.gateway().await
                && shared.client.base().may_lead_to(&found.url)
            {
                *gateway.lock().await = found.url;
            }
        }
    }

    /// The connection's stage. If READY was parsed here, the runner's stage is set to connected.
    async fn stage(&self, manager: &ShardManager) -> Option<ConnectionStage> {
        let mut runners = manager.runners.lock().await;
        let runner = runners.values_mut().next()?;
        if self.0.receives_clicks.swap(false, Ordering::AcqRel) {
            runner.stage = ConnectionStage::Connected;
        }
        Some(runner.stage)
    }

    fn end(&self, why: &str) {
        // The receiver may be gone already.
        let _ = self.0.endings.send(why.to_owned());
    }

    fn connected(&self) {
        let shared = &self.0.shared;
        self.0.was_connected.store(true, Ordering::Release);
        if !matches!(shared.hub.gateway(), GatewayState::Connected { .. }) {
            shared.hub.set_gateway(GatewayState::Connected { since: shared.clock.now() });
        }
        if shared.hub.conditions().clear(Condition::GatewayDown) {
            tracing::info!("the bot is online again");
        }
    }

    fn disconnected(&self) {
        let shared = &self.0.shared;
        if matches!(shared.hub.gateway(), GatewayState::Connected { .. }) {
            shared.hub.set_gateway(GatewayState::Lost { since: shared.clock.now() });
        }
    }

    fn ready(&self, ready: &Ready) {
        let announced = ready.guilds.iter().map(|guild| guild.id.get()).collect();
        self.0.guilds.begin(ready.user.id.get(), ready.application.id.get(), announced);
        self.connected();
        tracing::info!(bot.id = %ready.user.id, guilds = ready.guilds.len(), "the bot {} is online", ready.user.name);
    }

    /// Counts a login; ends the connection if the next one would have to wait.
    async fn logged_in(&self) {
        // The first login was recorded before it was made.
        if self.0.logins.fetch_add(1, Ordering::AcqRel) > 0 {
            let ledger = &self.0.shared.ledger;
            ledger.record().await;
            if ledger.wait().await.0 > APART {
                self.end("Discord makes it log in repeatedly");
            }
        }
    }
}

#[async_trait]
impl EventHandler for Watch {
    async fn shard_stage_update(&self, _: Context, update: ShardStageUpdateEvent) {
        if self.0.closed.is_cancelled() {
            return;
        }
        if update.new != ConnectionStage::Connected {
            self.disconnected();
        }
        if update.new == ConnectionStage::Identifying {
            self.logged_in().await;
        }
    }
}
