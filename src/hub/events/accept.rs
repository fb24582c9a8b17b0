//! Acceptance of events: an event is routed, and committed with its deliveries before anyone is notified.

use std::sync::PoisonError;

use crate::hub::Hub;
use crate::model::{AuditEntry, NewEvent, Source};
use crate::render;
use crate::store::{Accepted, Incoming, Result};

/// Limit on cached customer names, and on kinds whose warning is remembered.
const REMEMBERED: usize = 10_000;
/// Longest customer name, and longest id whose name is learned. A body may hold a megabyte of either.
const MAX_NAME: usize = 100;
const MAX_ID: usize = 200;

impl Hub {
    /// Accepts an event. On return, it is fsynced together with its deliveries; a repetition of an accepted event
    /// returns the first one's id.
    pub async fn accept(&self, event: NewEvent) -> Result<Accepted> {
        self.accept_by(event, None).await
    }

    /// Accepts an event; `entry` is the audit entry of the person who requested it.
    pub(in crate::hub) async fn accept_by(
        &self,
        event: NewEvent,
        entry: Option<AuditEntry>,
    ) -> Result<Accepted> {
        let routes = self.0.routing.now();
        let mut plan = match self.plan_new(&routes, &event).await {
            Ok(plan) => plan,
            Err(error) => {
                self.storage_failing(&error);
                return Err(error);
            }
        };
        let muted = self.muted(&event);
        plan.iter_mut().flatten().for_each(|planned| planned.muted = muted);
        let unrouted = plan.is_none();
        // Another warning covers a key that matches but leads nowhere.
        let is_news = unrouted && !routes.is_matched(&event.kind, &event.company);
        let news = is_news.then(|| event.kind.clone());
        let name = self.unknown_name(&event);
        let learnt = name.clone().map(|name| ((event.source, event.company.clone()), name));
        let asks = self.asks(&event);
        let incoming = Incoming { event, plan: plan.unwrap_or_default(), unrouted, company_name: name, asks };
        let began = self.0.clock.elapsed();
        let accepted = match entry {
            Some(entry) => self.0.store.accept_requested(incoming, entry).await,
            None => self.0.store.accept(incoming).await,
        };
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                self.storage_failing(&error);
                return Err(error);
            }
        };
        self.storage_works();
        self.0.refused_source.accepted();
        self.0.metrics.accepted(accepted, unrouted, self.0.clock.elapsed().saturating_sub(began));
        if let Some((key, name)) = learnt {
            self.0.names.write().unwrap_or_else(PoisonError::into_inner).insert(key, name);
        }
        if let Some(kind) = news.filter(|_| !accepted.duplicate) {
            self.warn_unrouted(kind.as_str());
        }
        Ok(accepted)
    }

    /// Stores a signed but unreadable body in quarantine.
    pub async fn quarantine(&self, source: Source, reason: &str, body: &[u8]) -> Result<()> {
        self.0.store.quarantine(source, reason, body, self.0.clock.now()).await
    }

    /// The name of the event's customer, if the event contains one that is not cached yet.
    fn unknown_name(&self, event: &NewEvent) -> Option<String> {
        if event.company.is_empty() || event.company.len() > MAX_ID {
            return None;
        }
        let name = event.company_name.as_ref()?;
        let names = self.0.names.read().unwrap_or_else(PoisonError::into_inner);
        let known = names.get(&(event.source, event.company.clone()));
        if known == Some(name) {
            return None;
        }
        let name = render::line(name, MAX_NAME)?;
        (known != Some(&name) && (known.is_some() || names.len() < REMEMBERED)).then_some(name)
    }

    fn warn_unrouted(&self, kind: &str) {
        let mut warned = self.0.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() < REMEMBERED && warned.insert(kind.to_owned()) {
            tracing::warn!(
                "no key of DISCORD_WEBHOOK_CHANNELS matches {kind}: such events are kept. Set channel in \
                 /webhook-config (or add \"{kind}\" or \"default\" to the map, then `kill -HUP` nuncio or restart it), \
                 then send them with: nuncio redeliver --unrouted"
            );
        }
    }
}
