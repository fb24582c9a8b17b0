//! The figures behind `/webhook-status`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::hub::{Findings, Gateway, Hub, Problem};
use crate::model::Mute;
use crate::store::{Backlog, Result, Tally};

/// How far back the figures of `/webhook-status` reach.
const LATELY: Duration = Duration::from_secs(24 * 3600);

/// Where events come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address that is listened on.
    pub address: SocketAddr,
    /// The path that XTSystems posts to.
    pub path: String,
}

/// How everything stands, in figures.
#[derive(Clone, Debug)]
pub struct Status {
    /// The version of nuncio.
    pub version: &'static str,
    /// How long this process has been running.
    pub uptime: Duration,
    /// Where events come in; `None` if this process does not serve.
    pub endpoint: Option<Endpoint>,
    /// The database file.
    pub database: PathBuf,
    /// Its size with its write-ahead log, in bytes.
    pub database_bytes: u64,
    /// The bot's connection.
    pub gateway: Gateway,
    /// What waits.
    pub backlog: Backlog,
    /// Since when the delivery that has waited longest has waited.
    pub oldest: Option<Timestamp>,
    /// Kind and time of the newest event.
    pub newest: Option<(String, Timestamp)>,
    /// Refused webhooks of the last 24 hours, by reason, the most frequent first.
    pub refusals: Vec<Findings>,
    /// The last 24 hours.
    pub lately: Tally,
    /// What is muted.
    pub mutes: Vec<Mute>,
    /// What keeps nuncio from doing its job.
    pub problems: Vec<Problem>,
}

impl Hub {
    /// Says where this process takes events in.
    pub fn serves(&self, endpoint: Endpoint) {
        // Said once, by the composition root.
        let _ = self.0.endpoint.set(endpoint);
    }

    /// Where this process takes events in; `None` if it does not serve.
    #[must_use]
    pub fn endpoint(&self) -> Option<Endpoint> {
        self.0.endpoint.get().cloned()
    }

    /// How everything stands now.
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
