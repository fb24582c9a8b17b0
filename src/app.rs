//! The composition root: builds and connects all parts of the process in one place. Tests boot it unchanged.

mod reload;
mod seal;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api::{self, ApiState};
use crate::bot::{Bot, CommandDeps};
use crate::clock::Clock;
use crate::config::{Config, XtSystemsConfig};
use crate::console::{self, ConsoleState};
use crate::discord::Access;
use crate::discord_webhooks::DiscordWebhooks;
use crate::dispatch::{Dispatcher, PlatformSink, SinkClients};
use crate::hub::{Hub, Rules, WebhookEndpoint};
use crate::ingress::Ingress;
use crate::ingress::probe::ProbeKey;
use crate::model::Sink;
use crate::store::{self, HintSender, Lock, Store};
use crate::xtsystems::{self, Registrar};

pub use reload::Reloader;
pub use seal::{any_key, unlock};

/// A nuncio that is ready to run: its database is open and locked, its listener bound.
pub struct App {
    listener: TcpListener,
    address: SocketAddr,
    /// The listener of `ADMIN_LISTEN`, with its routes.
    admin: Option<AdminListener>,
    ingress: Ingress,
    router: Router,
    hub: Hub,
    store: Store,
    dispatcher: Dispatcher,
    bot: Option<Bot>,
    retention: Duration,
    registrar: Registrar,
    has_token: bool,
    lock: Lock,
}

/// A listener for operators alone.
struct AdminListener {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

/// `ADMIN_LISTEN` names an address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "nuncio cannot listen on ADMIN_LISTEN ({address}): {error}. Name an address of this machine and a free port, or leave it \
     out: then the API is on the same port as the webhooks"
)]
pub struct CannotListen {
    address: SocketAddr,
    error: std::io::Error,
}

impl App {
    /// Builds all parts. The caller owns the socket, so that tests can bind port 0.
    ///
    /// # Errors
    /// [`store::Error`] if the database cannot be used; `Locked` if another process serves it.
    pub async fn build(config: Config, listener: TcpListener, clock: Clock) -> anyhow::Result<Self> {
        // Each process learns the proven time anew.
        let clock = clock.restarted();
        let address = listener.local_addr().context("the listener has no address")?;
        let path = &config.database.path;
        let lock = Lock::acquire(path, &clock).await?;
        let (hint_sender, hints) = HintSender::channel();
        let named = || format!("the database {}", path.display());
        let store = Store::open(path, clock.clone(), hint_sender).await.with_context(named)?;
        store.check().await.with_context(named)?;
        unlock(&store, &config.encryption).await?;
        let (has_token, needs_bot) = (config.discord.token.is_some(), config.needs_bot());
        let hub = Hub::new(store.clone(), clock.clone(), config.routes, config.pings).await?;
        hub.configured(config.fingerprint);
        hub.expect_bot(has_token, needs_bot);
        let admin_listen = config.api.admin_listen;
        hub.admit(config.api_key, config.api);
        store.take_over(&lock).await?;
        hub.trust_clock(config.discord.token.is_some()).await?;
        if let Some(token) = &config.discord.token
            && store.is_another("discord.token", token).await?
        {
            if store.try_channels_again().await? > 0 {
                tracing::info!(
                    "DISCORD_TOKEN has changed: channels that were closed, or where the bot could not write, are \
                     tried now"
                );
            }
            store.note_secret("discord.token", token).await?;
        }
        let access = Access::new(config.discord.base, config.discord.token, clock.clone());
        hub.serves(WebhookEndpoint { address, path: config.webhook.path.clone() });
        let platform = platform(&store, &config.xtsystems, &clock).await?;
        hub.decide_by(Rules {
            guilds: config.discord.guilds.clone(),
            approvers: config.decisions.approvers,
            operators: config.decisions.operators,
            grace: config.decisions.grace,
            expiry: config.decisions.expiry,
            platform: platform.as_ref().map(PlatformSink::destination),
            receives_clicks: access.client().is_some() && config.discord.gateway,
        });
        let client = xtsystems::XtSystemsClient::new(&config.xtsystems, clock.clone());
        let registrar =
            Registrar::new(client.clone(), config.webhook.url(address.port()), config.webhook.secret.clone());
        let errands = CommandDeps {
            platform: client,
            registrar: registrar.clone(),
            ticket_url: config.xtsystems.links.ticket.clone(),
        };
        let bot = access.client().filter(|_| config.discord.gateway).map(|client| {
            Bot::new(
                client.clone(),
                config.discord.guilds,
                errands,
                store.clone(),
                hub.clone(),
                clock.clone(),
            )
        });
        let webhooks =
            DiscordWebhooks::new(hub.clone(), store.clone(), access.transport().clone(), clock.clone());
        let console = ConsoleState::new(webhooks.clone(), clock.clone());
        let dispatcher = Dispatcher::new(
            store.clone(),
            hub.clone(),
            hints,
            SinkClients { discord: access, platform },
            config.xtsystems.links,
            config.composition,
            clock.clone(),
        );
        dispatcher.recall().await?;
        let encryption = any_key(&config.encryption)?;
        let ingress = Ingress::new(
            hub.clone(),
            config.webhook,
            config.rate_limit,
            config.trusted_proxies,
            registrar.clone(),
            clock,
        )
        .with_probe_key(ProbeKey::of(&encryption));
        let api = ApiState::new(webhooks, &encryption);
        let (mut router, admin_router) = (ingress.router(), ingress.admin_router().merge(api::router(api)));
        let admin_router = admin_router.merge(console::router(&console));
        let admin = match admin_listen {
            Some(address) => Some(AdminListener::bind(address, admin_router).await?),
            None => {
                router = router.merge(admin_router);
                None
            }
        };
        Ok(Self {
            listener,
            address,
            admin,
            ingress,
            router,
            hub,
            store,
            dispatcher,
            bot,
            retention: config.retention,
            registrar,
            has_token,
            lock,
        })
    }

