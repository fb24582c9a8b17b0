//! Files: `.env`, the folders, the key, the database, and the process that holds it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

use crate::config::{Config, EncryptionKey, Variables};
use crate::doctor::code::Code;
use crate::doctor::{Check, State, disk, key_place};
use crate::key::{self, Key, is_open_to_others};
use crate::store::{self, Lock, Survey, survey};

/// With less free space an event storm may fill the disk.
const LITTLE_ROOM: u64 = 500 * MIB;
/// With less free space the next write may fail.
const NO_ROOM: u64 = 50 * MIB;
const MIB: u64 = 1024 * 1024;

/// The check of `.env`: where the variables come from.
pub(super) fn dotenv(variables: &Variables) -> Vec<Check> {
    let Some(path) = variables.dotenv() else {
        let found = "There is no .env in this folder: only the variables of the environment count.";
        return vec![Check::ok(Code::EnvFile, found)];
    };
    let shown = path.canonicalize().unwrap_or_else(|_| path.clone());
    let Ok(metadata) = fs::metadata(&path) else { return Vec::new() };
    let mode = metadata.permissions().mode() & 0o777;
    let shown = shown.display();
    if metadata.is_file() && is_open_to_others(&path) {
        return vec![Check::warn(
            Code::EnvFileOpen,
            format!(
                "{shown} holds secrets, and other users of this machine may read or change it (its mode is {mode:03o})."
            ),
            format!("Run: chmod 600 {shown}"),
        )];
    }
    vec![Check::ok(
        Code::EnvFile,
        format!("Variables come from the environment and from {shown} (mode {mode:03o})."),
    )]
}

/// All checks of files, and what the database holds if it can be read.
pub(super) async fn checks(config: &Config) -> (Vec<Check>, Option<Survey>) {
    let database = &config.database.path;
    let mut checks = Vec::new();
    let data = &absolute(folder_of(database));
    checks.push(disk::user(database));
    checks.push(data_folder(data));
    checks.extend(disk::network(data));
    checks.extend(room(data));
    checks.push(log_folder(&absolute(&config.logs.dir)));
    let (on_database, survey) = database_checks(database).await;
    checks.push(key(config, survey.as_ref()));
    checks.extend(on_database);
    checks.extend(survey.as_ref().map(|survey| disk::retention(config, survey)));
    if Lock::is_held(database) {
        checks.push(Check::ok(Code::NuncioRunning, "A nuncio is running on this database."));
    }
    (checks, survey)
}

/// Why the database at `database` cannot be written, and what to do; `None` if its folder is writable.
#[must_use]
pub fn cannot_keep_data(database: &Path) -> Option<(String, String)> {
    let check = data_folder(&absolute(folder_of(database)));
    (check.state == State::Fail).then(|| (check.found, check.remedy.unwrap_or_default()))
}

fn data_folder(data: &Path) -> Check {
    match writable(data) {
        Ok(()) => Check::ok(Code::DataFolder, format!("The data folder {} can be written.", data.display())),
        Err(FileObstacle { at, is_read_only: true, .. }) => disk::read_only(data, &at),
        Err(FileObstacle { at, why, .. }) => Check::fail(
            Code::DataFolderUnwritable,
            format!("The database belongs in {}, but {} {why}.", data.display(), at.display()),
            format!(
                "Let the user that nuncio runs as write there (chown, chmod u+rwx {}), or set NUNCIO_DATABASE_URL to another place.",
                at.display()
            ),
        ),
    }
}

fn log_folder(dir: &Path) -> Check {
    match writable(dir) {
        Ok(()) => Check::ok(Code::LogFolder, format!("The log folder {} can be written.", dir.display())),
        Err(FileObstacle { at, why, .. }) => Check::warn(
            Code::LogFolderUnwritable,
            format!(
                "Logs belong in {}, but {} {why}: nuncio runs without log files.",
                dir.display(),
                at.display()
            ),
            "Let the user that nuncio runs as write there, or set LOG_DIR to another folder.",
        ),
    }
}

/// The configured key; `None` if the first start will make it.
///
/// # Errors
/// If it cannot be read, or is not a key.
pub(super) fn read_key(config: &Config) -> Result<Option<Key>, key::Error> {
    match &config.encryption {
        EncryptionKey::Given(key) => Ok(Some(key.clone())),
        EncryptionKey::File { path, .. } => Key::read(path),
    }
}

/// The whole path: the operator may not know the working directory.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The parent folder of `file`.
pub(super) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What keeps this user from creating files in a folder.
pub(crate) struct FileObstacle {
    /// The folder, or the existing one above it.
    pub(crate) at: PathBuf,
    pub(crate) why: String,
    is_read_only: bool,
}

