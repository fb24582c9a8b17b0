//! Stored Discord webhooks: destinations that operators add. Their addresses are sealed: only one address at a time
//! leaves this file in the clear, for the request that needs it.

use crate::clock::Timestamp;
use crate::key::Key;
use crate::model::{
    AuditEntry, By, Category, DestinationId, NewWebhook, Scope, StoredWebhook, WebhookMark, WebhookUrl,
};
use crate::store::audit::{self, AuditKey};
use crate::store::sql::{Row, Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Error, Result, Store};

/// The sink of these destinations.
const SINK: &str = "discord_webhook";

/// Result of storing an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreOutcome {
    /// It was stored.
    Stored,
    /// The same owner already has it stored, as this destination.
    Known(DestinationId),
    /// There is no such destination.
    NotFound,
}

impl Store {
    /// Stores a webhook as the destination `id`.
    pub async fn add_webhook(
        &self,
        id: DestinationId,
        about: NewWebhook,
        url: &WebhookUrl,
        by: By,
    ) -> Result<StoreOutcome> {
        let (now, audit, sealed) = (self.0.clock.now(), self.audit_key()?, self.seal(id, url)?);
        self.writer().submit(Add { id, about, mark: url.mark(), sealed, by, audit, now }).await
    }

    /// Replaces the address of a webhook. If the webhook was closed, it is open again, and its pending deliveries are
    /// due.
    pub async fn replace_webhook(&self, id: DestinationId, url: &WebhookUrl, by: By) -> Result<StoreOutcome> {
        let (now, audit, sealed) = (self.0.clock.now(), self.audit_key()?, self.seal(id, url)?);
        self.writer().submit(Replace { id, mark: url.mark(), sealed, by, audit, now }).await
    }

    /// Removes a webhook: nothing is sent to it any more. [`Store::cancel_removed`] cancels its deliveries. Returns
    /// whether there was one.
    pub async fn remove_webhook(&self, id: DestinationId, by: By) -> Result<bool> {
        let (now, audit) = (self.0.clock.now(), self.audit_key()?);
        self.writer().submit(Remove { id, by, audit, now }).await
    }

    /// Returns all stored webhooks, oldest first.
    // SQLite keeps the order of a CROSS JOIN. Unfinished rows have two indexes of their own; any other query plan is
    // slow.
    pub async fn webhooks(&self) -> Result<Vec<StoredWebhook>> {
        query(
            "SELECT id, address, name, owner, category, scope, description, enabled, closed_reason, denied_reason, \
             last_success_at, test_success_at, created_at, (SELECT COUNT(*) FROM deliveries \
             WHERE destination_id = destinations.id AND status = 'pending') + \
             (SELECT COUNT(*) FROM messages AS m CROSS JOIN deliveries AS d \
              WHERE m.destination_id = destinations.id AND m.state = 'sending' AND d.message_id = m.id \
              AND d.status = 'sending') AS waiting \
             FROM destinations WHERE sink = $1 AND deleted_at IS NULL ORDER BY id",
        )
        .bind(SINK)
        .fetch_all(self.read())
        .await?
        .iter()
        .map(read)
        .collect()
    }

    /// Returns the address of a webhook. `None` if there is no such webhook, or its address cannot be unsealed.
    pub async fn webhook_url(&self, id: DestinationId) -> Result<Option<WebhookUrl>> {
        let sealed: Option<Option<String>> = query_scalar(
            "SELECT sealed FROM destinations WHERE id = $1 AND sink = $2 AND deleted_at IS NULL",
        )
        .bind(id)
        .bind(SINK)
        .fetch_optional(self.read())
        .await?;
        let Some(sealed) = sealed.flatten() else { return Ok(None) };
        let parts = self.seal_key()?.open(&id.to_string(), &sealed);
        Ok(parts.and_then(|parts| WebhookUrl::from_parts(&parts)))
    }

    /// Records that a test message arrived at a webhook. If the webhook was closed, it is open again.
    pub async fn note_webhook_tested(&self, id: DestinationId, mark: WebhookMark, by: By) -> Result<()> {
        let (now, audit) = (self.0.clock.now(), self.audit_key()?);
        self.writer().submit(Tested { id, mark, by, audit, now }).await
    }

    fn seal(&self, id: DestinationId, url: &WebhookUrl) -> Result<String> {
        Ok(self.seal_key()?.seal(&id.to_string(), url.to_parts().expose()))
    }

    pub(super) fn seal_key(&self) -> Result<&Key> {
        self.0.seal_key.get().ok_or(Error::NoKey)
    }
}

