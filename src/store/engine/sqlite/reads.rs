//! The pool of read-only connections. Each read is one closure on a thread for blocking work.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::SqliteConnection;
use crate::clock::Clock;
use crate::store::{Error, Result};

/// Number of read connections. Each takes 300 KB, as its cache fills only with what it read.
const READERS: u32 = 3;
/// Page cache of a read connection in KiB; negative by SQLite's convention. Small: reads rarely share pages,
/// and the system's cache holds the file.
const CACHE: i64 = -512;
/// Number of SQLite VM steps between two checks of the time limit: well under a millisecond.
const STEPS: i32 = 20_000;
/// An idle connection is closed after this, when the next one is returned.
const IDLE: Duration = Duration::from_secs(60);

/// Read connections to one database, opened when needed.
pub(in crate::store) struct Reads(Arc<Inner>);

struct Inner {
    database: PathBuf,
    /// Time limit of one read.
    limit: Duration,
    /// Not the test clock: SQLite's work takes real time.
    clock: Clock,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: SqliteConnection,
    since: Duration,
}

impl Reads {
    /// The pool of the database at `database`. [`Reads::run`] interrupts its work after `limit`.
    pub(in crate::store) fn of(database: &Path, limit: Duration) -> Self {
        Self(Arc::new(Inner {
            database: database.to_owned(),
            limit,
            clock: Clock::system(),
            permits: Arc::new(Semaphore::new(READERS as usize)),
            idle: Mutex::default(),
        }))
    }

    /// Runs `work` on a connection, and interrupts it after the time limit.
    ///
    /// # Errors
    /// [`Error::ReadTooLong`] if it was interrupted, [`Error::Closed`] after [`Self::close`].
    pub(in crate::store) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.lend(|inner, connection| inner.limit(connection), work).await
    }

    /// Runs `work`, however long that takes: while it lasts, the write-ahead log cannot be truncated.
    pub(in crate::store) async fn run_unlimited<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.lend(|_, connection| connection.never_interrupt(), work).await
    }

    /// Runs `work` on a connection of its own, in one transaction: in one snapshot of the database, however long that
    /// takes.
    pub(in crate::store) async fn snapshot<T: Send + 'static>(
        &self,
        work: impl FnOnce(SqliteConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = self.0.database.clone();
        let permit = Arc::clone(&self.0.permits).acquire_owned().await.map_err(|_| Error::Closed)?;
        let read = spawn_blocking(move || {
            let _permit = permit;
            let connection = SqliteConnection::read_only(&database, CACHE)?;
            connection.batch("BEGIN")?;
            work(connection)
        });
        joined(read.await)
    }

    async fn lend<T: Send + 'static>(
        &self,
        prepare: impl FnOnce(&Inner, &SqliteConnection) -> Result<()> + Send + 'static,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.0);
        let permit = Arc::clone(&inner.permits).acquire_owned().await.map_err(|_| Error::Closed)?;
        let read = spawn_blocking(move || {
            let _permit = permit;
            let mut connection = inner.take()?;
            prepare(&inner, &connection)?;
            let found = work(&mut connection);
            inner.put_back(connection);
            found
        });
        joined(read.await)
    }

    /// Waits for the reads that run, refuses later ones, and closes the connections.
    pub(in crate::store) async fn close(&self) {
        let all = self.0.permits.acquire_many(READERS).await;
        self.0.permits.close();
        drop(all);
        self.0.idle().clear();
    }
}

impl Inner {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that was used last, or a new one.
    fn take(&self) -> Result<SqliteConnection> {
        let last = self.idle().pop();
        last.map_or_else(|| SqliteConnection::read_only(&self.database, CACHE), |idle| Ok(idle.connection))
    }

    fn put_back(&self, connection: SqliteConnection) {
        let now = self.clock.elapsed();
        let mut idle = self.idle();
        idle.retain(|idle| now.saturating_sub(idle.since) < IDLE);
        idle.push(Idle { connection, since: now });
    }

    fn limit(&self, connection: &SqliteConnection) -> Result<()> {
        let (clock, end) = (self.clock.clone(), self.clock.elapsed() + self.limit);
        connection.interrupt_unless(STEPS, move || clock.elapsed() < end)
    }
}

/// The result of a blocking task. A panic goes on in the caller; a cancelled task is [`Error::Closed`].
fn joined<T>(read: std::result::Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    match read {
        Ok(found) => found,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::Closed),
        },
    }
}
