//! The application layer: nuncio's use cases, independent of HTTP and of Discord's types.
//!
//! A [`Hub`] is the only handle that the entry points hold. It routes events, stores them, and reports health; it
//! never sends anything itself.

mod audit;
mod authorize;
mod console;
mod decisions;
mod dispatch;
mod error;
mod events;
mod guilds;
mod health;
mod idempotency;
mod keys;
mod refusal;
mod reload;
mod routing;
mod rules;
mod webhooks;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use tokio::sync::watch;

use crate::clock::Clock;
use crate::model::ping::Pings;
use crate::model::route::{CardStyle, RouteMap};
use crate::model::{Event, Mint, Mute, MuteId, Snowflake, Source};
use crate::store::{self, Store};

pub use crate::model::{
    AddressCount, Finding, Findings, GatewayState, Overview, Person, Problem, ProblemCode, SystemStatus,
    WebhookEndpoint,
};

pub use decisions::{Click, ClickOrigin, ClickOutcome, Details};
pub use error::{Conflict, Error, Result};
pub use events::{Hop, Notice, Redelivered, Tidied, Trace, UnknownKind, follow_up, known_kinds, nearest};
pub use guilds::{
    ChannelInfo, ChannelObstacle, Channels, Entrypoint, GuildRole, Guilds, invite_link, judge_servers,
    unknown_channel,
};
pub use health::{
    Condition, Conditions, Health, IngressReport, TOKEN_SHARED, clock_off, destination_trouble,
    interactions_elsewhere, unrouted,
};
pub use idempotency::InFlight;
pub use keys::{KEY_OVERLAP, LONGEST_KEY_OVERLAP};
pub use refusal::Refusal;
pub use routing::{Before, ReroutedTotal, Routes, Routing, Stranded, destination_missing};
pub use rules::Rules;
pub use webhooks::{VisibleWebhook, lost_webhook, replace_webhook, webhook_faults};

/// The use cases of one running nuncio. Clones share one state.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Clock,
    routing: Routing,
    keys: keys::KeyUse,
    in_flight: idempotency::RequestsInFlight,
    live: reload::Live,
    conditions: Conditions,
    time: health::time::Time,
    /// The active mutes, as last read from the table.
    mutes: RwLock<Vec<Mute>>,
    /// Serializes reloads of `mutes`: an earlier read must not overwrite a later one.
    loading_mutes: tokio::sync::Mutex<()>,
    /// Mints the ids of nuncio's own events.
    mint: Mint,
    findings: health::finding::FindingCounters,
    metrics: health::metrics::Metrics,
    refused_source: health::refused_source::RefusedSource,
    /// Names of customers by source and id.
    names: RwLock<HashMap<(Source, String), String>>,
    /// Ended mutes whose summary could not be stored yet.
    unsummed: Mutex<HashSet<MuteId>>,
    /// Kinds whose first unrouted event has been warned about.
    warned: Mutex<HashSet<String>>,
    /// Incremented whenever an outcome of a delivery is recorded.
    progress: watch::Sender<u64>,
    /// True once nuncio shuts down: nobody waits for outcomes any more.
    stopping: watch::Sender<bool>,
    gateway: watch::Sender<GatewayState>,
    /// The map's channels, once the gateway has reported them.
    places: watch::Sender<Channels>,
    /// The bot's guilds, and which of them are the operator's.
    known_guilds: guilds::access::KnownGuilds,
    endpoint: OnceLock<WebhookEndpoint>,
}

impl Hub {
    /// Builds a hub over `store`. Every channel that `map` names becomes a destination.
    pub async fn new(store: Store, clock: Clock, map: RouteMap, pings: Pings) -> store::Result<Self> {
        let routing = Routing::resolve(map, &store, true).await?;
        Self::with(store, clock, routing, pings).await
    }

    /// Builds a hub for a CLI command that runs beside a server: it writes nothing by itself.
    pub async fn beside_server(
        store: Store,
        clock: Clock,
        map: RouteMap,
        pings: Pings,
    ) -> store::Result<Self> {
        let routing = Routing::resolve(map, &store, false).await?;
        Self::with(store, clock, routing, pings).await
    }

    async fn with(store: Store, clock: Clock, routing: Routing, pings: Pings) -> store::Result<Self> {
        let names = store.company_names().await?;
        Ok(Self(Arc::new(Inner {
            routing,
            keys: keys::KeyUse::default(),
            in_flight: idempotency::RequestsInFlight::default(),
            live: reload::Live::new(pings),
            clock,
            conditions: Conditions::default(),
            time: health::time::Time::default(),
            mutes: RwLock::new(store.mutes().await?),
            loading_mutes: tokio::sync::Mutex::default(),
            mint: Mint::new(),
            findings: health::finding::FindingCounters::default(),
            metrics: health::metrics::Metrics::default(),
            refused_source: health::refused_source::RefusedSource::load(&store).await?,
            names: RwLock::new(names.into_iter().map(|(source, id, name)| ((source, id), name)).collect()),
            unsummed: Mutex::default(),
            warned: Mutex::default(),
            progress: watch::Sender::new(0),
            stopping: watch::Sender::new(false),
            gateway: watch::Sender::new(GatewayState::default()),
            places: watch::Sender::default(),
            known_guilds: guilds::access::KnownGuilds::default(),
            endpoint: OnceLock::new(),
            store,
        })))
    }

    /// Current health conditions.
    #[must_use]
    pub fn conditions(&self) -> &Conditions {
        &self.0.conditions
    }

    /// The name of an event's customer, as learned from this or an earlier event.
    #[must_use]
    pub fn company_name(&self, event: &Event) -> Option<String> {
        self.name_of(event.source, &event.company)
    }

    /// The name of a source's customer, as learned from an event.
    #[must_use]
    pub fn name_of(&self, source: Source, company: &str) -> Option<String> {
        let names = self.0.names.read().unwrap_or_else(PoisonError::into_inner);
        names.get(&(source, company.to_owned())).cloned()
    }

    /// The roles that a card of `event` pings along `route`, without duplicates.
    #[must_use]
    pub fn pings(&self, event: &Event, route: &str) -> Vec<Snowflake> {
        if event.is_sample() {
            return Vec::new();
        }
        let mut roles = self.0.live.pings().roles(&event.kind, event.severity());
        for role in self.0.routing.now().pings(route) {
            if !roles.contains(role) {
                roles.push(*role);
            }
        }
        roles
    }

    /// The card mode of `route`, if the map sets one.
    #[must_use]
    pub fn cards(&self, route: &str) -> Option<CardStyle> {
        self.0.routing.now().cards(route)
    }

    /// Signals that an outcome of a delivery was recorded.
    pub fn progressed(&self) {
        self.0.progress.send_modify(|count| *count += 1);
    }

    /// Waits until no delivery is pending or in flight. Closed destinations and a missing token keep deliveries
    /// pending forever; then this never returns.
    pub async fn settled(&self) -> store::Result<()> {
        let mut progress = self.0.progress.subscribe();
        loop {
            progress.mark_unchanged();
            let backlog = self.0.store.backlog().await?;
            if backlog.pending + backlog.sending == 0 {
                return Ok(());
            }
            if progress.changed().await.is_err() {
                return Err(store::Error::Closed);
            }
        }
    }
}
