//! Configuration reload of a running nuncio.

use crate::config::Config;
use crate::hub::{Condition, Hub, Rules};
use crate::ingress::ConfigHandle;
use crate::store;
use crate::xtsystems::Registrar;

/// Handles to every part of a running nuncio whose configuration can change.
pub struct Reloader {
    pub(super) hub: Hub,
    pub(super) ingress: ConfigHandle,
    /// Gives the platform the signing secret.
    pub(super) registrar: Registrar,
    /// Whether there is a bot token, which counts from the start.
    pub(super) has_token: bool,
}

impl Reloader {
    /// Applies the part of `config` that can change while nuncio runs. A request in progress keeps the old
    /// configuration to its end.
    ///
    /// # Errors
    /// If the database cannot store the map's destinations: then nothing has changed.
    pub async fn apply(&self, config: Config) -> store::Result<()> {
        let needs_bot = config.needs_bot();
        self.hub.replace_map(config.routes, config.pings).await?;
        self.hub.expect_bot(self.has_token, needs_bot);
        let rules = self.hub.rules();
        self.hub.decide_by(Rules {
            approvers: config.decisions.approvers,
            operators: config.decisions.operators,
            grace: config.decisions.grace,
            expiry: config.decisions.expiry,
            ..(*rules).clone()
        });
        self.registrar.sign_with(config.webhook.secret.clone());
        self.ingress.apply(config.webhook, config.rate_limit, config.trusted_proxies);
        self.hub.admit(config.api_key, config.api);
        self.hub.configured(config.fingerprint);
        if self.hub.conditions().clear(Condition::ConfigurationRefused) {
            tracing::info!("the configuration is accepted again: the problem with .env is over");
        }
        Ok(())
    }

    /// Reports that a changed configuration was refused.
    pub fn refuse(&self, sentence: &str) {
        self.hub.configuration_refused(sentence);
    }

    /// The current route map, one line per route.
    #[must_use]
    pub fn table(&self) -> Vec<String> {
        self.hub.table()
    }
}
