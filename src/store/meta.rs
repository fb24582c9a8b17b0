//! Metadata: short texts by key, for values that belong to no table.

use crate::clock::Timestamp;
use crate::secret::Secret;
use crate::store::sql::{Executor, Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

impl Store {
    /// Returns the text under `key`; `None` if there is none.
    pub async fn meta(&self, key: &str) -> Result<Option<String>> {
        meta_in(self.read(), key).await
    }

    /// Sets the text under `key`.
    pub async fn set_meta(&self, key: &'static str, value: String) -> Result<()> {
        self.writer().submit(Put { key, value, now: self.0.clock.now() }).await
    }
}

/// Returns the text under `key` within a transaction or snapshot.
pub(super) async fn meta_in(on: impl Executor, key: &str) -> Result<Option<String>> {
    query_scalar("SELECT value FROM meta WHERE key = $1").bind(key).fetch_optional(on).await
}

impl Store {
    /// Returns whether `name` was used with another secret before, or with none on record.
    pub async fn is_another(&self, name: &'static str, secret: &Secret) -> Result<bool> {
        let fingerprint = self.fingerprint(name, secret)?;
        Ok(self.meta(name).await?.is_none_or(|known| known != fingerprint))
    }

    /// Records which secret `name` uses now. Call this after everything that a new secret requires is done: after a
    /// crash before that, the next start repeats it.
    pub async fn note_secret(&self, name: &'static str, secret: &Secret) -> Result<()> {
        let fingerprint = self.fingerprint(name, secret)?;
        self.set_meta(name, fingerprint).await
    }

    /// A short fingerprint that reveals nothing about the secret.
    fn fingerprint(&self, name: &str, secret: &Secret) -> Result<String> {
        let mac = self.seal_key()?.derive("fingerprint").mac(&[name.as_bytes(), secret.expose().as_bytes()]);
        Ok(hex::encode(&mac[..8]))
    }
}

struct Put {
    key: &'static str,
    value: String,
    now: Timestamp,
}

impl Unit for Put {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        put_in(tx, self.key, &self.value, self.now).await
    }
}

/// Sets the text under `key` within a transaction.
pub(super) async fn put_in(tx: &mut Tx, key: &str, value: &str, now: Timestamp) -> Result<()> {
    query(
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
