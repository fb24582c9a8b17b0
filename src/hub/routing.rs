//! Where events go: the environment's map with what people set on Discord laid over it, its destinations looked up.
//!
//! For the same key, what people set goes before the environment: they see where it leads, and taking it back leaves
//! what the file says. A change counts from the next event on.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::model::route::{Cards, Key, Route, RouteMap, Target};
use crate::model::{Destination, DestinationId, Kind, Priority, Sink, Snowflake};
use crate::store::{self, Planned, SetRoute, Store};

/// The map, and what counts now.
#[derive(Debug)]
pub struct Routing {
    environment: RwLock<Arc<Environment>>,
    now: RwLock<Arc<Routes>>,
    /// Held while the table is read anew: the later change must not be overtaken by the earlier one.
    loading: Mutex<()>,
    /// Whether something was changed that could not be read since.
    is_stale: AtomicBool,
}

/// The environment's map.
#[derive(Debug, Default)]
struct Environment {
    map: RouteMap,
    /// The destinations of its channels.
    channels: HashMap<Target, DestinationId>,
}

/// Where everything goes, at one moment. Looking up is pure.
#[derive(Debug, Default)]
pub struct Routes {
    map: RouteMap,
    destinations: HashMap<Target, DestinationId>,
    /// What people call the stored destinations of the environment's map.
    stored: HashMap<DestinationId, String>,
    set: Vec<SetRoute>,
}

impl Routing {
    /// Looks up the destinations of every channel the map names, the stored ones, and what people set. Where a server
    /// may `make` them, missing destinations of channels are made; a command beside it writes nothing.
    pub(super) async fn resolve(map: RouteMap, store: &Store, make: bool) -> store::Result<Self> {
        let environment = Environment::look_up(map, store, make).await?;
        let environment = RwLock::new(Arc::new(environment));
        let (now, loading, is_stale) = (RwLock::default(), Mutex::default(), AtomicBool::new(false));
        let routing = Self { environment, now, loading, is_stale };
        routing.load(store).await?;
        routing.now().dangling().iter().for_each(|sentence| tracing::warn!("{sentence}"));
        Ok(routing)
    }

    /// Puts another map in place of the environment's. Answers whether it is another one; if the database fails, the old
    /// one goes on.
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

    /// Learns what people set, after it was changed. What the table does not tell now it tells within a second.
    pub(super) async fn changed(&self, store: &Store) {
        if let Err(error) = self.load(store).await {
            self.is_stale.store(true, Ordering::Release);
            tracing::warn!(%error, "the map could not be read after a change: nuncio tries again every second, and \
                                    the change takes effect then");
        }
    }

    /// Catches up with changes that could not be read, and with stored destinations that were removed. To be called each
    /// second.
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

    /// The stored destinations of the environment's map that are there, and what people call them.
    async fn stored_now(&self, store: &Store) -> store::Result<HashMap<DestinationId, String>> {
        let mut stored = HashMap::new();
        for target in self.environment().map.routes().iter().flat_map(|route| &route.targets) {
            if let Target::Stored(id) = target
                && !stored.contains_key(id)
                && let Some(found) = store.destination(*id).await?
            {
                stored.insert(found.id, called(&found));
            }
        }
        Ok(stored)
    }

    /// Learns what people set, and which stored destinations there are.
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
                _ => Target::Stored(*destination),
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

    /// Where everything goes now.
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
    pub(super) fn is_in_environment(&self, key: &Key) -> bool {
        self.environment().map.routes().iter().any(|route| route.is_of(key))
    }
}

impl Environment {
    /// With the destinations of its channels, which are made where they are missing and that is wanted.
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
    /// The map, with what people set.
    pub(super) fn map(&self) -> &RouteMap {
        &self.map
    }

    /// Every destination that the map leads to.
    pub(super) fn in_use(&self) -> HashSet<DestinationId> {
        let targets = self.map.routes().iter().flat_map(|route| &route.targets);
        targets.filter_map(|target| self.destinations.get(target).copied()).collect()
    }

    /// What people set, in the order they did.
    pub(super) fn set(&self) -> &[SetRoute] {
        &self.set
    }

    /// What people call a stored destination of the environment's map; `None` if it is not stored (any more).
    pub(super) fn stored(&self, id: DestinationId) -> Option<&str> {
        self.stored.get(&id).map(String::as_str)
    }

