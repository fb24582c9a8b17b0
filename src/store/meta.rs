//! What belongs to no row: small texts under a key.

use sqlx::sqlite::SqliteConnection;

use crate::clock::Timestamp;
use crate::secret::Secret;
use crate::store::writer::Unit;
use crate::store::{Result, Store};

impl Store {
    /// The text under `key`; `None` if nothing was put there.
    pub async fn meta(&self, key: &str) -> Result<Option<String>> {
        let mut reader = self.read().acquire().await?;
        meta_in(&mut reader, key).await
    }

    /// Puts `value` under `key`, in place of what was there.
    pub async fn set_meta(&self, key: &'static str, value: String) -> Result<()> {
        self.writer().submit(Put { key, value, now: self.0.clock.now() }).await
    }
}

/// The text under `key`, as a transaction or a snapshot sees it.
pub(super) async fn meta_in(tx: &mut SqliteConnection, key: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT value FROM meta WHERE key = $1").bind(key).fetch_optional(tx).await?)
}

impl Store {
    /// Notes which secret `name` is used with now, by a fingerprint that says nothing about it. Answers whether it was
    /// another one before, or none that is known of.
    pub async fn is_another(&self, name: &'static str, secret: &Secret) -> Result<bool> {
        let mac = self.seal_key()?.derive("fingerprint").mac(&[name.as_bytes(), secret.expose().as_bytes()]);
        let fingerprint = hex::encode(&mac[..8]);
        if self.meta(name).await?.is_some_and(|known| known == fingerprint) {
            return Ok(false);
        }
        self.set_meta(name, fingerprint).await?;
        Ok(true)
    }
}

struct Put {
    key: &'static str,
    value: String,
    now: Timestamp,
}

impl Unit for Put {
    type Output = ();

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<()> {
        put_in(tx, self.key, &self.value, self.now).await
    }
}

/// Puts `value` under `key` within a transaction.
pub(super) async fn put_in(tx: &mut SqliteConnection, key: &str, value: &str, now: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO meta (key, value, updated_at) VALUES ($1, $2, $3) \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
    )
    .bind(key)
    .bind(value)
    .bind(now.as_millis())
    .execute(tx)
    .await?;
    Ok(())
}
