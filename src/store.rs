//! The SQLite store: events, deliveries, messages and attempts. The only module that knows SQL.
//!
//! Durable means fsynced: SQLite in WAL mode with `synchronous=FULL`, and one writer with group commit. Every method
//! that changes something is one unit of that writer. Reads use a small pool of their own.
//!
//! [`Store::open`] never changes what a running `nuncio serve` is doing: command-line tools open the same file.
//! [`Store::take_over`] does, and requires the [`Lock`] that only one process can hold.

mod accept;
mod alert_storm;
mod api_key;
mod attempt;
mod audit;
mod backup;
mod card;
mod clock_confirmation;
mod console;
mod corrupt;
mod database_files;
mod decision;
mod delivery;
mod delivery_query;
mod destination;
mod destination_purge;
mod digest;
mod dispatch;
mod doubt;
mod engine;
mod error;
mod event;
mod expire;
mod export;
mod hint;
mod id_ending;
mod idempotency;
mod lane_crash;
mod late_route;
mod lock;
mod map_destinations;
mod message;
mod meta;
mod migrate;
mod mute;
mod muted;
mod open;
mod outage;
mod path;
mod quarantine;
mod redeliver;
mod requested_event;
mod reroute;
mod retention;
mod route;
mod server;
mod shown;
mod sql;
mod steady;
mod subject_destinations;
mod summary;
mod survey;
mod unit;
mod values;
mod wal;
mod webhook;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::key::Key;
use crate::model::InvalidId;

pub use accept::{Accepted, Incoming, Planned};
pub use audit::{AuditFault, Audited, ChainStart, Head, Verified};
pub use backup::{Staged, backup, inspect, must_exist};
pub use console::EndedSessions;
pub use decision::{CallNext, Calling, CardLocation, CardOf, Changed, DecisionChange, DecisionTrigger};
pub use delivery::Waiting;
pub use digest::{Claim, Taken};
pub use dispatch::SelectedWebhook;
pub use doubt::InDoubt;
pub use event::Recent;
pub use export::{ExportPage, WholeEvent};
pub use hint::{HintReceiver, HintSender};
pub use idempotency::IDEMPOTENCY_KEPT;
pub use lane_crash::LaneCrash;
pub use lock::Lock;
pub use message::{AttemptEntry, FollowUp, NextStep, Recorded, stays_open};
pub use quarantine::Quarantined;
pub use redeliver::{Requester, Selection};
pub use reroute::{Reroute, Rerouted, Rerouting};
pub use retention::{Outdated, RetentionTable};
pub use survey::{
    BotSurvey, SealedWebhook, StoppedAt, Survey, WaitingLane, entrance_of, newest_test, survey, survey_bot,
    way_of,
};
pub use webhook::{KnownWebhook, StoreOutcome, WebhookTested};

