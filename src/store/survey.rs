//! A look at a database from outside, beside a server or without one, that leaves no trace: no file is made or changed.

mod bot;

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::clock::Timestamp;
use crate::store::audit::CHECK;
use crate::store::backup::faults;
use crate::store::connect::direct;
use crate::store::open::newest_schema;
use crate::store::path::{refuse_hard_links, resolve};
use crate::store::{Error, Lock, Result, wal};

pub use bot::{BotSurvey, SealedWebhook, survey_bot};

/// Pages kept at hand, in KiB, negative by SQLite's custom.
const CACHE: i64 = -2048;

/// What stands in a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// What SQLite finds wrong with it; empty if it is sound.
    pub faults: Vec<String>,
    /// Whether something in it was sealed with a key.
    pub is_sealed: bool,
    /// Deliveries that were given up.
    pub dead: u64,
    /// Deliveries that wait.
    pub waiting: u64,
    /// When the oldest event that waits was received.
    pub oldest: Option<Timestamp>,
    /// Events that no key of the map matched.
    pub unrouted: u64,
}

/// Looks at the database at `path`.
///
/// # Errors
/// If it cannot be read, is not nuncio's, or was written by a newer version.
pub fn survey(path: &Path) -> Result<Survey> {
    let path = resolve(path)?;
    refuse_hard_links(&path)?;
    let connection = open(&path)?;
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let number = |sql: &str| count(sql).map(|count| u64::try_from(count).unwrap_or_default());
    if count("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'")? == 0 {
        return Ok(Survey::default());
    }
    if count("SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")? == 0 {
        return Err(Error::Foreign(path));
    }
    let schema = count("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")?;
    if schema > newest_schema() {
        return Err(Error::Newer(schema));
    }
    let faults = faults(&connection)?;
    if !faults.is_empty() {
        return Ok(Survey { faults, ..Survey::default() });
    }
    let sealed = connection.query_row("SELECT 1 FROM meta WHERE key = $1", [CHECK], |_| Ok(()));
    let oldest = connection.query_row(
        "SELECT MIN(e.received_at) FROM deliveries AS d JOIN events AS e ON e.id = d.event_id \
         WHERE d.status IN ('pending', 'sending')",
        [],
        |row| row.get::<_, Option<i64>>(0),
    )?;
    Ok(Survey {
        faults,
        is_sealed: sealed.optional()?.is_some(),
        dead: number("SELECT COUNT(*) FROM deliveries WHERE status = 'dead'")?,
        waiting: number("SELECT COUNT(*) FROM deliveries WHERE status = 'pending'")?,
        oldest: oldest.map(Timestamp::from_millis),
        unrouted: number("SELECT COUNT(*) FROM events WHERE unrouted")?,
    })
}

/// Without a server and without a log to be read, the file is opened as one that nobody changes: else SQLite would make
/// files beside it.
fn open(path: &Path) -> Result<Connection> {
    let has_log = fs::metadata(wal::beside(path)).is_ok_and(|log| log.len() > 0);
    if has_log || Lock::is_held(path) {
        return Ok(direct(path, OpenFlags::SQLITE_OPEN_READ_ONLY, CACHE)?);
    }
    let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let uri = format!("file:{name}?immutable=1");
    let access = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Ok(direct(Path::new(&uri), access, CACHE)?)
}
