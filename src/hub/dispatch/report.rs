//! Waiting for the outcomes of a dispatch: bounded, and for this event's deliveries only.

use std::time::Duration;

use crate::hub::Hub;
use crate::model::EventId;
use crate::model::dispatch::{DispatchReport, Dispatched};
use crate::store::Result;

impl Hub {
    /// How each webhook took `dispatched`, once all of them did, `patience` has run out, or nuncio shuts down. One that
    /// hangs does not hold the others' results: it is pending then.
    pub async fn dispatch_report(
        &self,
        dispatched: &Dispatched,
        patience: Duration,
    ) -> Result<DispatchReport> {
        let Some(event) = dispatched.event_id else {
            return Ok(DispatchReport { results: Vec::new(), errors: dispatched.errors.clone() });
        };
        if dispatched.deliveries > 0 {
            self.wait_for_outcomes(event, patience).await?;
        }
        let results = self.0.store.dispatch_results(event).await?;
        // Muted ones have an error each.
        let errors = if results.is_empty() { dispatched.errors.clone() } else { Vec::new() };
        Ok(DispatchReport { results, errors })
    }

    /// Ends all waits for outcomes: what is known by then is the answer.
    pub fn stop_waiting(&self) {
        self.0.stopping.send_replace(true);
    }

    async fn wait_for_outcomes(&self, event: EventId, patience: Duration) -> Result<()> {
        let (mut progress, mut stopping) = (self.0.progress.subscribe(), self.0.stopping.subscribe());
        let until = self.0.clock.elapsed() + patience;
        loop {
            progress.mark_unchanged();
            let left = until.saturating_sub(self.0.clock.elapsed());
            if left.is_zero() || *stopping.borrow() || self.0.store.awaited(event).await? == 0 {
                return Ok(());
            }
            tokio::select! {
                _ = self.0.clock.within(left, progress.changed()) => {}
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
        }
    }
}