    /// The listening address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The address where operators and the API are served: `ADMIN_LISTEN`, else the listening address.
    #[must_use]
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin.as_ref().map_or(self.address, |admin| admin.address)
    }

    /// The use cases of this process.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The open database.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns a handle that reloads the configuration while nuncio runs.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        Reloader {
            hub: self.hub.clone(),
            ingress: self.ingress.config_handle(),
            registrar: self.registrar.clone(),
            has_token: self.has_token,
        }
    }

    /// Runs until `stop`, then shuts down in order: refuses new connections and commands, finishes answers and leaves
    /// the gateway, stops sending, closes the database. That takes at most ten seconds. A database that fails for
    /// good ([`Store::failed`]) stops it, too.
    pub async fn run(self, stop: CancellationToken) {
        self.hub.report_stranded().await;
        let storage = tokio::spawn(watch(self.hub.clone(), self.store.clone(), stop.clone()));
        let tidying = tokio::spawn({
            let (hub, retention) = (self.hub.clone(), self.retention);
            async move { hub.keep_tidy(retention).await }
        });
        let watching = tokio::spawn({
            let hub = self.hub.clone();
            async move { hub.watch_clock().await }
        });
        // Whoever waits for outcomes is answered with what is known.
        let waiting = tokio::spawn({
            let (hub, stop) = (self.hub.clone(), stop.clone());
            async move {
                stop.cancelled().await;
                hub.stop_waiting();
            }
        });
        let sending = CancellationToken::new();
        let dispatcher = tokio::spawn(self.dispatcher.run(sending.clone()));
        let bot = self.bot.map(|bot| tokio::spawn(bot.run(stop.clone())));
        let admin = self.admin.map(|admin| (admin.listener, admin.router));
        self.ingress.serve(self.listener, self.router, admin, stop).await;
        if let Some(bot) = bot
            && let Err(error) = bot.await
        {
            tracing::error!(%error, "the bot stopped because nuncio panicked (stderr shows where). Commands and \
                                     buttons do not work until a restart. Please report this");
        }
        sending.cancel();
        if let Err(error) = dispatcher.await {
            tracing::error!(%error, "sending stopped because nuncio panicked (stderr shows where). Events are kept, \
                                     and sent after a restart. Please report this");
        }
        storage.abort();
        tidying.abort();
        watching.abort();
        waiting.abort();
        if let Err(error) = self.store.leave().await {
            tracing::debug!(%error, "the database still records this process as its server");
        }
        self.store.close().await;
        drop(self.lock);
    }
}

impl AdminListener {
    async fn bind(address: SocketAddr, router: Router) -> Result<Self, CannotListen> {
        let refused = |error| CannotListen { address, error };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address, router })
    }
}

/// The platform that receives decisions; `None` without a key.
async fn platform(
    store: &Store,
    config: &XtSystemsConfig,
    clock: &Clock,
) -> store::Result<Option<PlatformSink>> {
    let Some(client) = xtsystems::XtSystemsClient::new(config, clock.clone()) else { return Ok(None) };
    let destination = store.ensure_destination(Sink::XtSystems, "XTSystems", "environment").await?;
    if let Some(key) = &config.api_key
        && store.is_another("xtsystems.key", key).await?
    {
        let tried = store.try_calls_again(destination.id).await?;
        if tried > 0 {
            tracing::info!(
                "XTSYSTEMS_API_KEY has changed: {tried} waiting or held calls to XTSystems are made now"
            );
        }
        store.note_secret("xtsystems.key", key).await?;
    }
    Ok(Some(PlatformSink::new(client, destination.id)))
}

/// Keeps the database's condition current, and stops everything when the database fails for good.
async fn watch(hub: Hub, store: Store, stop: CancellationToken) {
    tokio::select! {
        () = hub.watch_storage() => {}
        error = store.failed() => {
            tracing::error!("{error}");
            hub.storage_failing(&error);
            stop.cancel();
        }
    }
}
