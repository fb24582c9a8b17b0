//! What nuncio remembers: events, deliveries, messages, attempts. The only module that knows SQL.
//!
//! Durable means fsynced: SQLite in WAL mode with `synchronous=FULL`, one [writer](writer) with group commit, and
//! every method that changes something is one unit of it. Reads go through a small pool of their own.
//!
//! [`Store::open`] never changes what a running `nuncio serve` is doing: command-line tools open the same file.
//! [`Store::take_over`] does, and wants the [`Lock`] that only one process can hold.

mod accept;
mod audit;
mod card;
mod delivery;
mod destination;
mod event;
mod hint;
mod letter;
mod lock;
mod message;
mod meta;
mod open;
mod quarantine;
mod redeliver;
mod rows;
mod summary;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use sqlx::sqlite::SqlitePool;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::model::InvalidId;

pub use accept::{Accepted, Incoming, Planned};
pub use audit::{Audited, Fault, Head, Verified};
pub use delivery::Backlog;
pub use event::Recent;
pub use hint::{HintReceiver, HintSender};
pub use letter::{Letter, Try, Which};
pub use lock::Lock;
pub use message::Next;
pub use quarantine::Quarantined;
pub use redeliver::Revived;
pub use summary::Tally;

/// Why the store could not do it. Shown to the operator, never to a sender.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The database refused or could not be reached.
    #[error("the database refused: {0}")]
    Database(Arc<sqlx::Error>),
    /// The migrations could not be applied.
    #[error("the database cannot be brought up to date: {0}")]
    Migration(Arc<sqlx::migrate::MigrateError>),
    /// A file beside the database cannot be used.
    #[error("{path}: {error}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        error: Arc<std::io::Error>,
    },
    /// Another `nuncio serve` holds the lock.
    #[error(
        "another nuncio is running on this database ({0} is locked): stop it first, or give this one a NUNCIO_DATABASE_URL of its own"
    )]
    Locked(PathBuf),
    /// The file is somebody else's database.
    #[error("{0} holds tables, but nuncio did not make them: set NUNCIO_DATABASE_URL to a file of its own")]
    Foreign(PathBuf),
    /// The bundled SQLite has a known fault.
    #[error("SQLite {0} can corrupt a WAL database that two connections use: 3.51.3 or newer is needed")]
    TooOld(String),
    /// What stands in the database is not what nuncio writes.
    #[error("the database holds something nuncio did not write: {0}")]
    Corrupt(String),
    /// The audit log was begun under another key.
    #[error(
        "{0} was sealed with another key: put nuncio.key back beside .env, or set NUNCIO_ENCRYPTION_KEY to the key it had before"
    )]
    OtherKey(PathBuf),
    /// Nobody gave the audit log its key.
    #[error("the audit log has no key: nothing that must be noted in it can be done")]
    NoKey,
    /// The writer's queue was full for too long.
    #[error("the database is too slow: the queue to it has been full for 5 s")]
    Busy,
    /// The store is closed.
    #[error("the database is closed")]
    Closed,
    /// A unit panicked. Nothing of it stays.
    #[error("a change to the database panicked and was taken back")]
    Panicked,
    /// What should be changed is no longer in the state it was in.
    #[error("nothing to change: {0}")]
    Stale(&'static str),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl From<InvalidId> for Error {
    fn from(error: InvalidId) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// What every method of the store answers.
pub type Result<T> = std::result::Result<T, Error>;

/// The open database. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    clock: Clock,
    read: SqlitePool,
    writer: writer::Writer,
    audit_key: OnceLock<audit::AuditKey>,
    checkpoints: JoinHandle<()>,
}

impl Store {
    /// Where the database is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Writes what waits and closes the file. Whatever is submitted afterwards is refused.
    pub async fn close(&self) {
        self.0.writer.stop().await;
        self.0.checkpoints.abort();
        self.0.read.close().await;
    }

    fn writer(&self) -> &writer::Writer {
        &self.0.writer
    }

    fn read(&self) -> &SqlitePool {
        &self.0.read
    }
}
