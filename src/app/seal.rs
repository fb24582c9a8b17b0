//! Loading of the encryption key that seals the audit log, or its creation on the very first start.

use crate::config::EncryptionKey;
use crate::key::{self, Key, is_open_to_others};
use crate::store::Store;

/// The configured key; if its file is missing, a new key in that file. For callers that know that the old one is lost.
///
/// # Errors
/// [`key::Error`] if there is no usable key.
pub fn any_key(encryption: &EncryptionKey) -> Result<Key, key::Error> {
    match encryption {
        EncryptionKey::Given(key) => Ok(key.clone()),
        EncryptionKey::File { path, .. } => match Key::read(path)? {
            Some(key) => Ok(key),
            None => Key::make(path),
        },
    }
}

/// Gives `store` its key. Creates a new one only for a database that never had one.
///
/// # Errors
/// [`key::Error`] if there is no usable key, [`store::Error::OtherKey`](crate::store::Error::OtherKey) if this
/// database was sealed with another one.
pub async fn unlock(store: &Store, encryption: &EncryptionKey) -> anyhow::Result<()> {
    let key = match encryption {
        EncryptionKey::Given(key) => key.clone(),
        EncryptionKey::File { path, .. } => match Key::read(path)? {
            Some(key) => {
                if is_open_to_others(path) {
                    let path = path.display();
                    tracing::warn!("other users of this machine may read {path}: chmod 600 {path}");
                }
                key
            }
            None if store.is_sealed().await? => {
                let (path, database) = (path.clone(), store.path().to_owned());
                return Err(key::Error::Missing { path, database }.into());
            }
            None => {
                let key = Key::make(path)?;
                tracing::info!("created the key {}: keep a copy of it apart from the data", path.display());
                key
            }
        },
    };
    Ok(store.unlock(&key).await?)
}
