//! The lock file beside the database: one `nuncio serve` at a time.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use crate::store::{Error, Result};

/// Proof that this process alone serves the database. Dropping it lets the next one in; so does dying.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes `nuncio.lock` beside `database`. [`Error::Locked`] if another process holds it.
    pub fn acquire(database: &Path) -> Result<Self> {
        let path = database.with_file_name("nuncio.lock");
        let file_error = |error| Error::File { path: path.clone(), error: Arc::new(error) };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file_error)?;
        }
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).map_err(file_error)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked(path)),
            Err(TryLockError::Error(error)) => Err(file_error(error)),
        }
    }

    /// Whether a process serves `database` at the moment, as far as can be told.
    #[must_use]
    pub fn is_held(database: &Path) -> bool {
        let file = File::open(database.with_file_name("nuncio.lock"));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}
