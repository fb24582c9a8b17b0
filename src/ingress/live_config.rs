//! The part of the ingress configuration that can be reloaded while it serves.
//!
//! It is swapped as a whole: a request sees the old or the new configuration, never a mix.

use std::sync::{Arc, PoisonError};

use crate::config::{RateLimit, TrustedProxies, WebhookConfig};
use crate::ingress::limiter::AddressLimiter;
use crate::ingress::source::SourceRoute;
use crate::ingress::throttle::Throttle;
use crate::ingress::{Ingress, IngressState, body_budget_for};

/// The configuration in effect.
pub(super) struct LiveConfig {
    pub(super) routes: Vec<SourceRoute>,
    pub(super) limit: RateLimit,
    pub(super) limiter: Arc<AddressLimiter>,
    pub(super) throttle: Arc<Throttle>,
    pub(super) proxies: TrustedProxies,
}

/// A handle that reloads the configuration of a serving ingress.
#[derive(Clone)]
pub struct ConfigHandle(IngressState);

impl Ingress {
    /// Returns the handle that reloads this ingress's configuration.
    #[must_use]
    pub fn config_handle(&self) -> ConfigHandle {
        ConfigHandle(self.0.clone())
    }
}

impl ConfigHandle {
    /// Applies these from the next request on: secrets, limits, and trusted proxies. The listening address and the path
    /// do not change.
    pub fn apply(&self, webhook: WebhookConfig, limit: RateLimit, proxies: TrustedProxies) {
        let inner = &self.0.0;
        inner.body_budget.grow_to(body_budget_for(&webhook));
        let mut live = inner.live.write().unwrap_or_else(PoisonError::into_inner);
        // If the limit is unchanged, a client that has used it up stays refused.
        let (limiter, throttle) = match live.limit == limit {
            true => (Arc::clone(&live.limiter), Arc::clone(&live.throttle)),
            false => {
                (Arc::new(AddressLimiter::new(limit, inner.clock.clone())), Arc::new(Throttle::new(limit)))
            }
        };
        let path = inner.xtsystems_path.clone();
        let routes = SourceRoute::all(&WebhookConfig { path, ..webhook });
        *live = Arc::new(LiveConfig { routes, limit, limiter, throttle, proxies });
    }
}

impl IngressState {
    /// The configuration in effect.
    pub(super) fn live(&self) -> Arc<LiveConfig> {
        Arc::clone(&self.0.live.read().unwrap_or_else(PoisonError::into_inner))
    }
}
