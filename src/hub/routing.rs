//! Where events go: the environment's map with what people set on Discord laid over it, its destinations looked up.
//!
//! For the same key, what people set goes before the environment: they see where it leads, and taking it back leaves
//! what the file says. A change counts from the next event on.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::model::route::{Cards, Key, Route, RouteMap, Target};
use crate::model::{Destination, DestinationId, Kind, NewEvent, Rank, Severity, Sink, Snowflake, Source};
use crate::store::{self, Planned, SetRoute, Store};

/// The map, and what counts now.
#[derive(Debug)]
pub struct Routing {
    environment: RouteMap,
    /// The destinations of the environment's map.
    known: HashMap<Target, DestinationId>,
    /// What people call the stored ones of them.
    stored: HashMap<DestinationId, String>,
    now: RwLock<Arc<Routes>>,
    /// Held while the table is read anew: the later change must not be overtaken by the earlier one.
    loading: Mutex<()>,
}

/// Where everything goes, at one moment. Looking up is pure.
#[derive(Debug, Default)]
pub struct Routes {
    map: RouteMap,
    destinations: HashMap<Target, DestinationId>,
    set: Vec<SetRoute>,
}

impl Routing {
    /// Makes a destination of every channel the map names, and looks up the stored ones and what people set.
    pub(super) async fn resolve(map: RouteMap, store: &Store) -> store::Result<Self> {
        let (mut known, mut stored) = (HashMap::new(), HashMap::new());
        for target in map.routes().iter().flat_map(|route| &route.targets) {
            if known.contains_key(target) {
                continue;
            }
            let found = match target {
                Target::Channel(channel) => {
                    let name = format!("channel {channel}");
                    Some(store.ensure_destination(Sink::Channel(*channel), &name, "environment").await?)
                }
                Target::Stored(id) => store.destination(*id).await?,
            };
            match found {
                Some(destination) => {
                    stored.extend(called(&destination).map(|name| (destination.id, name)));
                    known.insert(*target, destination.id);
                }
                None => tracing::warn!(
                    "the map names {target}, but no such destination is stored: nothing goes there"
                ),
            }
        }
        let (now, loading) = (RwLock::default(), Mutex::default());
        let routing = Self { environment: map, known, stored, now, loading };
        routing.load(store).await?;
        Ok(routing)
    }

    /// Learns what people set.
    pub(super) async fn load(&self, store: &Store) -> store::Result<()> {
        let _loading = self.loading.lock().await;
        let set = store.routes().await?;
        let mut destinations = self.known.clone();
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
        let routes = Routes { map: self.environment.overlaid(over), destinations, set };
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(routes);
        Ok(())
    }

    /// Where everything goes now.
    pub(super) fn now(&self) -> Arc<Routes> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What people call a stored destination of the environment's map, as far as it was there at the start.
    pub(super) fn stored(&self, id: DestinationId) -> Option<&str> {
        self.stored.get(&id).map(String::as_str)
    }

    /// Whether the environment's map has an entry for `key`.
    pub(super) fn is_in_environment(&self, key: &Key) -> bool {
        self.environment.routes().iter().any(|route| route.is_of(key))
    }
}

impl Routes {
    /// The map, with what people set.
    pub(super) fn map(&self) -> &RouteMap {
        &self.map
    }

    /// What people set, in the order they did.
    pub(super) fn set(&self) -> &[SetRoute] {
        &self.set
    }

    /// The deliveries an event is due, or `None` if no key of the map matches it. Events of our own are addressed by
    /// whoever makes them, never by the map.
    pub(super) fn plan(&self, event: &NewEvent) -> Option<Vec<Planned>> {
        if event.source == Source::Nuncio {
            return Some(Vec::new());
        }
        self.plan_for(&event.kind, &event.company, crate::model::severity_of(&event.data))
    }

    /// As `plan`, for an event of which only this is known.
    pub(super) fn plan_for(
        &self,
        kind: &Kind,
        company: &str,
        severity: Option<Severity>,
    ) -> Option<Vec<Planned>> {
        let route = self.map.find(kind, company)?;
        Some(self.along(route, rank(kind, severity)))
    }

    /// The deliveries along `default`; none if the map has no such key.
    pub(super) fn default_plan(&self) -> Vec<Planned> {
        let route = self.map.fallback();
        route.map(|route| self.along(route, Rank::Normal)).unwrap_or_default()
    }

    fn along(&self, route: &Route, rank: Rank) -> Vec<Planned> {
        let mut plan: Vec<Planned> = Vec::with_capacity(route.targets.len());
        for destination_id in route.targets.iter().filter_map(|target| self.destinations.get(target).copied())
        {
            if plan.iter().all(|planned| planned.destination_id != destination_id) {
                plan.push(Planned { destination_id, rank, route: route.key.clone(), muted: None });
            }
        }
        plan
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
fn called(destination: &Destination) -> Option<String> {
    match &destination.sink {
        Sink::DiscordWebhook(mark) => Some(format!("{} ({mark})", destination.name)),
        Sink::Channel(_) | Sink::XtSystems => None,
    }
}

/// Decisions and urgent alerts overtake.
fn rank(kind: &Kind, severity: Option<Severity>) -> Rank {
    match &*kind.canonical() {
        "machine.registered" => Rank::Urgent,
        "alert.triggered" if severity >= Some(Severity::Error) => Rank::Urgent,
        _ => Rank::Normal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("machine.registered", None, Rank::Urgent)]
    #[case("alert.triggered", Some(Severity::Critical), Rank::Urgent)]
    #[case("alert.triggered", Some(Severity::Warning), Rank::Normal)]
    #[case("alert.triggered", None, Rank::Normal)]
    #[case("ticket.created", Some(Severity::Critical), Rank::Normal)]
    fn decisions_and_urgent_alerts_overtake(
        #[case] kind: &str,
        #[case] severity: Option<Severity>,
        #[case] expected: Rank,
    ) {
        assert_eq!(rank(&Kind::new(kind), severity), expected);
    }
}