struct Add {
    id: DestinationId,
    about: NewWebhook,
    mark: WebhookMark,
    sealed: String,
    by: By,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Add {
    type Output = StoreOutcome;

    async fn apply(&self, tx: &mut Tx) -> Result<StoreOutcome> {
        let stored = query(
            "INSERT INTO destinations (id, sink, owner, address, name, origin, category, scope, sealed, description, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 'stored', $6, $7, $8, $9, $10, $10) \
             ON CONFLICT (sink, owner, address) WHERE deleted_at IS NULL DO NOTHING",
        )
        .bind(self.id)
        .bind(SINK)
        .bind(&self.about.owner)
        .bind(self.mark.stored())
        .bind(&self.about.name)
        .bind(self.about.category.as_str())
        .bind(self.about.scope.as_str())
        .bind(&self.sealed)
        .bind(&self.about.description)
        .bind(self.now.as_millis())
        .execute(&mut *tx)
        .await?;
        if stored == 0 {
            return match known(tx, &self.about.owner, &self.mark).await? {
                Some(id) => Ok(StoreOutcome::Known(id)),
                None => Err(Error::Stale("the webhook was removed a moment ago")),
            };
        }
        note(tx, &self.audit, &self.by, self.id, &self.mark, self.now).await?;
        Ok(StoreOutcome::Stored)
    }
}

struct Replace {
    id: DestinationId,
    mark: WebhookMark,
    sealed: String,
    by: By,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Replace {
    type Output = StoreOutcome;

    async fn apply(&self, tx: &mut Tx) -> Result<StoreOutcome> {
        let owner: Option<String> =
            query_scalar("SELECT owner FROM destinations WHERE id = $1 AND sink = $2 AND deleted_at IS NULL")
                .bind(self.id)
                .bind(SINK)
                .fetch_optional(&mut *tx)
                .await?;
        let Some(owner) = owner else { return Ok(StoreOutcome::NotFound) };
        if let Some(other) = known(tx, &owner, &self.mark).await?.filter(|other| *other != self.id) {
            return Ok(StoreOutcome::Known(other));
        }
        query(
            "UPDATE destinations SET address = $2, sealed = $3, closed_reason = NULL, denied_reason = NULL, \
             not_before = 0, test_success_at = NULL, updated_at = $4 WHERE id = $1",
        )
        .bind(self.id)
        .bind(self.mark.stored())
        .bind(&self.sealed)
        .bind(self.now.as_millis())
        .execute(&mut *tx)
        .await?;
        note(tx, &self.audit, &self.by, self.id, &self.mark, self.now).await?;
        Ok(StoreOutcome::Stored)
    }
}

struct Remove {
    id: DestinationId,
    by: By,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Remove {
    type Output = bool;

    async fn apply(&self, tx: &mut Tx) -> Result<bool> {
        // The address is erased at once; the row stays, because deliveries refer to it.
        let address: Option<String> = query_scalar(
            "UPDATE destinations SET deleted_at = $3, sealed = NULL, updated_at = $3 \
             WHERE id = $1 AND sink = $2 AND deleted_at IS NULL RETURNING address",
        )
        .bind(self.id)
        .bind(SINK)
        .bind(self.now.as_millis())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(address) = address else { return Ok(false) };
        let mark = mark(&address)?;
        note(tx, &self.audit, &self.by, self.id, &mark, self.now).await?;
        Ok(true)
    }
}

struct Tested {
    id: DestinationId,
    mark: WebhookMark,
    by: By,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Tested {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        query(
            "UPDATE destinations SET test_success_at = $2, closed_reason = NULL, \
             not_before = CASE WHEN closed_reason IS NULL AND denied_reason IS NULL THEN not_before ELSE 0 END \
             WHERE id = $1 AND deleted_at IS NULL",
        )
        .bind(self.id)
        .bind(self.now.as_millis())
        .execute(&mut *tx)
        .await?;
        note(tx, &self.audit, &self.by, self.id, &self.mark, self.now).await
    }
}

/// Returns the destination with this address, if there is one.
async fn known(tx: &mut Tx, owner: &str, mark: &WebhookMark) -> Result<Option<DestinationId>> {
    query_scalar(
        "SELECT id FROM destinations WHERE sink = $1 AND owner = $2 AND address = $3 AND deleted_at IS NULL",
    )
    .bind(SINK)
    .bind(owner)
    .bind(mark.stored())
    .fetch_optional(tx)
    .await
}

async fn note(
    tx: &mut Tx,
    key: &AuditKey,
    by: &By,
    id: DestinationId,
    mark: &WebhookMark,
    now: Timestamp,
) -> Result<()> {
    let entry = AuditEntry { reference: id.to_string(), ..by.entry(mark.to_string()) };
    audit::append(tx, key, &entry, now).await.map(drop)
}

fn mark(address: &str) -> Result<WebhookMark> {
    address.parse().map_err(|()| Error::Corrupt("the address of a webhook".to_owned()))
}

fn read(row: &Row) -> Result<StoredWebhook> {
    let (category, scope): (String, String) = (row.try_get("category")?, row.try_get("scope")?);
    let unknown = |word: &str| Error::Corrupt(format!("a webhook that is {word:?}"));
    let at = |column| row.try_get::<Option<i64>>(column).map(|at| at.map(Timestamp::from_millis));
    Ok(StoredWebhook {
        id: row.try_get("id")?,
        mark: mark(&row.try_get::<String>("address")?)?,
        about: NewWebhook {
            name: row.try_get("name")?,
            category: Category::from_word(&category).ok_or_else(|| unknown(&category))?,
            scope: Scope::from_word(&scope).ok_or_else(|| unknown(&scope))?,
            owner: row.try_get("owner")?,
            description: row.try_get("description")?,
        },
        enabled: row.try_get("enabled")?,
        closed: row.try_get("closed_reason")?,
        denied: row.try_get("denied_reason")?,
        waiting: u64::try_from(row.try_get::<i64>("waiting")?).unwrap_or(0),
        last_success_at: at("last_success_at")?,
        test_success_at: at("test_success_at")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
    })
}
