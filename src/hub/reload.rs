//! Reloadable configuration of the hub.
//!
//! Swapped as a whole: a reader sees all of the old or all of the new. Code that needs two consistent values reads
//! [`Hub::rules`] once.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use crate::config::ApiConfig;
use crate::hub::{Condition, Hub, Rules};
use crate::model::ping::Pings;
use crate::model::route::RouteMap;
use crate::secret::Secret;
use crate::store;

/// The configuration in effect.
#[derive(Debug)]
pub(super) struct Live {
    now: RwLock<Values>,
    /// Incremented whenever the environment's map is replaced.
    maps: watch::Sender<u64>,
}

#[derive(Clone, Debug, Default)]
struct Values {
    pings: Arc<Pings>,
    rules: Arc<Rules>,
    fingerprint: String,
    /// `NUNCIO_API_KEY`.
    api_key: Option<Secret>,
    api: Arc<ApiConfig>,
    /// Whether there is a bot token.
    has_token: bool,
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

    pub(super) fn api_key(&self) -> Option<Secret> {
        self.read().api_key
    }

    pub(super) fn has_token(&self) -> bool {
        self.read().has_token
    }

    pub(super) fn pings(&self) -> Arc<Pings> {
        self.read().pings
    }
}

impl Hub {
    /// Sets the fingerprint of the running configuration; see [`Hub::configuration`].
    pub fn configured(&self, fingerprint: String) {
        self.0.live.change(|now| now.fingerprint = fingerprint);
    }

    /// Sets `NUNCIO_API_KEY`, and the settings of the API and the dispatcher.
    pub fn admit(&self, api_key: Option<Secret>, api: ApiConfig) {
        self.0.live.change(|now| (now.api_key, now.api) = (api_key, Arc::new(api)));
    }

    /// The settings of the API and the dispatcher in effect.
    #[must_use]
    pub fn api_config(&self) -> Arc<ApiConfig> {
        self.0.live.read().api
    }

    /// Sets whether there is a bot token. Without one there is a problem only if `needs_bot`: if something that is
    /// configured waits for the bot.
    pub fn expect_bot(&self, has_token: bool, needs_bot: bool) {
        self.0.live.change(|now| now.has_token = has_token);
        if needs_bot && !has_token {
            self.conditions().raise(
                Condition::NoToken,
                "DISCORD_TOKEN is not set: events are kept, nothing is sent to channels. Put it into .env and restart",
            );
        } else {
            self.conditions().clear(Condition::NoToken);
        }
    }

    /// Fingerprint of the configuration in effect. For the operator alone.
    #[must_use]
    pub fn configuration(&self) -> String {
        self.0.live.read().fingerprint
    }

    /// Sets the decision rules.
    pub fn decide_by(&self, rules: Rules) {
        self.0.live.change(|now| now.rules = Arc::new(rules));
        self.unattended_questions().iter().for_each(|sentence| tracing::warn!("{sentence}"));
    }

    /// The decision rules in effect.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        self.0.live.read().rules
    }

    /// Subscribes to replacements of the environment's map.
    #[must_use]
    pub fn map_changes(&self) -> watch::Receiver<u64> {
        self.0.live.maps.subscribe()
    }

    /// Replaces the environment's map and the ping rules. Every channel that `map` names becomes a destination. Takes
    /// effect with the next event; waiting deliveries keep their destination.
    ///
    /// # Errors
    /// If the database cannot store the new destinations: then nothing has changed.
    pub async fn replace_map(&self, map: RouteMap, pings: Pings) -> store::Result<()> {
        let is_news = self.0.routing.replace(map, &self.0.store).await?;
        self.0.live.change(|now| now.pings = Arc::new(pings));
        if is_news {
            // A guild that only the old map led to is no longer the operator's.
            self.forget_mapped_servers();
            self.forget_warnings();
            self.0.live.maps.send_modify(|count| *count += 1);
            self.report_stranded().await;
        }
        Ok(())
    }

    /// Reports that a changed configuration was rejected, and why.
    pub fn configuration_refused(&self, sentence: &str) {
        self.conditions().raise(Condition::ConfigurationRefused, sentence);
        tracing::error!("{sentence}");
    }
}
