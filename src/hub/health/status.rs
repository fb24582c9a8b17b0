//! Statistics behind `/webhook-status`.

use std::path::PathBuf;
use std::time::Duration;

use crate::hub::Hub;
use crate::model::{SystemStatus, WebhookEndpoint};
use crate::store::Result;

/// The period that the statistics cover.
const LATELY: Duration = Duration::from_secs(24 * 3600);

impl Hub {
    /// Sets the endpoint at which this process receives events.
    pub fn serves(&self, endpoint: WebhookEndpoint) {
        // Called once, by the composition root.
        let _ = self.0.endpoint.set(endpoint);
    }

    /// The endpoint at which this process receives events; `None` if it does not serve.
    #[must_use]
    pub fn endpoint(&self) -> Option<WebhookEndpoint> {
        self.0.endpoint.get().cloned()
    }

    /// The current status.
    pub async fn status(&self) -> Result<SystemStatus> {
        let (store, now) = (&self.0.store, self.0.clock.moment());
        let health = self.health().await;
        let size = |path: PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
        let mut wal = store.path().as_os_str().to_owned();
        wal.push("-wal");
        Ok(SystemStatus {
            version: env!("CARGO_PKG_VERSION"),
            uptime: self.0.clock.elapsed(),
            endpoint: self.0.endpoint.get().cloned(),
            database: store.path().to_owned(),
            database_bytes: size(store.path().to_owned()) + size(wal.into()),
            gateway: self.gateway(),
            backlog: store.backlog().await?,
            oldest: store.oldest_waiting().await?.map(|since| now.wall_at(since)),
            newest: store.newest_event().await?,
            refusals: self.refusals(),
            mutes: self.muted_now().await?,
            lately: store.tally(now.steady.minus(LATELY)).await?,
            problems: health.problems,
        })
    }
}
