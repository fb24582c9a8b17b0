//! Finding the key that seals the audit log, or making it on the very first start.

use crate::config::EncryptionKey;
use crate::key::{self, Key, is_open_to_others};
use crate::store::Store;

/// The key that is configured; a new one in its file where there is none. For whoever knows that the old one is lost.
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

/// Gives `store` its key. A new one is made only for a database that never knew one.
///
/// # Errors
/// [`key::Error`] if there is no usable key, [`store::Error::OtherKey`](crate::store::Error::OtherKey) if it is not
/// the one that this database was sealed with.
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
