//! Serving process: a row in `meta`, so that a refused process can report which one is running.
//!
//! The lock decides; this row only adds the details. It also replaces a lock file that was removed: no takeover
//! happens from a process that is named here and still runs on this machine.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::store::engine::sqlite::SqliteConnection;
use crate::store::meta::{meta_in, put_in};
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

const SERVER: &str = "server";

/// A process that serves a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Server {
    pid: u32,
    /// Start of the process, in kernel ticks since boot: the kernel reuses process ids.
    start: String,
    boot: String,
    host: String,
    since: String,
}

impl Server {
    /// Describes this process.
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

    /// Reads the process that serves the database at `path`, if possible.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let reader = SqliteConnection::read_only(path, -64).ok()?;
        let text =
            query_scalar::<String>("SELECT value FROM meta WHERE key = $1").bind(SERVER).one_on(&reader);
        serde_json::from_str(&text.ok()??).ok()
    }

    fn is_same_process(&self, other: &Self) -> bool {
        (self.pid, &self.start, &self.boot) == (other.pid, &other.start, &other.boot)
    }

    /// Returns whether it still runs. For another machine or another boot, only the lock can show that.
    fn is_running(&self, this: &Self) -> bool {
        !self.start.is_empty() && self.boot == this.boot && start_of(self.pid).as_ref() == Some(&self.start)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}, since {}", self.pid, self.host, self.since)
    }
}

/// Records in `tx` that this process serves the database from `now` on. Returns another process that is recorded and
/// still runs; then nothing is recorded.
pub(super) async fn enter(tx: &mut Tx, now: Timestamp) -> Result<Option<Server>> {
    let this = Server::this(now);
    let known = meta_in(&mut *tx, SERVER).await?.and_then(|text| serde_json::from_str::<Server>(&text).ok());
    if let Some(other) = known.filter(|other| !other.is_same_process(&this) && other.is_running(&this)) {
        return Ok(Some(other));
    }
    put_in(tx, SERVER, &serde_json::to_string(&this).unwrap_or_default(), now).await?;
    Ok(None)
}

impl Store {
    /// Removes the record that this process serves the database.
    pub async fn leave(&self) -> Result<()> {
        self.writer().submit(Leave).await
    }
}

struct Leave;

impl Unit for Leave {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        query("DELETE FROM meta WHERE key = $1").bind(SERVER).execute(tx).await?;
        Ok(())
    }
}

/// Start of a process; `None` if there is none, or if it has ended and its parent has not noticed yet.
fn start_of(pid: u32) -> Option<String> {
    start_in(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// (`proc_pid_stat(5)`: field 3 is the state, field 22 the start; the name before them may contain anything.)
fn start_in(stat: &str) -> Option<String> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let has_ended = matches!(fields.next()?, "Z" | "X" | "x");
    if has_ended { None } else { fields.nth(18).map(str::to_owned) }
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
        // A reused process id; another boot; another machine.
        for other in [
            Server { start: "1".to_owned(), ..this.clone() },
            Server { boot: "x".to_owned(), ..this.clone() },
            Server { pid: u32::MAX, ..this.clone() },
        ] {
            assert!(!other.is_running(&this) && !other.is_same_process(&this), "{other:?}");
        }
    }

    // Control: without the look at its state, a zombie keeps the next start out until its parent reaps it.
    #[test]
    fn a_process_that_has_ended_and_was_not_reaped_does_not_run() {
        let stat = |state: &str| format!("7 (a) b) {state} 1 {} 4711 0 0", "0 ".repeat(17).trim_end());
        assert_eq!(start_in(&stat("S")).as_deref(), Some("4711"));
        assert_eq!([start_in(&stat("Z")), start_in(&stat("X")), start_in("7")], [None, None, None]);
    }
}
