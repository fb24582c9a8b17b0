//! Backup and restore: a full copy of the database beside a running server, and the replacement of a database by one.
//!
//! The key is never copied: a backup alone does not open what is sealed in it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::clock::Timestamp;
use crate::store::engine::sqlite::SqliteConnection;
use crate::store::path::{PRIVATE, resolve, unusable};
use crate::store::sql::{query, query_as, query_scalar};
use crate::store::{Error, Lock, Result, wal};

/// SQLite page cache in KiB; negative by SQLite's convention.
const CACHE: i64 = -2048;

/// Copies the database at `database` into the new file `target`. A running server continues meanwhile. Returns the
/// size of the copy in bytes; the copy is fsynced when this returns.
///
/// # Errors
/// If there is no database, or `target` already exists: then nothing is touched.
pub fn backup(database: &Path, target: &Path) -> Result<u64> {
    let database = resolve(database)?;
    let connection = SqliteConnection::read_only(&database, CACHE)?;
    // SQLite accepts an empty file as the target, and this one is private to its user.
    let made = File::options().write(true).create_new(true).mode(PRIVATE).open(target);
    drop(made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::BackupExists(target.to_owned()),
        _ => unusable(target, error),
    })?);
    let copied = copy(&connection, target);
    if copied.is_err() {
        // Remove a partial copy.
        let _ = fs::remove_file(target);
    }
    copied
}

fn copy(connection: &SqliteConnection, target: &Path) -> Result<u64> {
    let name = target.to_string_lossy();
    query("VACUUM INTO $1").bind(name.as_ref()).all_on(connection)?;
    let file = File::open(target).and_then(|file| file.sync_all().map(|()| file));
    let length = file.and_then(|file| file.metadata()).map_err(|error| unusable(target, error))?.len();
    sync_folder(target).map_err(|error| unusable(target, error))?;
    Ok(length)
}

/// Checks a database for damage. Returns the faults; empty if it is sound.
pub fn inspect(database: &Path) -> Result<Vec<String>> {
    faults(&SqliteConnection::read_only(&resolve(database)?, CACHE)?)
}

/// Faults that SQLite's integrity and foreign-key checks find in an open database.
pub(super) fn faults(connection: &SqliteConnection) -> Result<Vec<String>> {
    let mut found: Vec<String> = query_scalar("PRAGMA integrity_check(20)").all_on(connection)?;
    found.retain(|line| line != "ok");
    let dangling =
        query_as::<(String, Option<i64>, String)>("SELECT * FROM pragma_foreign_key_check LIMIT 20");
    found.extend(dangling.all_on(connection)?.into_iter().map(|(table, row_id, parent)| {
        let row_id = row_id.map(|id| format!(" {id}")).unwrap_or_default();
        format!("row{row_id} of {table} names a row of {parent} that is not there")
    }));
    Ok(found)
}

/// A copy beside the database, to be checked before it replaces the database.
#[derive(Debug)]
pub struct Staged {
    database: PathBuf,
    copy: PathBuf,
}

impl Staged {
    /// Copies `backup` beside the database that `lock` protects.
    ///
    /// # Errors
    /// If the backup cannot be read, or the copy cannot be written.
    pub fn copy(backup: &Path, database: &Path, _lock: &Lock) -> Result<Self> {
        let database = resolve(database)?;
        let copy = with_ending(&database, ".restoring");
        let staged = Self { database, copy };
        staged.clear();
        let mut from = File::open(backup).map_err(|error| unusable(backup, error))?;
        let target = File::options().write(true).create_new(true).mode(PRIVATE).open(&staged.copy);
        let mut target = target.map_err(|error| unusable(&staged.copy, error))?;
        io::copy(&mut from, &mut target)
            .and_then(|_| target.sync_all())
            .map_err(|error| unusable(&staged.copy, error))?;
        Ok(staged)
    }

    /// Path of the copy.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.copy
    }

    /// Replaces the database with the copy and renames the old one. Returns the old one's new path; `None` if there
    /// was none.
    ///
    /// # Errors
    /// If a file cannot be moved.
    pub fn take_place(&self, now: Timestamp) -> Result<Option<PathBuf>> {
        let moved = self.moved(now).map_err(|error| unusable(&self.database, error))?;
        Ok(moved)
    }

    fn moved(&self, now: Timestamp) -> io::Result<Option<PathBuf>> {
        if !self.database.exists() {
            fs::rename(&self.copy, &self.database)?;
            sync_folder(&self.database)?;
            return Ok(None);
        }
        // Checkpoint first, so that the old database is complete in one file wherever the renaming is interrupted. A
        // damaged one cannot be checkpointed and keeps its log beside it.
        if let Ok(old) = SqliteConnection::existing(&self.database, CACHE) {
            let _ = query("PRAGMA wal_checkpoint(TRUNCATE)").all_on(&old);
        }
        let stamp: String = now.to_rfc3339().chars().take(19).filter(char::is_ascii_alphanumeric).collect();
        let aside = with_ending(&self.database, &format!(".before-{stamp}Z"));
        if aside.exists() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        for (from, to) in [
            (wal::beside(&self.database), wal::beside(&aside)),
            (wal::index_beside(&self.database), wal::index_beside(&aside)),
            (self.database.clone(), aside.clone()),
        ] {
            match fs::rename(from, to) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                moved => moved?,
            }
        }
        fs::rename(&self.copy, &self.database)?;
        sync_folder(&self.database)?;
        Ok(Some(aside))
    }

    /// Removes the copy and its companion files.
    fn clear(&self) {
        for path in [self.copy.clone(), wal::beside(&self.copy), wal::index_beside(&self.copy)] {
            let _ = fs::remove_file(path);
        }
        let _ = fs::remove_file(with_ending(&self.copy, ".lock"));
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.clear();
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Fsyncs the folder: only then is a new file name durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Checks that the database exists: commands about a database do not create one.
///
/// # Errors
/// If there is none.
pub fn must_exist(database: &Path) -> Result<()> {
    let path = resolve(database)?;
    if path.is_file() { Ok(()) } else { Err(unusable(&path, io::ErrorKind::NotFound.into())) }
}
