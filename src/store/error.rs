//! What an error means for the operator, the check of the whole file, and the fatal-error state.

use std::io::ErrorKind;

use crate::store::sql::query_scalar;
use crate::store::{Error, Result, Store};

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
                | Self::Development(_)
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
        let found = self
            .read()
            .run_unlimited(|connection| query_scalar::<String>("PRAGMA quick_check(1)").one_on(connection));
        let found = found.await?.unwrap_or_default();
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
