//! SQLite error codes and what they mean for the operator. (SQLite: "Result and Error Codes".)

use std::io::ErrorKind;
use std::sync::Arc;

use crate::store::{Error, Result, Store};

/// Primary result codes: the lowest byte.
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const NOTADB: u32 = 26;
const INTERRUPT: u32 = 9;
/// Extended result codes of a failed fsync. The operating system reports such an error only once, so the next
/// successful fsync proves nothing about earlier writes.
const IOERR_FSYNC: u32 = 1034;
const IOERR_DIR_FSYNC: u32 = 1290;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, Utf8Error};
        if let InvalidColumnType(..) | FromSqlConversionFailure(..) | Utf8Error(..) = error {
            return Self::Corrupt(error.to_string());
        }
        let code = error.sqlite_error().map(|error| error.extended_code.cast_unsigned());
        code.and_then(|code| meaning(code, error.to_string()))
            .unwrap_or_else(|| Self::Database(Arc::new(error)))
    }
}

/// Maps an extended code to an error, if that is more specific than SQLite's own `message`.
fn meaning(code: u32, message: String) -> Option<Error> {
    Some(match (code, code & 0xff) {
        (IOERR_FSYNC | IOERR_DIR_FSYNC, _) => Error::NotSynced(message),
        (_, BUSY | LOCKED) => Error::Occupied,
        (_, INTERRUPT) => Error::ReadTooLong,
        (_, READONLY) => Error::ReadOnly(message),
        (_, CANTOPEN) => Error::Unopened(message),
        (_, FULL) => Error::Full,
        (_, IOERR) => Error::Disk(message),
        (_, CORRUPT | NOTADB) => Error::Damaged(message),
        _ => return None,
    })
}

impl Error {
    /// Returns whether nothing may be written after this error: the file no longer holds what was written.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::NotSynced(_) | Self::Damaged(_))
    }

    /// Returns whether the error concerns a single row only.
    #[must_use]
    pub const fn is_of_one_row(&self) -> bool {
        matches!(self, Self::Corrupt(_))
    }

    /// Returns whether a restart cannot help: the operator must act first.
    #[must_use]
    pub fn needs_a_person(&self) -> bool {
        if let Self::File { error, .. } = self {
            return !matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        }
        matches!(
            self,
            Self::Locked { .. }
                | Self::AlreadyServed(_)
                | Self::Linked(..)
                | Self::Foreign(_)
                | Self::TooOld(_)
                | Self::Newer(_)
                | Self::Changed(_)
                | Self::Damaged(_)
                | Self::ReadOnly(_)
                | Self::OtherKey(_)
                | Self::Unopened(_)
        )
    }
}

/// Up to this size the file is checked before any event is accepted; a larger file is checked in the background.
const CHECKED_FIRST: u64 = 128 * 1024 * 1024;

impl Store {
    /// Checks the whole file (SQLite: `quick_check`): at once if it is small, else in the background. Damage that is
    /// found in the background makes the store fail for good ([`Store::failed`]).
    pub async fn check(&self) -> Result<()> {
        let size = std::fs::metadata(self.path()).map_or(0, |file| file.len());
        if size <= CHECKED_FIRST {
            return self.quick_check().await;
        }
        let store = self.clone();
        let task = tokio::spawn(async move {
            match store.quick_check().await {
                Ok(()) => tracing::debug!("the database was checked and is sound"),
                Err(error) if error.is_fatal() => store.0.health.fail(error),
                Err(error) => tracing::warn!(%error, "the database could not be checked"),
            }
        });
        self.0.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(task);
        Ok(())
    }

    async fn quick_check(&self) -> Result<()> {
        let found = self.read().run_unlimited(|connection| {
            let checked =
                connection.driver().query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
            Ok(checked?)
        });
        let found = found.await?;
        if found == "ok" { Ok(()) } else { Err(Error::Damaged(found.replace('\n', " "))) }
    }

    /// Returns why the store failed for good, if it did: nothing is written any more, and the process should exit.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        self.0.health.failure()
    }

    /// Waits until the store fails for good.
    pub async fn failed(&self) -> Error {
        self.0.health.failed().await
    }
}

/// Fatal-error state of the store. Clones share it.
#[derive(Clone, Default)]
pub(super) struct WriterHealth(tokio::sync::watch::Sender<Option<Error>>);

impl WriterHealth {
    /// Makes the store fail for good; the first error is kept.
    pub(super) fn fail(&self, error: Error) {
        self.0.send_if_modified(|failure| {
            let first = failure.is_none();
            failure.get_or_insert(error);
            first
        });
    }

    pub(super) fn failure(&self) -> Option<Error> {
        self.0.borrow().clone()
    }

    pub(super) async fn failed(&self) -> Error {
        let mut failure = self.0.subscribe();
        // The channel stays open: `self` owns the sender.
        match failure.wait_for(Option::is_some).await.map(|failure| failure.clone()) {
            Ok(Some(error)) => error,
            _ => Error::Closed,
        }
    }
}