/// Whether this user can create files in `folder`, or create the folder.
pub(crate) fn writable(folder: &Path) -> Result<(), FileObstacle> {
    let mut at = folder;
    let obstacle = |at: &Path, why: String| FileObstacle { at: at.to_owned(), why, is_read_only: false };
    loop {
        match fs::metadata(at) {
            Ok(found) if !found.is_dir() => return Err(obstacle(at, "is not a folder".to_owned())),
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::NotFound => at = folder_of(at),
            Err(error) => return Err(obstacle(at, format!("cannot be looked at ({})", error.kind()))),
        }
    }
    match access(at, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Ok(()),
        Err(error) => {
            let kind = std::io::Error::from(error).kind();
            let why = format!("cannot be written by this user ({kind})");
            Err(FileObstacle { is_read_only: kind == ErrorKind::ReadOnlyFilesystem, ..obstacle(at, why) })
        }
    }
}

/// The free space for the database.
fn room(folder: &Path) -> Option<Check> {
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let disk = statvfs(there).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let found = format!("{} MiB are left on the disk of {}.", free / MIB, folder.display());
    let remedy = "Make room on that disk. Lower RETENTION_DAYS to keep less.";
    match free {
        0..NO_ROOM => Some(Check::fail(Code::DiskNearlyFull, found, remedy)),
        NO_ROOM..LITTLE_ROOM => Some(Check::warn(Code::DiskNearlyFull, found, remedy)),
        _ => None,
    }
}

fn key(config: &Config, survey: Option<&Survey>) -> Check {
    let place = key_place(&config.encryption);
    if let (Ok(Some(key)), Some(survey)) = (read_key(config), survey)
        && !survey.is_opened_by(&key)
    {
        return Check::fail(
            Code::KeyDoesNotFit,
            format!(
                "The key ({place}) is not the one that this database was sealed with: nuncio does not start with it."
            ),
            "Put the key of this database back (or set NUNCIO_ENCRYPTION_KEY to it), or lead NUNCIO_DATABASE_URL to the \
             database of this key. If its key is lost for good: nuncio audit rekey",
        );
    }
    let EncryptionKey::File { path, .. } = &config.encryption else {
        return Check::ok(Code::KeyFile, format!("The key is {place}."));
    };
    let copy = "Put the copy of it back that you kept, or set NUNCIO_ENCRYPTION_KEY to that key. If it is lost for good: \
                nuncio audit rekey";
    match Key::read(path) {
        Err(error) => Check::fail(Code::KeyFileUnusable, format!("The key cannot be used: {error}."), copy),
        Ok(Some(_)) if is_open_to_others(path) => Check::warn(
            Code::KeyFileOpen,
            format!("Other users of this machine may read or change the key in {place}."),
            format!("Run: chmod 600 {place}"),
        ),
        Ok(Some(_)) => Check::ok(Code::KeyFile, format!("The key is in {place}.")),
        Ok(None) if survey.is_some_and(|survey| survey.is_sealed) => Check::fail(
            Code::KeyFileMissing,
            format!("{place} is not there, but the database was sealed with the key in it."),
            copy,
        ),
        Ok(None) => Check::ok(Code::KeyFile, format!("{place} will be made at the first start.")),
    }
}

/// Whether the database is sound, and what it holds.
async fn database_checks(path: &Path) -> (Vec<Check>, Option<Survey>) {
    let shown = path.display();
    if let Err(error) = fs::metadata(path)
        && error.kind() == ErrorKind::NotFound
    {
        return (vec![Check::ok(Code::Database, format!("{shown} will be made at the first start."))], None);
    }
    let file = path.to_owned();
    // A large database takes a while.
    let looked = tokio::task::spawn_blocking(move || survey(&file)).await;
    let survey = match looked.unwrap_or(Err(store::Error::Closed)) {
        Ok(survey) => survey,
        Err(store::Error::Damaged(why)) => return (vec![damaged(path, &why)], None),
        Err(error) => {
            let found = format!("The database {shown} cannot be used: {error}.");
            let remedy = "Do what the sentence says, or set NUNCIO_DATABASE_URL to another place.";
            return (vec![Check::fail(Code::DatabaseUnusable, found, remedy)], None);
        }
    };
    if let Some(fault) = survey.faults.first() {
        return (vec![damaged(path, fault)], None);
    }
    let mut checks = Vec::new();
    if access(path, Access::READ_OK | Access::WRITE_OK).is_err() {
        checks.push(Check::fail(
            Code::DatabaseUnusable,
            format!("The database {shown} cannot be written by this user."),
            format!("Let the user that nuncio runs as write it (chown, chmod u+rw {shown}*)."),
        ));
    } else if is_open_to_others(path) {
        checks.push(Check::warn(
            Code::DatabaseOpen,
            format!("Other users of this machine may read or change {shown}."),
            format!("Run: chmod 600 {shown}*"),
        ));
    } else {
        checks.push(Check::ok(Code::Database, format!("The database {shown} is sound.")));
    }
    (checks, Some(survey))
}

fn damaged(path: &Path, why: &str) -> Check {
    let shown = path.display();
    Check::fail(
        Code::DatabaseDamaged,
        format!("The database {shown} is damaged: {why}."),
        "Stop nuncio and put a backup back (nuncio db restore FILE), or save what can be read with: sqlite3 FILE .recover",
    )
}
