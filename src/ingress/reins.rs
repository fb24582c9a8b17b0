//! The part of the ingress configuration that can be reloaded while it serves.
//!
//! It is swapped as a whole: a request sees the old or the new configuration, never a mix.

use std::sync::{Arc, PoisonError};

use crate::config::{RateLimit, TrustedProxies, Webhook};
use crate::ingress::limiter::Limiter;
use crate::ingress::source::SourceRoute;
use crate::ingress::throttle::Throttle;
use crate::ingress::{Ingress, IngressState, room_for};
use crate::secret::Secret;

/// The configuration in effect.
pub(super) struct Live {
    pub(super) gates: Vec<SourceRoute>,
    pub(super) limit: RateLimit,
    pub(super) limiter: Arc<Limiter>,
    pub(super) throttle: Arc<Throttle>,
    /// The API key, which gives insider access.
    pub(super) api_key: Option<Secret>,
    pub(super) proxies: TrustedProxies,
}

/// A handle that reloads the configuration of a serving ingress.
#[derive(Clone)]
pub struct Reins(IngressState);

impl Ingress {
    /// Returns the handle that reloads this ingress's configuration.
    #[must_use]
    pub fn reins(&self) -> Reins {
        Reins(self.0.clone())
    }
}

impl Reins {
    /// Applies these from the next request on: secrets, limits, trusted proxies, and the API key. The listening
    /// address and the path do not change.
    pub fn turn(&self, webhook: Webhook, limit: RateLimit, proxies: TrustedProxies, api_key: Option<Secret>) {
        let inner = &self.0.0;
        inner.room.widen(room_for(&webhook));
        let mut live = inner.live.write().unwrap_or_else(PoisonError::into_inner);
        // If the limit is unchanged, a client that has used it up stays refused.
        let (limiter, throttle) = match live.limit == limit {
            true => (Arc::clone(&live.limiter), Arc::clone(&live.throttle)),
            false => (Arc::new(Limiter::new(limit, inner.clock.clone())), Arc::new(Throttle::new(limit))),
        };
        let path = live.gates.first().map_or_else(|| webhook.path.clone(), |gate| gate.path.clone());
        let gates = SourceRoute::all(&Webhook { path, ..webhook });
        *live = Arc::new(Live { gates, limit, limiter, throttle, api_key, proxies });
    }
}

impl IngressState {
    /// The configuration in effect.
    pub(super) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.0.live.read().unwrap_or_else(PoisonError::into_inner))
    }
}
