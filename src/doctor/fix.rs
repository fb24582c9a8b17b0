//! `--fix`: repairs without a question and without a risk. They close the permissions of our own files, or give them
//! back to their owner; they remove nothing, and make, read or move no secret.
//!
//! Our registration at XTSystems is a repair as well; the command makes it, because it belongs in the audit log.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::config::{Config, EncryptionKey, Variables};
use crate::doctor::code::{Code, CodeGroup};
use crate::doctor::files::{FileObstacle, absolute, folder_of, writable};
use crate::doctor::{Diagnosis, State};

/// The result of a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repaired {
    /// The repair was made.
    Done,
    /// The repair failed, or was possible and not made.
    NotDone,
}

/// One repair with its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The check that it repairs.
    pub code: Code,
    /// Whether it was made.
    pub repaired: Repaired,
    /// What was done, or why not.
    pub sentence: String,
}

impl Repair {
    /// A repair that was made.
    #[must_use]
    pub fn done(code: Code, sentence: impl Into<String>) -> Self {
        Self { code, repaired: Repaired::Done, sentence: sentence.into() }
    }

    /// A repair that was not made.
    #[must_use]
    pub fn not_done(code: Code, sentence: impl Into<String>) -> Self {
        Self { code, repaired: Repaired::NotDone, sentence: sentence.into() }
    }
}

/// Repairs the permissions of files and folders that `diagnosis` found wrong.
#[must_use]
pub fn repair(variables: &Variables, diagnosis: &Diagnosis) -> Vec<Repair> {
    let config = Config::from_variables(variables).ok();
    let mut repairs = Vec::new();
    for check in diagnosis.checks.iter().filter(|check| check.state != State::Ok) {
        let code = check.code;
        match (code, &config) {
            (Code::EnvFileOpen, _) => {
                repairs.extend(variables.dotenv().and_then(|path| close(code, &path)));
            }
            (Code::KeyFileOpen, Some(config)) => {
                if let EncryptionKey::File { path, .. } = &config.encryption {
                    repairs.extend(close(code, path));
                }
            }
            (Code::DatabaseOpen, Some(config)) => {
                repairs.extend(database_files(config).iter().filter_map(|path| close(code, path)));
            }
            (Code::DatabaseUnusable, Some(config)) => {
                let files = database_files(config);
                repairs.extend(files.iter().filter_map(|path| give_back(code, path, 0o600)));
            }
            (Code::DataFolderUnwritable, Some(config)) => {
                repairs.extend(open_folder(code, &absolute(folder_of(&config.database.path))));
            }
            (Code::LogFolderUnwritable, Some(config)) => {
                repairs.extend(open_folder(code, &absolute(&config.logs.dir)));
            }
            _ => {}
        }
    }
    repairs
}

/// The check that our registration at XTSystems would repair. It may be made only if events are known to arrive here
/// then; otherwise `Err` has the reason.
#[must_use]
pub fn registration_to_repair(diagnosis: &Diagnosis) -> Option<Result<Code, Repair>> {
    let found =
        |code: Code| diagnosis.checks.iter().any(|check| check.code == code && check.state != State::Ok);
    let wanted = [
        Code::XtsystemsNotRegistered,
        Code::XtsystemsRegisteredElsewhere,
        Code::XtsystemsRegistrationInactive,
    ];
    let code = wanted.into_iter().find(|code| found(*code))?;
    let is_ingress_broken = diagnosis
        .checks
        .iter()
        .any(|check| check.code.group() == CodeGroup::Ingress && check.state == State::Fail);
    let is_untried = diagnosis.checks.iter().any(|check| check.code == Code::PublicUrlUntried);
    Some(match code {
        _ if is_ingress_broken || found(Code::XtsystemsOutOfReach) => Err(Repair::not_done(
            code,
            "Nothing was registered at XTSystems. First fix the port and PUBLIC_URL: otherwise events would be sent where they \
             are lost.",
        )),
        Code::XtsystemsRegisteredElsewhere if is_untried => Err(Repair::not_done(
            code,
            "The registration at XTSystems was left as it is: whether PUBLIC_URL leads to this nuncio could not be tried, \
             and the events may be another nuncio's.",
        )),
        code => Ok(code),
    })
}

/// The database, its write-ahead log and the index of that log.
fn database_files(config: &Config) -> Vec<PathBuf> {
    let path = &config.database.path;
    let beside = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    [path.clone(), beside("-wal"), beside("-shm")].into_iter().filter(|path| path.exists()).collect()
}

/// Removes every permission of other users from a file; `None` if they have none.
fn close(code: Code, path: &Path) -> Option<Repair> {
    let mode = fs::metadata(path).ok()?.mode() & 0o777;
    (mode & 0o077 != 0).then(|| set_mode(code, path, mode, mode & 0o700))
}

/// Gives the owner `rights`; `None` if they already have them.
fn give_back(code: Code, path: &Path, rights: u32) -> Option<Repair> {
    let mode = fs::metadata(path).ok()?.mode() & 0o777;
    (mode & rights != rights).then(|| set_mode(code, path, mode, mode | rights))
}

/// Lets the owner write to the folder that keeps `folder` from being used.
fn open_folder(code: Code, folder: &Path) -> Option<Repair> {
    let Err(FileObstacle { at, .. }) = writable(folder) else { return None };
    if at.is_dir() { give_back(code, &at, 0o700) } else { None }
}

/// Sets a file's mode. A file of another user is theirs to change, even where root could.
fn set_mode(code: Code, path: &Path, before: u32, mode: u32) -> Repair {
    let shown = absolute(path);
    let shown = shown.display();
    match fs::metadata(path) {
        Ok(found) if found.uid() != geteuid().as_raw() => {
            return Repair::not_done(
                code,
                format!("The mode of {shown} was left at {before:03o}: it belongs to another user."),
            );
        }
        _ => {}
    }
    match fs::set_permissions(path, Permissions::from_mode(mode)) {
        Ok(()) => Repair::done(code, format!("Changed the mode of {shown} from {before:03o} to {mode:03o}.")),
        Err(error) => {
            Repair::not_done(code, format!("The mode of {shown} could not be changed ({}).", error.kind()))
        }
    }
}
