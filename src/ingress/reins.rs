//! The part of the door's configuration that can be read again while it is open.
//!
//! It is swapped as a whole: a request sees the old or the new, never some of both.

use std::sync::{Arc, PoisonError};

use crate::config::{RateLimit, TrustedProxies, Webhook};
use crate::ingress::gate::SourceRoute;
use crate::ingress::limiter::Limiter;
use crate::ingress::throttle::Throttle;
use crate::ingress::{Ingress, IngressState, room_for};
use crate::secret::Secret;

/// What counts now.
pub(super) struct Live {
    pub(super) gates: Vec<SourceRoute>,
    pub(super) limit: RateLimit,
    pub(super) limiter: Arc<Limiter>,
    pub(super) throttle: Arc<Throttle>,
    /// Who has it may look at everything.
    pub(super) api_key: Option<Secret>,
    pub(super) proxies: TrustedProxies,
}

/// Gives an open door another configuration.
#[derive(Clone)]
pub struct Reins(IngressState);

impl Ingress {
    /// What gives this door another configuration while it serves.
    #[must_use]
    pub fn reins(&self) -> Reins {
        Reins(self.0.clone())
    }
}

impl Reins {
    /// Has these count from the next request on: secrets, limits, whose word about addresses is believed, and who may
    /// look at everything. Where it listens, and at which path, stays.
    pub fn turn(&self, webhook: Webhook, limit: RateLimit, proxies: TrustedProxies, api_key: Option<Secret>) {
        let inner = &self.0.0;
        inner.room.widen(room_for(&webhook));
        let mut live = inner.live.write().unwrap_or_else(PoisonError::into_inner);
        // With the same limit, whoever has used it up stays refused.
        let (limiter, throttle) = match live.limit == limit {
            true => (Arc::clone(&live.limiter), Arc::clone(&live.throttle)),
            false => (Arc::new(Limiter::new(limit, inner.clock.clone())), Arc::new(Throttle::new(limit))),
        };
        let path = live.gates.first().map_or_else(|| webhook.path.clone(), |gate| gate.path.clone());
        let gates = vec![SourceRoute::xtsystems(Webhook { path, ..webhook })];
        *live = Arc::new(Live { gates, limit, limiter, throttle, api_key, proxies });
    }
}

impl IngressState {
    /// What counts now.
    pub(super) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.0.live.read().unwrap_or_else(PoisonError::into_inner))
    }
}
