//! Database survey: a read-only inspection, with or without a running server, that creates and changes no file.

mod api_key;
mod bot;
mod lane;
mod way;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::clock::Timestamp;
use crate::key::Key;
use crate::store::audit::{CHECK, check_of};
use crate::store::backup::faults;
use crate::store::engine::sqlite::SqliteConnection;
use crate::store::migrate::newest_schema;
use crate::store::path::{refuse_hard_links, resolve};
use crate::store::sql::query_scalar;
use crate::store::{Error, Lock, Result, wal};

pub use api_key::entrance_of;
pub use bot::{BotSurvey, SealedWebhook, survey_bot};
pub use lane::WaitingLane;
pub use way::{StoppedAt, newest_test, way_of};

/// SQLite page cache in KiB; negative by SQLite's convention.
const CACHE: i64 = -2048;

/// Contents and health of a database.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Faults that SQLite finds; empty if the database is sound.
    pub faults: Vec<String>,
    /// Whether the database has an encryption key.
    pub is_sealed: bool,
    /// Dead deliveries.
    pub dead: u64,
    /// Pending deliveries.
    pub waiting: u64,
    /// When the oldest event with an unfinished delivery was received.
    pub oldest: Option<Timestamp>,
    /// Events that no key of the routing map matched.
    pub unrouted: u64,
    /// Fingerprint of the database's key.
    sealed_with: Option<String>,
    /// Size of the file and of its write-ahead log, in bytes.
    pub bytes: u64,
    /// Stored events.
    pub events: u64,
    /// When the oldest stored event was received.
    pub oldest_event: Option<Timestamp>,
    /// Every event kind received from senders.
    pub kinds: BTreeSet<String>,
    /// Destinations with unfinished deliveries. Empty if the schema needs a migration first.
    pub lanes: Vec<WaitingLane>,
    /// Calls to the platform that wait for the operator. Zero if the schema needs a migration first.
    pub held: u64,
}

impl Survey {
    /// Returns whether `key` is the database's key, or the database has none yet.
    #[must_use]
    pub fn is_opened_by(&self, key: &Key) -> bool {
        self.sealed_with.as_ref().is_none_or(|known| *known == check_of(key))
    }
}

/// Inspects the database at `path`.
///
/// # Errors
/// If it cannot be read, is not nuncio's, or was written by a newer version.
pub fn survey(path: &Path) -> Result<Survey> {
    let path = resolve(path)?;
    refuse_hard_links(&path)?;
    let connection = open(&path)?;
    let count = |sql: &'static str| {
        let counted = query_scalar::<Option<i64>>(sql).one_on(&connection)?;
        Ok::<_, Error>(counted.flatten())
    };
    let number = |sql| count(sql).map(|count| count.unwrap_or_default().unsigned_abs());
    if number("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'")? == 0 {
        return Ok(Survey::default());
    }
    if number("SELECT COUNT(*) FROM sqlite_master WHERE name = 'schema_migrations'")? == 0 {
        let development = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
        return Err(if number(development)? > 0 { Error::Development(path) } else { Error::Foreign(path) });
    }
    let schema = count("SELECT MAX(version) FROM schema_migrations")?.unwrap_or_default();
    if schema > newest_schema() {
        return Err(Error::Newer(schema));
    }
    let faults = faults(&connection)?;
    if !faults.is_empty() {
        return Ok(Survey { faults, ..Survey::default() });
    }
    let sealed_with: Option<String> =
        query_scalar("SELECT value FROM meta WHERE key = $1").bind(CHECK).one_on(&connection)?;
    let oldest_event = count("SELECT MIN(received_at) FROM events")?;
    let kinds =
        query_scalar("SELECT DISTINCT kind FROM events WHERE source <> 'nuncio'").all_on(&connection)?;
    // An older schema may lack what these queries need.
    let (lanes, held) = match schema == newest_schema() {
        true => {
            (lane::waiting(&connection)?, number("SELECT COUNT(*) FROM decisions WHERE platform = 'held'")?)
        }
        false => (Vec::new(), 0),
    };
    let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    let oldest = count(
        "SELECT MIN(e.received_at) FROM deliveries AS d JOIN events AS e ON e.id = d.event_id \
         WHERE d.status IN ('pending', 'sending')",
    )?;
    Ok(Survey {
        faults,
        is_sealed: sealed_with.is_some(),
        sealed_with,
        bytes: size(&path) + size(&wal::beside(&path)),
        events: number("SELECT COUNT(*) FROM events")?,
        oldest_event: oldest_event.map(Timestamp::from_millis),
        kinds: kinds.into_iter().collect(),
        lanes,
        held,
        dead: number("SELECT COUNT(*) FROM deliveries WHERE status = 'dead'")?,
        waiting: number("SELECT COUNT(*) FROM deliveries WHERE status = 'pending'")?,
        oldest: oldest.map(Timestamp::from_millis),
        unrouted: number("SELECT COUNT(*) FROM events WHERE unrouted")?,
    })
}

/// Opens the database read-only. Without a server and without a log to read, it is opened as immutable: otherwise
/// SQLite would create files beside it.
fn open(path: &Path) -> Result<SqliteConnection> {
    let has_log = fs::metadata(wal::beside(path)).is_ok_and(|log| log.len() > 0);
    if has_log || Lock::is_held(path) {
        return SqliteConnection::read_only(path, CACHE);
    }
    SqliteConnection::immutable(path, CACHE)
}
