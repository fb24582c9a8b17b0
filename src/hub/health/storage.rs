//! Storage health: whether the database accepts writes, as far as is known.

use std::time::Duration;

use crate::hub::{Condition, Hub};
use crate::store;

/// Probe interval of a failing database, so that its reported state is never old.
const PROBE: Duration = Duration::from_secs(1);
/// Key that the probe writes.
const PROBED: &str = "storage.probed";
/// Above this size the write-ahead log is reported: another program prevents its checkpoint.
const LONG_LOG: u64 = 64 * 1024 * 1024;

impl Hub {
    /// Reports that the database rejected a write. Returns whether that is news.
    pub fn storage_failing(&self, error: &store::Error) -> bool {
        self.conditions().raise(Condition::StoreFailing, error.to_string())
    }

    /// Reports that the database accepted a write.
    pub fn storage_works(&self) {
        if self.conditions().clear(Condition::StoreFailing) {
            tracing::info!("the database takes writes again");
        }
    }

    /// Checks that the database's files are where they were opened; if not, raises a condition and logs it once.
    pub(in crate::hub) fn check_storage_place(&self) -> bool {
        let Err(error) = self.0.store.check_place() else { return true };
        if self.storage_failing(&error) {
            tracing::error!("{error}");
        }
        false
    }

    /// Probes a failing database each second: it may recover while there is nothing to store. Also checks its files,
    /// and warns of a growing write-ahead log. Never returns.
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

    /// The problem of a database file with a second hard link: harmless until the next start, which is refused.
    pub(in crate::hub) fn link_problem(&self) -> Option<String> {
        let store = &self.0.store;
        Some(store.links())
            .filter(|links| *links > 1)
            .map(|links| store::Error::Linked(store.path().to_owned(), links).to_string())
    }

    /// The problem of an overlong write-ahead log, as a sentence with a remedy.
    pub(in crate::hub) fn storage_problem(&self) -> Option<String> {
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