    /// The keys that name destinations which are not stored, a sentence each.
    pub(super) fn dangling(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        for route in self.map.routes() {
            let (known, gone): (Vec<&Target>, Vec<&Target>) =
                route.targets.iter().partition(|target| self.destinations.contains_key(target));
            let gone: Vec<String> = gone.into_iter().map(ToString::to_string).collect();
            if gone.is_empty() {
                continue;
            }
            let (key, gone) = (&route.key, gone.join(", "));
            let meanwhile = if known.is_empty() {
                "such events are kept and not sent. Name another channel in DISCORD_WEBHOOK_CHANNELS (nuncio \
                 discord-webhooks list shows what is stored), then `kill -HUP` nuncio or restart it, then: nuncio \
                 redeliver --unrouted"
            } else {
                "such events go only to the other channels. Correct it in DISCORD_WEBHOOK_CHANNELS (nuncio \
                 discord-webhooks list shows what is stored), then `kill -HUP` nuncio or restart it"
            };
            sentences.push(format!(
                "the map names {gone} for {key}, but no such destination is stored: {meanwhile}"
            ));
        }
        sentences
    }

    /// The deliveries of rank `rank` along the map's key for an event, or `None` if none matches it, or only one that names nothing which
    /// is there: then it waits to be routed.
    pub(super) fn plan_for(&self, kind: &Kind, company: &str, rank: Priority) -> Option<Vec<Planned>> {
        self.along(self.map.find(kind, company)?, rank)
    }

    /// Whether no key of the map names this kind: only `default` or `*` is left for it, or nothing.
    pub(super) fn is_left_over(&self, kind: &Kind, company: &str) -> bool {
        let is_named = self.map.find(kind, company).is_some_and(|route| !route.is_catch_all());
        // Where nothing else is named, every card is where these lead.
        !is_named && self.map.routes().iter().any(|route| !route.is_catch_all())
    }

    /// Whether the map leads to a destination.
    pub(super) fn leads_to(&self, destination: DestinationId) -> bool {
        let mut targets = self.map.routes().iter().flat_map(|route| &route.targets);
        targets.any(|target| self.destinations.get(target) == Some(&destination))
    }

    /// Whether later events change the cards behind a route.
    pub(super) fn has_living_cards(&self, key: &str) -> bool {
        self.cards(key).unwrap_or(self.map.cards()) == Cards::Living
    }

    /// The deliveries along `default`; none if the map has no such key.
    pub(super) fn default_plan(&self) -> Vec<Planned> {
        let route = self.map.fallback();
        route.and_then(|route| self.along(route, Priority::Normal)).unwrap_or_default()
    }

    /// Whether a key of the map matches, whatever it names.
    pub(super) fn is_matched(&self, kind: &Kind, company: &str) -> bool {
        self.map.find(kind, company).is_some()
    }

    /// `None` if there is none of what the route names.
    fn along(&self, route: &Route, rank: Priority) -> Option<Vec<Planned>> {
        let mut plan: Vec<Planned> = Vec::with_capacity(route.targets.len());
        for destination_id in route.targets.iter().filter_map(|target| self.destinations.get(target).copied())
        {
            if plan.iter().all(|planned| planned.destination_id != destination_id) {
                plan.push(Planned { destination_id, rank, route: route.key.clone(), muted: None });
            }
        }
        (route.targets.is_empty() || !plan.is_empty()).then_some(plan)
    }

    /// How many cards a route wants for the events about one thing, if it says so.
    pub(super) fn cards(&self, key: &str) -> Option<Cards> {
        self.map.routes().iter().find(|route| route.key == key)?.cards
    }

    /// The roles that every card of a route pings.
    pub(super) fn pings(&self, key: &str) -> &[Snowflake] {
        self.map.routes().iter().find(|route| route.key == key).map_or(&[], |route| &route.ping)
    }
}

/// "Acme alerts (…/webhooks/123/••••abcd)".
fn called(destination: &Destination) -> String {
    match &destination.sink {
        Sink::DiscordWebhook(mark) => format!("{} ({mark})", destination.name),
        Sink::Channel(_) | Sink::XtSystems => destination.name.clone(),
    }
}