/// Why a store operation failed. Shown to the operator, never to a sender.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// SQLite returned an error that no other variant covers, or could not be reached.
    #[error("the database refused: {0}")]
    Database(Arc<dyn std::error::Error + Send + Sync>),
    /// A file beside the database cannot be used.
    #[error(
        "{path} cannot be used ({error}): check what is there and its permissions. If it is the database's own, \
         NUNCIO_DATABASE_URL can name another place"
    )]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        error: Arc<std::io::Error>,
    },
    /// The file for a backup exists already.
    #[error("{0} exists already, and nuncio overwrites no backup: give another name. Nothing was copied")]
    BackupExists(PathBuf),
    /// Another `nuncio serve` holds the lock.
    #[error(
        "another nuncio{holder} is running on this database ({lock} is locked): stop it first, or give this one a NUNCIO_DATABASE_URL of its own"
    )]
    Locked {
        /// Path of the lock file.
        lock: PathBuf,
        /// Process that holds the lock, in parentheses after a space; empty if unknown.
        holder: String,
    },
    /// Another `nuncio serve` is running, and its lock file was removed.
    #[error(
        "another nuncio ({0}) is running on this database, though its lock file was removed: stop it first, or give this one a NUNCIO_DATABASE_URL of its own"
    )]
    AlreadyServed(String),
    /// The database file has several hard links.
    #[error(
        "{0} has {1} names (hard links), and a second nuncio under another of them would destroy it: find them with `find DIRECTORY -samefile {0}`, keep one, and copy instead of linking"
    )]
    Linked(PathBuf, u64),
    /// A database file was moved, removed or replaced after it was opened.
    #[error(
        "{0} is no longer the file that nuncio has open (it was removed, moved or replaced): nothing is accepted, because a restart would not find it. Put it back, then restart nuncio. If it was deleted, save what nuncio still holds before you stop it: see \"The database was deleted\" in docs/operations.md"
    )]
    Moved(PathBuf),
    /// The file is a database of another program.
    #[error("{0} holds tables, but nuncio did not make them: set NUNCIO_DATABASE_URL to a file of its own")]
    Foreign(PathBuf),
    /// A development version before the first release wrote the database.
    #[error(
        "{0} was written by a development version of nuncio, before the first release, and cannot be migrated: set \
         NUNCIO_DATABASE_URL to a new file. Nothing was changed. What the old file holds stays readable: that version's \
         `nuncio db export`, or sqlite3"
    )]
    Development(PathBuf),
    /// The schema version is newer than this program knows.
    #[error(
        "the database was written by a newer nuncio (its schema {0} is unknown here): start that version. Nothing was changed"
    )]
    Newer(i64),
    /// The schema differs from the one that nuncio's migrations make.
    #[error(
        "the database's schema {0} is not the one nuncio made: restore your last backup. Nothing was changed"
    )]
    Changed(i64),
    /// The database file is damaged.
    #[error(
        "the database is damaged ({0}), so nuncio does not use it. Restore your last backup, or save what can be \
         read with `sqlite3 FILE .recover`"
    )]
    Damaged(String),
    /// An fsync failed.
    #[error(
        "the disk did not confirm what was written ({0}): nuncio stops, and what it acknowledged is safe. Check the \
         disk, then start nuncio again"
    )]
    NotSynced(String),
    /// The disk is full.
    #[error("the disk is full: nothing can be stored until there is room; nuncio goes on by itself then")]
    Full,
    /// The database file is not writable.
    #[error(
        "the database cannot be written ({0}): check the permissions of its file and folder, and whether the file \
         system is mounted read-only"
    )]
    ReadOnly(String),
    /// The database file, or one beside it, cannot be opened.
    #[error("the database cannot be opened ({0}): check the permissions of its file and folder")]
    Unopened(String),
    /// Any other I/O error of the disk.
    #[error("the disk reports an error ({0}): look at the system's log (dmesg)")]
    Disk(String),
    /// Another program holds a lock on the database.
    #[error(
        "another program has held the database for 5 s (sqlite3 with an open transaction, a backup?): end it; nuncio goes on by itself then"
    )]
    Occupied,
    /// The bundled SQLite has a known bug that corrupts databases.
    #[error("SQLite {0} can corrupt a WAL database that two connections use: 3.51.3 or newer is needed")]
    TooOld(String),
    /// A read ran so long that it kept the write-ahead log from being truncated.
    #[error(
        "the database has not answered a query for 30 s: its disk is too slow, or another program keeps it busy"
    )]
    ReadTooLong,
    /// A stored value is not one that nuncio writes.
    #[error("the database holds a value that nuncio did not write: {0}")]
    Corrupt(String),
    /// The database was sealed with another key.
    #[error(
        "{0} was sealed with another key: put nuncio.key back (beside .env, or without one beside the database), or set NUNCIO_ENCRYPTION_KEY to the key it had before. If that key is lost for good: nuncio audit rekey"
    )]
    OtherKey(PathBuf),
    /// The key was never loaded: see [`Store::unlock`].
    #[error("the encryption key is not loaded: nothing can be sealed, opened or written to the audit log")]
    NoKey,
    /// The writer's queue was full for too long.
    #[error("the database is too slow: the queue to it has been full for 5 s")]
    Busy,
    /// The store is closed.
    #[error("the database is closed")]
    Closed,
    /// A unit panicked and was rolled back.
    #[error("a change to the database panicked and was rolled back")]
    Panicked,
    /// The row is no longer in the state that the change requires.
    #[error("nothing to change: {0}")]
    Stale(&'static str),
}

impl From<InvalidId> for Error {
    fn from(error: InvalidId) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Result of every store method.
pub type Result<T> = std::result::Result<T, Error>;

/// Handle of the open database. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    clock: Clock,
    read: engine::sqlite::Reads,
    writer: writer::Writer,
    health: error::WriterHealth,
    database_files: Arc<database_files::DatabaseFiles>,
    audit_key: OnceLock<audit::AuditKey>,
    /// Seals values that must not be readable in the database.
    seal_key: OnceLock<Key>,
    hints: HintSender,
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Store {
    /// Path of the database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Commits the pending units and closes the file. Units submitted afterwards are refused.
    pub async fn close(&self) {
        self.0.writer.stop().await;
        let tasks =
            std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for task in tasks {
            task.abort();
        }
        self.0.read.close().await;
    }

    fn writer(&self) -> &writer::Writer {
        &self.0.writer
    }

    fn read(&self) -> &engine::sqlite::Reads {
        &self.0.read
    }
}
