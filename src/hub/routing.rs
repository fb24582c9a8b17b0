//! Effective routing: the environment's map, overlaid with routes that operators set on Discord, with destinations
//! resolved.
//!
//! For one key, a route set on Discord wins over the environment: its author sees where it leads, and removing it
//! restores what the file contains. A change takes effect with the next event.

pub(super) mod delivery_plan;
pub(super) mod mute;
pub(super) mod reroute;
mod route;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::model::route::{CardStyle, Route, RouteKey, RouteMap, Target};
use crate::model::{
    Destination, DestinationId, Kind, Priority, Problem, ProblemCode, SetRoute, Sink, Snowflake,
};
use crate::store::{self, Planned, Store};

pub use reroute::{ReroutedTotal, Stranded};
pub use route::Before;

/// The environment's map, and the effective routes.
#[derive(Debug)]
pub struct Routing {
    environment: RwLock<Arc<Environment>>,
    now: RwLock<Arc<Routes>>,
    /// Serializes reloads: an earlier read must not overwrite a later one.
    loading: Mutex<()>,
    /// True if a change could not be loaded yet.
    is_stale: AtomicBool,
}

/// The environment's map.
#[derive(Debug, Default)]
struct Environment {
    map: RouteMap,
    /// The destinations of the map's channels.
    channels: HashMap<Target, DestinationId>,
}

/// The effective routes at one moment. Lookup is pure.
#[derive(Debug, Default)]
pub struct Routes {
    map: RouteMap,
    destinations: HashMap<Target, DestinationId>,
    /// Display names of the stored destinations in the environment's map.
    stored: HashMap<DestinationId, String>,
    set: Vec<SetRoute>,
}

impl Routing {
    /// Resolves the destinations of the map's channels, the stored ones, and the set routes. With `make` (a server),
    /// missing destinations of channels are created; a CLI command beside a server writes nothing.
    pub(super) async fn resolve(map: RouteMap, store: &Store, make: bool) -> store::Result<Self> {
        let environment = Environment::look_up(map, store, make).await?;
        let environment = RwLock::new(Arc::new(environment));
        let (now, loading, is_stale) = (RwLock::default(), Mutex::default(), AtomicBool::new(false));
        let routing = Self { environment, now, loading, is_stale };
        routing.load(store).await?;
        routing.now().dangling().iter().for_each(|sentence| tracing::warn!("{sentence}"));
        Ok(routing)
    }

    /// Replaces the environment's map. Returns whether it changed; if the database fails, the old map stays.
    pub(super) async fn replace(&self, map: RouteMap, store: &Store) -> store::Result<bool> {
        if self.environment().map == map {
            return Ok(false);
        }
        let environment = Arc::new(Environment::look_up(map, store, true).await?);
        let known = self.now().dangling();
        *self.environment.write().unwrap_or_else(PoisonError::into_inner) = environment;
        self.changed(store).await;
        let news = self.now().dangling().into_iter().filter(|sentence| !known.contains(sentence));
        news.for_each(|sentence| tracing::warn!("{sentence}"));
        Ok(true)
    }

