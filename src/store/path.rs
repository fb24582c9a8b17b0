//! Paths of the database files: one resolved path for each, and private permissions.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::{Error, Result};

/// File mode that only this user can read.
pub(super) const PRIVATE: u32 = 0o600;
/// Maximum number of symbolic links to follow. (Linux: `ELOOP`.)
const LINKS: usize = 40;

/// Resolves all symbolic links of `database`, even if the file does not exist yet.
pub(super) fn resolve(database: &Path) -> Result<PathBuf> {
    let mut path = database.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => Ok(folder.join(name)),
        (Ok(_), None) => path.canonicalize().map_err(|error| unusable(&path, error)),
        // Without its folder there is no file, so no second path to it either.
        (Err(error), _) if error.kind() == io::ErrorKind::NotFound => Ok(path),
        (Err(error), _) => Err(unusable(folder, error)),
    }
}

/// Creates the folder of `file`, private to this user, if it does not exist.
pub(super) fn make_folder(file: &Path) -> Result<()> {
    let Some(folder) = file.parent() else { return Ok(()) };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| unusable(folder, error))
}

/// Creates an empty database file, private to this user, if it does not exist. SQLite copies its mode to the files
/// beside it.
pub(super) fn make_file(database: &Path) -> Result<()> {
    match fs::File::options().write(true).create_new(true).mode(PRIVATE).open(database) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // The file exists, but nothing can be created beside it: SQLite reports what is wrong.
        Err(_) if database.exists() => Ok(()),
        Err(error) => Err(unusable(database, error)),
    }
}

/// Refuses a file with several hard links: opened under another name, it has other locks and another write-ahead log.
pub(super) fn refuse_hard_links(database: &Path) -> Result<()> {
    match fs::metadata(database) {
        Ok(found) if found.is_file() && found.nlink() > 1 => {
            Err(Error::Linked(database.to_owned(), found.nlink()))
        }
        _ => Ok(()),
    }
}

pub(super) fn unusable(path: &Path, error: io::Error) -> Error {
    Error::File { path: path.to_owned(), error: Arc::new(error) }
}

/// Identity of the file at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|found| Self::of(&found))
    }

    pub(super) fn of(found: &fs::Metadata) -> Self {
        Self { device: found.dev(), inode: found.ino() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbolic_link_comes_to_one_path() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap().join("real");
        fs::create_dir(&real).unwrap();
        let link = |target: &str, name: &str| {
            let path = folder.path().join(name);
            std::os::unix::fs::symlink(target, &path).unwrap();
            path
        };
        let expected = real.join("nuncio.db");
        let (to_folder, to_file) = (link("real", "folder"), link("real/nuncio.db", "first.db"));
        let again = link("first.db", "second.db");
        for there in [false, true] {
            if there {
                fs::write(&expected, "").unwrap();
            }
            assert_eq!(resolve(&to_folder.join("nuncio.db")).unwrap(), expected);
            assert_eq!(resolve(&to_file).unwrap(), expected, "{there}");
            assert_eq!(resolve(&again).unwrap(), expected, "{there}");
            assert_eq!(resolve(&real.join("../real/./nuncio.db")).unwrap(), expected);
        }
        assert_eq!(resolve(&folder.path().join("not/there.db")).unwrap(), folder.path().join("not/there.db"));
    }
}
