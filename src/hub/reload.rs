//! The part of the configuration that the hub holds and that can change while it runs.
//!
//! Swapped as a whole: a reader sees all of the old or all of the new. Whoever needs two values that must agree takes
//! [`Hub::rules`] once.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use crate::hub::{Condition, Hub, Rules};
use crate::model::ping::Pings;
use crate::model::route::RouteMap;
use crate::store;

/// What counts now.
#[derive(Debug)]
pub(super) struct Live {
    now: RwLock<Values>,
    /// Bumped whenever the environment's map is another one.
    maps: watch::Sender<u64>,
}

#[derive(Clone, Debug, Default)]
struct Values {
    pings: Arc<Pings>,
    rules: Arc<Rules>,
    fingerprint: String,
}

impl Live {
    pub(super) fn new(pings: Pings) -> Self {
        let now = Values { pings: Arc::new(pings), ..Values::default() };
        Self { now: RwLock::new(now), maps: watch::Sender::new(0) }
    }

    fn read(&self) -> Values {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Values)) {
        change(&mut self.now.write().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn pings(&self) -> Arc<Pings> {
        self.read().pings
    }
}

impl Hub {
    /// Says which configuration this process runs with; see [`Hub::configuration`].
    pub fn configured(&self, fingerprint: String) {
        self.0.live.change(|now| now.fingerprint = fingerprint);
    }

    /// The fingerprint of the configuration that counts now. For the operator alone.
    #[must_use]
    pub fn configuration(&self) -> String {
        self.0.live.read().fingerprint
    }

    /// Sets who may decide.
    pub fn decide_by(&self, rules: Rules) {
        self.0.live.change(|now| now.rules = Arc::new(rules));
        self.nobody_decides().iter().for_each(|sentence| tracing::warn!("{sentence}"));
    }

    /// Who may decide, and how.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        self.0.live.read().rules
    }

    /// Follows the environment's map: changes whenever it was replaced.
    #[must_use]
    pub fn map_changes(&self) -> watch::Receiver<u64> {
        self.0.live.maps.subscribe()
    }

    /// Replaces the environment's map and the pings. Every channel that `map` names becomes a destination. Counts from the
    /// next event on; what waits stays where it was to go.
    ///
    /// # Errors
    /// If the database does not take the new destinations: then nothing has changed.
    pub async fn replace_map(&self, map: RouteMap, pings: Pings) -> store::Result<()> {
        let is_news = self.0.routing.replace(map, &self.0.store).await?;
        self.0.live.change(|now| now.pings = Arc::new(pings));
        if is_news {
            // A server that the old map led to is the operator's no longer, unless the new one leads there.
            self.forget_mapped_servers();
            self.forget_warnings();
            self.0.live.maps.send_modify(|count| *count += 1);
            self.report_stranded().await;
        }
        Ok(())
    }

    /// Says that a changed configuration was not taken over, and why.
    pub fn configuration_refused(&self, sentence: &str) {
        self.conditions().raise(Condition::ConfigurationRefused, sentence);
        tracing::error!("{sentence}");
    }
}
