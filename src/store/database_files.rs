//! The files of an open database, and proof that they are still the ones that were opened.
//!
//! A file that is removed or replaced stays open: writing to it succeeds, and a restart does not find what was written.
//! So device and inode behind the path are compared around every commit. `metadata` only: closing any other descriptor
//! of the file would drop SQLite's locks on it (SQLite: "How To Corrupt An SQLite Database File", 2.2).

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, Weak};

use crate::store::lock::Held;
use crate::store::path::{Identity, unusable};
use crate::store::{Error, Result, Store, wal};

/// A file as it was opened.
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
    /// A commit went into a file that is no longer there: what was answered and what is stored may differ.
    lost: AtomicBool,
    /// The lock of the server that this is; nothing in other commands.
    lock: OnceLock<Weak<Held>>,
}

impl DatabaseFiles {
    /// The files of the database at `path`, which is open.
    pub(super) fn of(path: &Path) -> Result<Self> {
        Ok(Self {
            database: Opened::at(path.to_owned())?,
            log: Opened::at(wal::beside(path))?,
            index: Opened::at(wal::index_beside(path))?,
            lost: AtomicBool::new(false),
            lock: OnceLock::new(),
        })
    }

    /// The lock is watched from now on.
    pub(super) fn held_by(&self, lock: Weak<Held>) {
        // A second taking over is by the same process, with the same lock.
        let _ = self.lock.set(lock);
    }

    /// Before a transaction: whether what it writes would be found. Heals when the file is put back.
    pub(super) fn check_before(&self) -> Result<()> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(Error::Moved(self.database.path.clone()));
        }
        self.database.check()
    }

    /// After a commit, and before anybody hears of it. Once this fails, everything is refused until a restart: what was
    /// written is not what was answered.
    pub(super) fn check_after(&self) -> Result<()> {
        let found = self.database.check().and_then(|()| self.log.check());
        if found.is_err() {
            self.lost.store(true, Ordering::Relaxed);
        }
        found
    }
}

impl Store {
    /// Whether the database's files are still the ones that were opened, and the lock still ours. A lock file that was
    /// removed is made again; one that somebody else holds now ends the store ([`Store::failed`]).
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

    /// How many names the database's file has. With more than one, the next start is refused.
    #[must_use]
    pub fn links(&self) -> u64 {
        fs::metadata(self.path()).map_or(1, |found| found.nlink())
    }

    /// Whether other users of this machine may read the database.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
        crate::key::is_open_to_others(self.path())
    }
}
