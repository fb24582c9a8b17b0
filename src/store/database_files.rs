//! Database file identity: proof that the open files are still the ones at their paths.
//!
//! A file that is removed or replaced stays open: writes to it succeed, and a restart does not find them. So the
//! device and inode at the path are compared around every commit. This uses `metadata` only: closing any other
//! descriptor of the file would drop SQLite's locks on it (SQLite: "How To Corrupt An SQLite Database File", 2.2).

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, Weak};

use crate::store::lock::Held;
use crate::store::path::{Identity, unusable};
use crate::store::{Error, Result, Store, wal};

/// A file and its identity when it was opened.
#[derive(Debug)]
struct Opened {
    path: PathBuf,
    identity: Identity,
}

impl Opened {
    fn at(path: PathBuf) -> Result<Self> {
        let identity = Identity::at(&path).map_err(|error| unusable(&path, error))?;
        Ok(Self { path, identity })
    }

    fn check(&self) -> Result<()> {
        match Identity::at(&self.path) {
            Ok(found) if found == self.identity => Ok(()),
            _ => Err(Error::Moved(self.path.clone())),
        }
    }
}

/// The files of one open database.
#[derive(Debug)]
pub(super) struct DatabaseFiles {
    database: Opened,
    log: Opened,
    index: Opened,
    /// A commit went into a file that is no longer at its path: what was answered and what is stored may differ.
    lost: AtomicBool,
    /// The lock of this server; unset in other commands.
    lock: OnceLock<Weak<Held>>,
}

impl DatabaseFiles {
    /// Records the files of the open database at `path`.
    pub(super) fn of(path: &Path) -> Result<Self> {
        Ok(Self {
            database: Opened::at(path.to_owned())?,
            log: Opened::at(wal::beside(path))?,
            index: Opened::at(wal::index_beside(path))?,
            lost: AtomicBool::new(false),
            lock: OnceLock::new(),
        })
    }

    /// Watches `lock` from now on.
    pub(super) fn held_by(&self, lock: Weak<Held>) {
        // A second `take_over` comes from the same process, with the same lock.
        let _ = self.lock.set(lock);
    }

    /// Checks, before a transaction, that a restart would find what it writes. Recovers when the file is put back.
    pub(super) fn check_before(&self) -> Result<()> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(Error::Moved(self.database.path.clone()));
        }
        self.database.check()
    }

    /// Checks again after a commit, before any sender gets an answer. Once this fails, everything is refused until a
    /// restart: what was written is not what was answered.
    pub(super) fn check_after(&self) -> Result<()> {
        let found = self.database.check().and_then(|()| self.log.check());
        if found.is_err() {
            self.lost.store(true, Ordering::Relaxed);
        }
        found
    }
}

impl Store {
    /// Checks that the database files are still the opened ones, and that the lock is still ours. Recreates a removed
    /// lock file. If another process holds the lock now, the store fails for good ([`Store::failed`]).
    pub fn check_place(&self) -> Result<()> {
        let files = &self.0.database_files;
        if let Some(lock) = files.lock.get().and_then(Weak::upgrade)
            && let Err(error) = lock.keep()
        {
            self.0.health.fail(error.clone());
            return Err(error);
        }
        files.check_before()?;
        files.log.check()?;
        files.index.check()
    }

    /// Number of hard links of the database file. With more than one, the next start is refused.
    #[must_use]
    pub fn links(&self) -> u64 {
        fs::metadata(self.path()).map_or(1, |found| found.nlink())
    }

    /// Returns whether other users of this machine may read the database.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
        crate::key::is_open_to_others(self.path())
    }
}
