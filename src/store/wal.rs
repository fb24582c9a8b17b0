//! The write-ahead log: kept small, whoever reads meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::Executor as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::store::connect::BUSY_TIMEOUT;
use crate::store::error::Health;
use crate::store::{Error, Result, Store};

/// How often it is folded in, as far as readers allow.
const EVERY: Duration = Duration::from_secs(1);
/// Above this size it is folded into the database between two groups: passive checkpoints alone let it grow without
/// bound under load.
const LIMIT: u64 = 32 * 1024 * 1024;
/// How long that waits for readers, and how long until it is tried again where they stood in the way. A reader that
/// never ends must not stop the writer.
const READERS_MS: u32 = 20;
const AGAIN: Duration = Duration::from_millis(200);

/// Where the write-ahead log of the database at `path` is.
pub(super) fn beside(path: &Path) -> PathBuf {
    with_ending(path, "-wal")
}

/// Where the index of that log is, which all processes that have the database open share.
pub(super) fn index_beside(path: &Path) -> PathBuf {
    with_ending(path, "-shm")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The log of one database.
#[derive(Clone)]
pub(super) struct Wal {
    path: PathBuf,
    /// Not before this time of the clock's [`Clock::elapsed`].
    next: Duration,
    /// Held while the log is folded in: SQLite lets one do it at a time, and whoever comes second would take the other
    /// for a reader.
    folding: Arc<Mutex<()>>,
}

impl Wal {
    /// The log of the database at `path`.
    pub(super) fn beside(path: &Path) -> Self {
        Self { path: beside(path), next: Duration::ZERO, folding: Arc::default() }
    }

    /// Folds it in each second, as far as readers allow, from a connection of its own, so that no commit waits for it.
    pub(super) async fn checkpoint(self, mut connection: SqliteConnection, clock: Clock, health: Health) {
        while health.failure().is_none() {
            clock.sleep(EVERY).await;
            let _alone = self.folding.lock().await;
            match connection.execute("PRAGMA wal_checkpoint(PASSIVE)").await.map_err(Error::from) {
                Ok(_) => {}
                Err(error) if error.is_fatal() => health.fail(error),
                Err(error) => tracing::debug!(%error, "no checkpoint this time"),
            }
        }
        // Closing the last connection would fold once more: what a failed disk holds is left as it is.
        std::mem::forget(connection);
    }

    /// Folds the log in if it has grown too long.
    pub(super) async fn bound(&mut self, connection: &mut SqliteConnection, clock: &Clock, health: &Health) {
        let length = std::fs::metadata(&self.path).map_or(0, |wal| wal.len());
        if length <= LIMIT || clock.elapsed() < self.next {
            return;
        }
        let _alone = self.folding.lock().await;
        match fold(connection).await {
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

/// Folds the whole log in and cuts it. `false` if readers stood in the way.
async fn fold(connection: &mut SqliteConnection) -> Result<bool> {
    connection.execute(sqlx::AssertSqlSafe(format!("PRAGMA busy_timeout = {READERS_MS}"))).await?;
    let folded: sqlx::Result<(i64, i64, i64)> =
        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await;
    let timeout = format!("PRAGMA busy_timeout = {}", BUSY_TIMEOUT.as_millis());
    connection.execute(sqlx::AssertSqlSafe(timeout)).await?;
    match folded.map_err(Error::from) {
        Ok((busy, _, _)) => Ok(busy == 0),
        Err(Error::Occupied) => Ok(false),
        Err(error) => Err(error),
    }
}

impl Store {
    /// The size of the write-ahead log, in bytes. It shrinks again unless somebody reads without end.
    #[must_use]
    pub fn wal_bytes(&self) -> u64 {
        std::fs::metadata(beside(self.path())).map_or(0, |wal| wal.len())
    }

    /// The size of the database file, in bytes.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        std::fs::metadata(self.path()).map_or(0, |file| file.len())
    }
}
