//! Whether the database takes what is to be stored, as far as is known.

use std::time::Duration;

use crate::hub::{Condition, Hub};
use crate::store;

/// How often a database that refused is tried again, so that the word about it is never old.
const PROBE: Duration = Duration::from_secs(1);
/// Where the probe writes.
const PROBED: &str = "storage.probed";
/// Above this the write-ahead log is worth a word: somebody keeps it from being folded in.
const LONG_LOG: u64 = 64 * 1024 * 1024;

impl Hub {
    /// Says that the database refused a change. Answers whether that is news.
    pub fn storage_failing(&self, error: &store::Error) -> bool {
        self.conditions().raise(Condition::StoreFailing, error.to_string())
    }

    /// Says that the database took a change.
    pub fn storage_works(&self) {
        if self.conditions().clear(Condition::StoreFailing) {
            tracing::info!("the database takes writes again");
        }
    }

    /// Whether the database's files are where they were opened; where not, that is a condition, and logged once.
    pub(super) fn check_storage_place(&self) -> bool {
        let Err(error) = self.0.store.check_place() else { return true };
        if self.storage_failing(&error) {
            tracing::error!("{error}");
        }
        false
    }

    /// While the database refuses, tries it each second: it may work again though nobody has anything to store. Looks
    /// after its files, and tells when its log grows. Does not return.
    pub async fn watch_storage(&self) {
        let mut grown = false;
        loop {
            self.0.clock.sleep(PROBE).await;
            if !self.check_storage_place() {
                continue;
            }
            let problem = self.storage_problem();
            match (grown, &problem) {
                (false, Some(problem)) => tracing::warn!("{problem}"),
                (true, None) => tracing::info!("the database's write-ahead log is short again"),
                _ => {}
            }
            grown = problem.is_some();
            if self.conditions().holds(Condition::StoreFailing)
                && self.0.store.set_meta(PROBED, self.0.clock.now().to_rfc3339()).await.is_ok()
            {
                self.storage_works();
            }
        }
    }

    /// Somebody gave the database's file a second name: that does no harm until the next start, which is refused.
    pub(super) fn link_problem(&self) -> Option<String> {
        let store = &self.0.store;
        Some(store.links())
            .filter(|links| *links > 1)
            .map(|links| store::Error::Linked(store.path().to_owned(), links).to_string())
    }

    /// What is odd about the files, a sentence with what to do.
    pub(super) fn storage_problem(&self) -> Option<String> {
        let length = self.0.store.wal_bytes();
        (length > LONG_LOG).then(|| {
            format!(
                "the database's write-ahead log has grown to {} MiB: another program keeps reading the database \
                 (sqlite3, a backup?). `fuser {}` names it. End it, and the log shrinks by itself; until then it \
                 grows with every event",
                length / (1024 * 1024),
                self.0.store.path().display()
            )
        })
    }
}