    fn environment(&self) -> Arc<Environment> {
        Arc::clone(&self.environment.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reloads the set routes after a change. If that fails, the next reload follows within a second.
    pub(super) async fn changed(&self, store: &Store) {
        if let Err(error) = self.load(store).await {
            self.is_stale.store(true, Ordering::Release);
            tracing::warn!(%error, "the map could not be read after a change: nuncio tries again every second, and \
                                    the change takes effect then");
        }
    }

    /// Retries a failed reload, and notices removed stored destinations. Call it each second.
    pub(super) async fn tend(&self, store: &Store) -> store::Result<()> {
        let (before, is_stale) = (self.now(), self.is_stale.load(Ordering::Acquire));
        if !is_stale && self.stored_now(store).await? == before.stored {
            return Ok(());
        }
        self.load(store).await?;
        let known = before.dangling();
        let news = self.now().dangling().into_iter().filter(|sentence| !known.contains(sentence));
        news.for_each(|sentence| tracing::warn!("{sentence}"));
        Ok(())
    }

    /// The existing stored destinations of the environment's map, with their display names.
    async fn stored_now(&self, store: &Store) -> store::Result<HashMap<DestinationId, String>> {
        let mut stored = HashMap::new();
        for target in self.environment().map.routes().iter().flat_map(|route| &route.targets) {
            if let Target::Stored(id) = target
                && !stored.contains_key(id)
                && let Some(found) = store.destination(*id).await?
            {
                stored.insert(found.id, display_name(&found));
            }
        }
        Ok(stored)
    }

    /// Loads the set routes and the stored destinations.
    async fn load(&self, store: &Store) -> store::Result<()> {
        let _loading = self.loading.lock().await;
        self.is_stale.store(false, Ordering::Release);
        let (set, stored) = match (store.routes().await, self.stored_now(store).await) {
            (Ok(set), Ok(stored)) => (set, stored),
            (Err(error), _) | (_, Err(error)) => {
                self.is_stale.store(true, Ordering::Release);
                return Err(error);
            }
        };
        let environment = self.environment();
        let mut destinations = environment.channels.clone();
        destinations.extend(stored.keys().map(|id| (Target::Stored(*id), *id)));
        let mut over: Vec<Route> = Vec::new();
        for SetRoute { key, destination, sink, .. } in &set {
            let target = match sink {
                Sink::Channel(channel) => Target::Channel(*channel),
                Sink::DiscordWebhook(_) | Sink::XtSystems => Target::Stored(*destination),
            };
            destinations.insert(target, *destination);
            match over.iter_mut().find(|route| route.is_of(key)) {
                Some(route) => route.targets.push(target),
                None => over.push(Route {
                    key: key.to_string(),
                    pattern: key.pattern.clone(),
                    company: key.company.clone(),
                    targets: vec![target],
                    ping: Vec::new(),
                    cards: None,
                }),
            }
        }
        let routes = Routes { map: environment.map.overlaid(over), destinations, stored, set };
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(routes);
        Ok(())
    }

    /// The routes currently in effect.
    pub(super) fn now(&self) -> Arc<Routes> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The channels that the environment's map names.
    pub(super) fn environment_channels(&self) -> BTreeSet<Snowflake> {
        let environment = self.environment();
        let targets = environment.map.routes().iter().flat_map(|route| &route.targets);
        targets.filter_map(Target::channel).collect()
    }

    /// Whether the environment's map has an entry for `key`.
    pub(super) fn is_in_environment(&self, key: &RouteKey) -> bool {
        self.environment().map.routes().iter().any(|route| route.is_of(key))
    }
}

impl Environment {
    /// Resolves the destinations of the map's channels; creates missing ones if `make`.
    async fn look_up(map: RouteMap, store: &Store, make: bool) -> store::Result<Self> {
        let named =
            map.routes().iter().flat_map(|route| &route.targets).filter_map(Target::channel).collect();
        let found = match make {
            true => store.ensure_channel_destinations(&named).await?,
            false => store.channel_destinations(&named).await?,
        };
        let channels = found.into_iter().map(|(channel, id)| (Target::Channel(channel), id)).collect();
        Ok(Self { map, channels })
    }
}

impl Routes {
    /// The map, overlaid with the set routes.
    pub(super) fn map(&self) -> &RouteMap {
        &self.map
    }

    /// Every destination that the map leads to.
    pub(super) fn in_use(&self) -> HashSet<DestinationId> {
        let targets = self.map.routes().iter().flat_map(|route| &route.targets);
        targets.filter_map(|target| self.destinations.get(target).copied()).collect()
    }

    /// The routes that operators set, oldest first.
    pub(super) fn set(&self) -> &[SetRoute] {
        &self.set
    }

    /// Display name of a stored destination in the environment's map; `None` if it does not exist (any more).
    pub(super) fn stored(&self, id: DestinationId) -> Option<&str> {
        self.stored.get(&id).map(String::as_str)
    }

    /// Keys that name missing stored destinations, a sentence each.
    pub(super) fn dangling(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        for route in self.map.routes() {
            let (known, gone): (Vec<&Target>, Vec<&Target>) =
                route.targets.iter().partition(|target| self.destinations.contains_key(target));
            let gone: Vec<String> = gone.into_iter().map(ToString::to_string).collect();
            if gone.is_empty() {
                continue;
            }
            sentences.push(destination_missing(&route.key, &gone, !known.is_empty()).sentence());
        }
        sentences
    }

    /// The deliveries of priority `priority` for an event. `None` if no key matches, or if the matching one names only
    /// missing destinations: then the event waits for a route.
    pub(super) fn plan_for(&self, kind: &Kind, company: &str, priority: Priority) -> Option<Vec<Planned>> {
        self.along(self.map.find(kind, company)?, priority)
    }

    /// Whether no key names this kind: at most `default` or `*` matches it.
    pub(super) fn is_left_over(&self, kind: &Kind, company: &str) -> bool {
        let is_named = self.map.find(kind, company).is_some_and(|route| !route.is_catch_all());
        // In a map with catch-all keys only, every card is already where they lead.
        !is_named && self.map.routes().iter().any(|route| !route.is_catch_all())
    }

    /// Whether the map leads to a destination.
    pub(super) fn leads_to(&self, destination: DestinationId) -> bool {
        let mut targets = self.map.routes().iter().flat_map(|route| &route.targets);
        targets.any(|target| self.destinations.get(target) == Some(&destination))
    }

    /// Whether later events edit the cards of a route.
    pub(super) fn has_living_cards(&self, key: &str) -> bool {
        self.cards(key).unwrap_or(self.map.cards()) == CardStyle::Living
    }

    /// The deliveries along `default`; empty if the map has no such key.
    pub(super) fn default_plan(&self) -> Vec<Planned> {
        let route = self.map.fallback();
        route.and_then(|route| self.along(route, Priority::Normal)).unwrap_or_default()
    }

    /// Whether any key matches, whatever its targets.
    pub(super) fn is_matched(&self, kind: &Kind, company: &str) -> bool {
        self.map.find(kind, company).is_some()
    }

    /// `None` if none of the route's targets exists.
    fn along(&self, route: &Route, priority: Priority) -> Option<Vec<Planned>> {
        let mut plan: Vec<Planned> = Vec::with_capacity(route.targets.len());
        for destination_id in route.targets.iter().filter_map(|target| self.destinations.get(target).copied())
        {
            if plan.iter().all(|planned| planned.destination_id != destination_id) {
                plan.push(Planned { destination_id, priority, route: route.key.clone(), muted: None });
            }
        }
        (route.targets.is_empty() || !plan.is_empty()).then_some(plan)
    }

    /// The card mode of a route, if it sets one.
    pub(super) fn cards(&self, key: &str) -> Option<CardStyle> {
        self.map.routes().iter().find(|route| route.key == key)?.cards
    }

    /// The roles that every card of a route pings.
    pub(super) fn pings(&self, key: &str) -> &[Snowflake] {
        self.map.routes().iter().find(|route| route.key == key).map_or(&[], |route| &route.ping)
    }
}

/// For example "Acme alerts (…/webhooks/123/••••abcd)".
fn display_name(destination: &Destination) -> String {
    match destination.sink.shown_address() {
        Some(address) => format!("{} ({address})", destination.name),
        None => destination.name.clone(),
    }
}

/// The problem of a key of the map that names destinations which are not stored.
#[must_use]
pub fn destination_missing(key: &str, gone: &[String], goes_elsewhere: bool) -> Problem {
    let (meanwhile, remedy) = if goes_elsewhere {
        (
            "such events go only to the other channels",
            "Correct it in DISCORD_WEBHOOK_CHANNELS (nuncio discord-webhooks list shows what is stored), then `kill -HUP` \
             nuncio or restart it",
        )
    } else {
        (
            "such events are kept and not sent",
            "Name another channel in DISCORD_WEBHOOK_CHANNELS (nuncio discord-webhooks list shows what is stored), then \
             `kill -HUP` nuncio or restart it, then: nuncio redeliver --unrouted",
        )
    };
    let gone = gone.join(", ");
    let found = format!("the map names {gone} for {key}, but no such destination is stored: {meanwhile}");
    Problem::with_remedy(ProblemCode::DestinationMissing, found, remedy)
}
