//! API keys: their hashes, what they are for, and when they were last used.

use crate::clock::Timestamp;
use crate::model::{
    ApiKeyId, ApiRole, AuditEntry, By, Idempotent, IssuedApiKey, NewApiKey, Once, OnceResult, StoredApiKey,
};
use crate::secret::Secret;
use crate::signature;
use crate::store::audit::{self, AuditKey};
use crate::store::idempotency::OnceInUnit;
use crate::store::sql::{Row, Tx, query};
use crate::store::unit::Unit;
use crate::store::{Error, Result, Store};

impl Store {
    /// Stores a new key.
    pub async fn add_api_key(
        &self,
        issued: IssuedApiKey,
        once: Option<Once<IssuedApiKey>>,
        by: By,
    ) -> Result<OnceResult<IssuedApiKey>> {
        let (once, audit, now) = (self.once(once)?, self.audit_key()?, self.0.clock.now());
        self.writer().submit(Add { issued, once, by, audit, now }).await
    }

    /// Stores a new key in the place of `old`, which is accepted until `old_until`; `None`: no longer. Returns `None`, with
    /// nothing changed, if the old key is expired, revoked, or replaced already.
    pub async fn rotate_api_key(
        &self,
        old: ApiKeyId,
        old_until: Option<Timestamp>,
        issued: IssuedApiKey,
        once: Option<Once<IssuedApiKey>>,
        by: By,
    ) -> Result<Option<OnceResult<IssuedApiKey>>> {
        let (once, audit, now) = (self.once(once)?, self.audit_key()?, self.0.clock.now());
        self.writer().submit(Rotate { old, old_until, issued, once, by, audit, now }).await
    }

    /// Revokes a key: it is refused from the next request on. Returns `false` if it was revoked before.
    pub async fn revoke_api_key(&self, id: ApiKeyId, by: By) -> Result<bool> {
        let (audit, now) = (self.audit_key()?, self.0.clock.now());
        self.writer().submit(Revoke { id, by, audit, now }).await
    }

    /// Returns the key with this hash, whether it is still accepted or not.
    pub async fn api_key(&self, hash: &[u8; 32]) -> Result<Option<StoredApiKey>> {
        let row = query("SELECT * FROM api_keys WHERE hash = $1")
            .bind(&hash[..])
            .fetch_optional(self.read())
            .await?;
        let Some(row) = row else { return Ok(None) };
        // The index compares bytes in order. Its timing says something about hashes, from which no key can be made; this
        // comparison says nothing at all.
        let stored = Secret::new(hex::encode(row.try_get::<Vec<u8>>("hash")?));
        if signature::same(&stored, &hex::encode(hash)) { read(&row).map(Some) } else { Ok(None) }
    }

    /// Returns all keys, oldest first.
    pub async fn api_keys(&self) -> Result<Vec<StoredApiKey>> {
        query("SELECT * FROM api_keys ORDER BY id").fetch_all(self.read()).await?.iter().map(read).collect()
    }

    /// Records that a key was used, soon: nobody waits for it. Nothing is recorded if the writer's queue is full.
    pub fn note_api_key_used(&self, id: ApiKeyId) {
        self.writer().post(Used { id, now: self.0.clock.now() });
    }
}

struct Add {
    issued: IssuedApiKey,
    once: OnceInUnit<IssuedApiKey>,
    by: By,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Add {
    type Output = OnceResult<IssuedApiKey>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        if let Some(before) = self.once.claim(tx).await? {
            return Ok(before);
        }
        insert(tx, &self.issued).await?;
        note(tx, &self.audit, &self.by, &self.issued.key, &described(&self.issued.key), self.now).await?;
        self.once.answer(tx, &self.issued).await?;
        Ok(Ok(Idempotent::Done(self.issued.clone())))
    }
}

