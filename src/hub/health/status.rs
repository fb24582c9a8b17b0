//! Statistics behind `/webhook-status`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::hub::{Findings, Gateway, Hub, Problem};
use crate::model::Mute;
use crate::store::{Backlog, Result, Tally};

/// The period that the statistics cover.
const LATELY: Duration = Duration::from_secs(24 * 3600);

/// The endpoint for webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The listening address.
    pub address: SocketAddr,
    /// The path that XTSystems posts to.
    pub path: String,
}

/// Current state of this nuncio, in numbers.
#[derive(Clone, Debug)]
pub struct Status {
    /// Version of nuncio.
    pub version: &'static str,
    /// Uptime of this process.
    pub uptime: Duration,
    /// The endpoint for webhooks; `None` if this process does not serve.
    pub endpoint: Option<Endpoint>,
    /// The database file.
    pub database: PathBuf,
    /// Size of the database with its write-ahead log, in bytes.
    pub database_bytes: u64,
    /// State of the gateway session.
    pub gateway: Gateway,
    /// Waiting deliveries and events.
    pub backlog: Backlog,
    /// Start of the longest wait of any delivery.
    pub oldest: Option<Timestamp>,
    /// Kind and time of the newest event.
    pub newest: Option<(String, Timestamp)>,
    /// Refused webhooks of the last 24 hours, by reason, most frequent first.
    pub refusals: Vec<Findings>,
    /// Statistics of the last 24 hours.
    pub lately: Tally,
    /// Mutes in effect.
    pub mutes: Vec<Mute>,
    /// Current problems.
    pub problems: Vec<Problem>,
}

impl Hub {
    /// Sets the endpoint at which this process receives events.
    pub fn serves(&self, endpoint: Endpoint) {
        // Called once, by the composition root.
        let _ = self.0.endpoint.set(endpoint);
    }

    /// The endpoint at which this process receives events; `None` if it does not serve.
    #[must_use]
    pub fn endpoint(&self) -> Option<Endpoint> {
        self.0.endpoint.get().cloned()
    }

    /// The current status.
    pub async fn status(&self) -> Result<Status> {
        let (store, now) = (&self.0.store, self.0.clock.moment());
        let health = self.health().await;
        let size = |path: PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
        let mut wal = store.path().as_os_str().to_owned();
        wal.push("-wal");
        Ok(Status {
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
