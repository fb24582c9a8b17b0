//! The encryption key, which seals data against reading or unnoticed changes, and the keys derived from it.
//!
//! It has a file of its own, if possible beside `.env` and not beside the data: a key in every copy of the data
//! protects nothing. A key file is created only if there is none; the caller decides whether a new one may be used.

mod seal;

use std::fmt;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::Secret;

/// Key length in bytes.
const LENGTH: usize = 32;
/// Separates our keys from any others derived from the same bytes.
const SALT: &[u8] = b"nuncio";

/// Why a key file cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or created.
    #[error(
        "{path}: {error}. It holds the key that seals the audit log and stored addresses: let this user read and write it"
    )]
    File {
        /// Path of the key file.
        path: PathBuf,
        /// The system's error.
        error: Arc<std::io::Error>,
    },
    /// The file is missing, and data was sealed with its key.
    #[error(
        "{path} is not there, but {database} was sealed with the key in it: put the file back, or set \
         NUNCIO_ENCRYPTION_KEY to that key. nuncio makes no new one, because it would open nothing. If that key is \
         lost for good: nuncio audit rekey"
    )]
    Missing {
        /// Path of the key file.
        path: PathBuf,
        /// The database that was sealed with it.
        database: PathBuf,
    },
    /// The file does not contain a key.
    #[error("{0} is not a key of 64 hex digits: put the copy of it back that you kept")]
    NoKey(PathBuf),
}

/// A secret key of 32 bytes. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; LENGTH]);

impl Key {
    /// A new key from the system's random number generator.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// Parses 64 hex digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; LENGTH];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
    }

    /// Reads the key in `path`; `None` if there is no such file.
    ///
    /// # Errors
    /// If it cannot be read, or does not contain a key.
    pub fn read(path: &Path) -> Result<Option<Self>, Error> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::from_hex(text.trim()).map(Some).ok_or_else(|| Error::NoKey(path.to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(Error::NoKey(path.to_owned())),
            Err(error) => Err(Error::File { path: path.to_owned(), error: Arc::new(error) }),
        }
    }

    /// Creates a new key in `path`, readable by this user only, and syncs it to disk before it is used. If another
    /// process creates the file first, uses the key in that file.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn make(path: &Path) -> Result<Self, Error> {
        let failed = |error| Error::File { path: path.to_owned(), error: Arc::new(error) };
        let key = Self::random();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Created atomically: a file with this name always contains a whole key.
        let mut file = tempfile::Builder::new().prefix(".nuncio-key-").tempfile_in(folder).map_err(failed)?;
        writeln!(file, "{}", hex::encode(key.0)).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        match file.persist_noclobber(path) {
            Ok(_) => {
                std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
                Ok(key)
            }
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                Self::read(path)?.ok_or_else(|| Error::NoKey(path.to_owned()))
            }
            Err(error) => Err(failed(error.error)),
        }
    }

    /// Derives the key for one purpose (RFC 5869: HKDF with SHA-256, one block): none reveals another.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        let extracted = Self(tag(SALT, &[&self.0]));
        extracted.derived(purpose)
    }

    fn derived(&self, purpose: &str) -> Self {
        Self(tag(&self.0, &[purpose.as_bytes(), &[1]]))
    }

    /// Derives the key for one purpose that any holder of `secret` can derive, in the same way as [`Key::derive`]. It
    /// reveals nothing about the secret except to brute force: do not show a code made with it to strangers.
    #[must_use]
    pub fn of_secret(secret: &Secret, purpose: &str) -> Self {
        Self(tag(SALT, &[secret.expose().as_bytes()])).derived(purpose)
    }

    /// The message authentication code of `parts`, taken as one run of bytes.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; LENGTH] {
        tag(&self.0, parts)
    }

    /// Whether `code` is the message authentication code of `parts`. Constant time, wherever it differs.
    #[must_use]
    pub fn is_mac(&self, parts: &[&[u8]], code: &[u8]) -> bool {
        tagging(&self.0, parts).verify_slice(code).is_ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Whether other users of this machine may read `path`.
#[must_use]
pub fn is_open_to_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

fn tag(key: &[u8], parts: &[&[u8]]) -> [u8; LENGTH] {
    tagging(key, parts).finalize().into_bytes().into()
}

fn tagging(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    for part in parts {
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869, test case 3 (no salt, no info), its first block.
    #[test]
    fn derivation_is_hkdf() {
        let extracted = Key(tag(&[0; 32], &[&[0x0b; 22]]));
        assert_eq!(
            hex::encode(extracted.derived("").0),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
        );
    }

    #[test]
    fn every_purpose_has_a_key_of_its_own() {
        let key = Key::random();
        assert_eq!(key.derive("audit"), key.derive("audit"));
        assert_ne!(key.derive("audit"), key.derive("audit head"));
        assert_ne!(key.derive("audit"), Key::random().derive("audit"));
        assert_eq!(format!("{key:?}"), "***");
    }

    #[test]
    fn a_file_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nuncio.key");
        assert_eq!(Key::read(&path).unwrap(), None);
        let key = Key::make(&path).unwrap();
        assert_eq!(Key::read(&path).unwrap(), Some(key.clone()));
        assert_eq!(Key::make(&path).unwrap(), key, "a second one was made");
        assert!(!is_open_to_others(&path));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "something was left behind");
    }

    #[test]
    fn a_file_with_something_else_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nuncio.key");
        for content in ["", "canary", "\u{0}\u{1}", &"f".repeat(63)] {
            std::fs::write(&path, content).unwrap();
            let error = Key::read(&path).unwrap_err();
            assert!(matches!(error, Error::NoKey(_)) && !error.to_string().contains("canary"));
            assert!(Key::make(&path).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }
}
