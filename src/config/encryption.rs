//! The encryption key: `NUNCIO_ENCRYPTION_KEY`, or the file `nuncio.key`.

use std::fmt;
use std::path::PathBuf;

use crate::config::database::Database;
use crate::config::reader::Reader;
use crate::config::report::InvalidValue;
use crate::key::Key;

/// The source of the encryption key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncryptionKey {
    /// Set in the environment or `.env`.
    Given(Key),
    /// In this file, which is created on the first start.
    File {
        /// Path of the file, which may not exist yet.
        path: PathBuf,
        /// Whether it is in the database's folder: then a copy of that folder contains both.
        is_beside_data: bool,
    },
}

impl EncryptionKey {
    /// The key file is beside `.env`, apart from the data. Without a `.env` (a container with one volume), the
    /// working directory may not survive, and only the database's folder persists. A key that is already in the
    /// working directory is used there.
    pub(super) fn read(reader: &mut Reader<'_>, database: &Database) -> Self {
        const NAME: &str = "nuncio.key";
        let (beside_dotenv, beside_data) = (reader.folder().join(NAME), database.path.with_file_name(NAME));
        let is_beside_data = !reader.has_dotenv() && !beside_dotenv.exists();
        let path = if is_beside_data { beside_data } else { beside_dotenv };
        reader.or("NUNCIO_ENCRYPTION_KEY", Self::File { path, is_beside_data }, |text| {
            Key::from_hex(text.trim()).map(Self::Given).ok_or_else(|| {
                InvalidValue::new("is not a key of 64 hex digits", "Make one with: openssl rand -hex 32")
            })
        })
    }
}

impl fmt::Display for EncryptionKey {
    /// The source of the key, for the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("NUNCIO_ENCRYPTION_KEY"),
            Self::File { path, is_beside_data: false } => write!(f, "{}", path.display()),
            Self::File { path, is_beside_data: true } => write!(
                f,
                "{}, beside the data, because there is no .env: a copy of the whole folder holds both; keep backups of \
                 the database without it, and a copy of the key elsewhere",
                path.display()
            ),
        }
    }
}
