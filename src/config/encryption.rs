//! The key that seals: `NUNCIO_ENCRYPTION_KEY`, or `nuncio.key` beside `.env`.

use std::path::PathBuf;

use crate::config::reader::Reader;
use crate::config::report::Wrong;
use crate::key::Key;

/// Where the key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncryptionKey {
    /// It was given.
    Given(Key),
    /// It stands in this file, which is made on the first start.
    File(PathBuf),
}

impl EncryptionKey {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let file = Self::File(reader.folder().join("nuncio.key"));
        reader.or("NUNCIO_ENCRYPTION_KEY", file, |text| {
            Key::from_hex(text.trim()).map(Self::Given).ok_or_else(|| {
                Wrong::new("is no key of 64 hex digits", "Make one with: openssl rand -hex 32")
            })
        })
    }
}
