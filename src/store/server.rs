//! Which process serves the database: a row in `meta`, so that whoever is refused learns by whom.
//!
//! The lock decides; this is told with it. It also stands in for a lock file that somebody removed: a process that is
//! named here and still runs on this machine is not taken over from.

use std::fmt;
use std::path::Path;

use rusqlite::{OpenFlags, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnection;

use crate::clock::Timestamp;
use crate::store::connect::direct;
use crate::store::meta::{meta_in, put_in};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

/// The `meta` key of the row.
const SERVER: &str = "server";

/// A process that serves a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Server {
    pid: u32,
    /// When the process began, in the kernel's ticks since the boot: a number is given to other processes later.
    start: String,
    boot: String,
    host: String,
    since: String,
}

impl Server {
    /// This process.
    pub(super) fn this(now: Timestamp) -> Self {
        let pid = std::process::id();
        Self {
            pid,
            start: start_of(pid).unwrap_or_default(),
            boot: line("/proc/sys/kernel/random/boot_id"),
            host: line("/proc/sys/kernel/hostname"),
            since: now.to_rfc3339(),
        }
    }

    /// Who serves the database at `path`, as far as that can be read.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let reader = direct(path, OpenFlags::SQLITE_OPEN_READ_ONLY, -64).ok()?;
        let query = "SELECT value FROM meta WHERE key = $1";
        let text: Option<String> = reader.query_row(query, [SERVER], |row| row.get(0)).optional().ok()?;
        serde_json::from_str(&text?).ok()
    }

    fn is_same_process(&self, other: &Self) -> bool {
        (self.pid, &self.start, &self.boot) == (other.pid, &other.start, &other.boot)
    }

    /// Whether it still runs. Of another machine, or another boot, only its lock can tell.
    fn is_running(&self, this: &Self) -> bool {
        !self.start.is_empty() && self.boot == this.boot && start_of(self.pid).as_ref() == Some(&self.start)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}, since {}", self.pid, self.host, self.since)
    }
}

/// Notes in `tx` that this process serves the database from `now` on. Answers who else does, if that still runs; then
/// nothing is noted.
pub(super) async fn enter(tx: &mut SqliteConnection, now: Timestamp) -> Result<Option<Server>> {
    let this = Server::this(now);
    let known = meta_in(tx, SERVER).await?.and_then(|text| serde_json::from_str::<Server>(&text).ok());
    if let Some(other) = known.filter(|other| !other.is_same_process(&this) && other.is_running(&this)) {
        return Ok(Some(other));
    }
    put_in(tx, SERVER, &serde_json::to_string(&this).unwrap_or_default(), now).await?;
    Ok(None)
}

impl Store {
    /// Takes back that this process serves the database.
    pub async fn leave(&self) -> Result<()> {
        self.writer().submit(Leave).await
    }
}

struct Leave;

impl Unit for Leave {
    type Output = ();

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<()> {
        sqlx::query("DELETE FROM meta WHERE key = $1").bind(SERVER).execute(tx).await?;
        Ok(())
    }
}

/// When a process began; `None` if there is none. (`proc_pid_stat(5)`: field 22; the name before it may hold anything.)
fn start_of(pid: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.split_ascii_whitespace().nth(19).map(str::to_owned)
}

fn line(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_start() {
        let this = Server::this(Timestamp::default());
        assert!(!this.start.is_empty() && this.is_running(&this));
        assert!(this.is_same_process(&Server { since: "later".to_owned(), ..this.clone() }));
        // The number was given to another process; another boot; another machine.
        for other in [
            Server { start: "1".to_owned(), ..this.clone() },
            Server { boot: "x".to_owned(), ..this.clone() },
            Server { pid: u32::MAX, ..this.clone() },
        ] {
            assert!(!other.is_running(&this) && !other.is_same_process(&this), "{other:?}");
        }
    }
}
