//! Write-ahead log maintenance: keeps the log small despite concurrent readers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::clock::Clock;
use crate::store::engine::sqlite::{BUSY_TIMEOUT, SqliteConnection};
use crate::store::error::WriterHealth;
use crate::store::sql::{Tx, query_as};
use crate::store::{Error, Result, Store};

/// Interval of passive checkpoints, which do as much as readers allow.
const EVERY: Duration = Duration::from_secs(1);
/// Above this size the log is checkpointed and truncated between two groups: with passive checkpoints alone it grows
/// without bound under load.
const LIMIT: u64 = 32 * 1024 * 1024;
/// How long that checkpoint waits for readers, and the delay before a retry if they blocked it. A reader that never
/// ends must not stop the writer.
const READERS: Duration = Duration::from_millis(20);
const AGAIN: Duration = Duration::from_millis(200);

/// Path of the write-ahead log of the database at `path`.
pub(super) fn beside(path: &Path) -> PathBuf {
    with_ending(path, "-wal")
}

/// Path of the index of that log, which all processes with the database open share.
pub(super) fn index_beside(path: &Path) -> PathBuf {
    with_ending(path, "-shm")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[derive(Clone)]
pub(super) struct Wal {
    path: PathBuf,
    /// Earliest time of the next truncation, in terms of [`Clock::elapsed`].
    next: Duration,
    /// Held during a checkpoint: SQLite allows one at a time, and a second one would mistake the first for a reader.
    folding: Arc<Mutex<()>>,
}

impl Wal {
    /// The log of the database at `path`.
    pub(super) fn beside(path: &Path) -> Self {
        Self { path: beside(path), next: Duration::ZERO, folding: Arc::default() }
    }

    /// Runs a passive checkpoint each second, on a connection of its own, so that no commit waits for it.
    pub(super) async fn checkpoint(
        self,
        mut connection: SqliteConnection,
        clock: Clock,
        health: WriterHealth,
    ) {
        while health.failure().is_none() {
            clock.sleep(EVERY).await;
            let _alone = self.folding.lock().await;
            let checkpoint = spawn_blocking(move || {
                let folded = connection.batch("PRAGMA wal_checkpoint(PASSIVE)");
                (connection, folded)
            });
            let Ok((back, folded)) = checkpoint.await else { return };
            connection = back;
            match folded {
                Ok(()) => {}
                Err(error) if error.is_fatal() => health.fail(error),
                Err(error) => tracing::debug!(%error, "no checkpoint this time"),
            }
        }
        // Do not close the connection: closing the last one would checkpoint again, and the content of a failed disk
        // must stay as it is.
        std::mem::forget(connection);
    }

    /// Checkpoints and truncates the log if it has grown too long.
    pub(super) async fn bound(&mut self, tx: &mut Tx, clock: &Clock, health: &WriterHealth) {
        let length = std::fs::metadata(&self.path).map_or(0, |wal| wal.len());
        if length <= LIMIT || clock.elapsed() < self.next {
            return;
        }
        let _alone = self.folding.lock().await;
        match fold(tx).await {
            Ok(true) => {}
            Ok(false) => self.next = clock.elapsed() + AGAIN,
            Err(error) if error.is_fatal() => health.fail(error),
            Err(error) => {
                self.next = clock.elapsed() + AGAIN;
                tracing::debug!(%error, "the write-ahead log could not be checkpointed just now");
            }
        }
    }
}

/// Checkpoints the whole log and truncates it. Returns `false` if readers blocked that.
async fn fold(tx: &mut Tx) -> Result<bool> {
    let Tx::Sqlite(connection) = tx;
    connection.wait_at_most(READERS)?;
    let folded = query_as::<(i64, i64, i64)>("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *tx).await;
    let Tx::Sqlite(connection) = tx;
    connection.wait_at_most(BUSY_TIMEOUT)?;
    match folded {
        Ok((busy, _, _)) => Ok(busy == 0),
        Err(Error::Occupied) => Ok(false),
        Err(error) => Err(error),
    }
}

impl Store {
    /// Size of the write-ahead log, in bytes. It shrinks again unless a reader never ends.
    #[must_use]
    pub fn wal_bytes(&self) -> u64 {
        std::fs::metadata(beside(self.path())).map_or(0, |wal| wal.len())
    }

    /// Size of the database file, in bytes.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        std::fs::metadata(self.path()).map_or(0, |file| file.len())
    }
}
