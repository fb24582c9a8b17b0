//! The key that seals: `NUNCIO_ENCRYPTION_KEY`, or the file `nuncio.key`.

use std::fmt;
use std::path::PathBuf;

use crate::config::database::Database;
use crate::config::reader::Reader;
use crate::config::report::Wrong;
use crate::key::Key;

/// Where the key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncryptionKey {
    /// It was given.
    Given(Key),
    /// It is in this file, which is made on the first start.
    File {
        /// Where the file is, or will be.
        path: PathBuf,
        /// Whether it is in the folder of the database: then a copy of that folder holds both.
        is_beside_data: bool,
    },
}

impl EncryptionKey {
    /// Beside `.env`, apart from the data. Where there is no `.env` (a container with one volume), the working directory
    /// may be gone tomorrow, and what stays is the folder of the database. A key that is in the working directory
    /// already is used there.
    pub(super) fn read(reader: &mut Reader<'_>, database: &Database) -> Self {
        const NAME: &str = "nuncio.key";
        let (beside_dotenv, beside_data) = (reader.folder().join(NAME), database.path.with_file_name(NAME));
        let is_beside_data = !reader.has_dotenv() && !beside_dotenv.exists();
        let path = if is_beside_data { beside_data } else { beside_dotenv };
        reader.or("NUNCIO_ENCRYPTION_KEY", Self::File { path, is_beside_data }, |text| {
            Key::from_hex(text.trim()).map(Self::Given).ok_or_else(|| {
                Wrong::new("is not a key of 64 hex digits", "Make one with: openssl rand -hex 32")
            })
        })
    }
}

impl fmt::Display for EncryptionKey {
    /// Where it is, for the log.
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