struct Rotate {
    old: ApiKeyId,
    old_until: Option<Timestamp>,
    issued: IssuedApiKey,
    once: OnceInUnit<IssuedApiKey>,
    by: By,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Rotate {
    type Output = Option<OnceResult<IssuedApiKey>>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        if let Some(before) = self.once.claim(tx).await? {
            return Ok(Some(before));
        }
        let replaced = query(
            "UPDATE api_keys SET replaced_by = $2, \
             expires_at = CASE WHEN expires_at IS NULL OR expires_at > $3 THEN $3 ELSE expires_at END, \
             revoked_at = CASE WHEN $3 <= $4 THEN $4 ELSE revoked_at END \
             WHERE id = $1 AND revoked_at IS NULL AND replaced_by IS NULL AND (expires_at IS NULL OR expires_at > $4)",
        )
        .bind(self.old)
        .bind(self.issued.key.id)
        .bind(self.old_until.unwrap_or(self.now).as_millis())
        .bind(self.now.as_millis())
        .execute(&mut *tx)
        .await?;
        if replaced == 0 {
            self.once.forget(tx).await?;
            return Ok(None);
        }
        insert(tx, &self.issued).await?;
        let detail = match self.old_until {
            Some(until) => format!("replaces {}, which is accepted until {}", self.old, until.to_rfc3339()),
            None => format!("replaces {}, which is revoked", self.old),
        };
        note(tx, &self.audit, &self.by, &self.issued.key, &detail, self.now).await?;
        self.once.answer(tx, &self.issued).await?;
        Ok(Some(Ok(Idempotent::Done(self.issued.clone()))))
    }
}

struct Revoke {
    id: ApiKeyId,
    by: By,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Revoke {
    type Output = bool;

    async fn apply(&self, tx: &mut Tx) -> Result<bool> {
        let row =
            query("UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING *")
                .bind(self.id)
                .bind(self.now.as_millis())
                .fetch_optional(&mut *tx)
                .await?;
        let Some(row) = row else { return Ok(false) };
        note(tx, &self.audit, &self.by, &read(&row)?, "", self.now).await?;
        Ok(true)
    }
}

struct Used {
    id: ApiKeyId,
    now: Timestamp,
}

impl Unit for Used {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        query("UPDATE api_keys SET last_used_at = $2 WHERE id = $1")
            .bind(self.id)
            .bind(self.now.as_millis())
            .execute(tx)
            .await
            .map(drop)
    }
}

async fn insert(tx: &mut Tx, issued: &IssuedApiKey) -> Result<()> {
    let IssuedApiKey { key, token } = issued;
    query(
        "INSERT INTO api_keys (id, hash, ending, name, role, company_id, owner, created_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(key.id)
    .bind(&token.hash()[..])
    .bind(&key.ending)
    .bind(&key.about.name)
    .bind(key.about.role.as_str())
    .bind(key.about.company.as_deref().unwrap_or_default())
    .bind(key.about.owner.as_deref().unwrap_or_default())
    .bind(&key.created_by)
    .bind(key.created_at.as_millis())
    .bind(key.about.expires_at.map(Timestamp::as_millis))
    .execute(tx)
    .await
    .map(drop)
}

async fn note(
    tx: &mut Tx,
    audit: &AuditKey,
    by: &By,
    key: &StoredApiKey,
    detail: &str,
    now: Timestamp,
) -> Result<()> {
    let entry = AuditEntry {
        detail: detail.to_owned(),
        reference: key.id.to_string(),
        ..by.entry(format!("API key {}", key.about.name))
    };
    audit::append(tx, audit, &entry, now).await.map(drop)
}

/// What a new key may do, for the audit log.
fn described(key: &StoredApiKey) -> String {
    let company =
        key.about.company.as_ref().map_or_else(String::new, |company| format!(", company {company}"));
    let owner = key.about.owner.as_ref().map_or_else(String::new, |owner| format!(", owner {owner}"));
    format!("{}{company}{owner}", key.about.role)
}

fn read(row: &Row) -> Result<StoredApiKey> {
    let role: String = row.try_get("role")?;
    let text = |column| row.try_get::<String>(column).map(|text| Some(text).filter(|text| !text.is_empty()));
    let at = |column| row.try_get::<Option<i64>>(column).map(|at| at.map(Timestamp::from_millis));
    Ok(StoredApiKey {
        id: row.try_get("id")?,
        about: NewApiKey {
            name: row.try_get("name")?,
            role: ApiRole::parse(&role).ok_or_else(|| Error::Corrupt("the role of an API key".to_owned()))?,
            company: text("company_id")?,
            owner: text("owner")?,
            expires_at: at("expires_at")?,
        },
        ending: row.try_get("ending")?,
        created_by: row.try_get("created_by")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        last_used_at: at("last_used_at")?,
        replaced_by: row.try_get("replaced_by")?,
        revoked_at: at("revoked_at")?,
    })
}
