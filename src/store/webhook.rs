//! Stored Discord webhooks: destinations that operators and the API's callers add. Their addresses are sealed: only one
//! address at a time leaves this file in the clear, for the request that needs it.

mod change;
pub(super) mod health;
mod read;

pub use change::WebhookTested;

use crate::clock::Timestamp;
use crate::key::Key;
use crate::model::{
    AuditEntry, By, DestinationId, Idempotent, NewWebhook, Once, OnceResult, StoredWebhook, WebhookIdentity,
    WebhookMark, WebhookUrl,
};
use crate::store::audit::{self, AuditKey};
use crate::store::idempotency::OnceInUnit;
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Error, Result, Store};

/// The sink of these destinations.
const SINK: &str = "discord_webhook";

/// Result of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreOutcome {
    /// It was made.
    Stored,
    /// The same owner already has the address stored, as this destination.
    Known(DestinationId),
    /// There is no such destination.
    NotFound,
}

/// The same owner already has the address stored, as this destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownWebhook(pub DestinationId);

/// The address of a webhook as its row holds it, and what Discord says about it.
#[derive(Clone, Debug)]
struct SealedAddress {
    mark: WebhookMark,
    sealed: String,
    identity: Option<WebhookIdentity>,
}

impl Store {
    /// Stores a webhook as the destination `id`.
    pub async fn add_webhook(
        &self,
        id: DestinationId,
        about: NewWebhook,
        url: &WebhookUrl,
        identity: Option<WebhookIdentity>,
        once: Option<Once<StoredWebhook>>,
        by: By,
    ) -> Result<std::result::Result<OnceResult<StoredWebhook>, KnownWebhook>> {
        let (now, audit, address) = (self.0.clock.now(), self.audit_key()?, self.seal(id, url, identity)?);
        let once = self.once(once)?;
        self.writer().submit(Add { id, about, address, once, by, audit, now }).await
    }

    /// Removes a webhook: nothing is sent to it any more. [`Store::cancel_removed`] cancels its deliveries. Returns
    /// whether there was one.
    pub async fn remove_webhook(&self, id: DestinationId, by: By) -> Result<bool> {
        let (now, audit) = (self.0.clock.now(), self.audit_key()?);
        self.writer().submit(Remove { id, by, audit, now }).await
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

    fn seal(
        &self,
        id: DestinationId,
        url: &WebhookUrl,
        identity: Option<WebhookIdentity>,
    ) -> Result<SealedAddress> {
        let sealed = self.seal_key()?.seal(&id.to_string(), url.to_parts().expose());
        Ok(SealedAddress { mark: url.mark(), sealed, identity })
    }

    pub(super) fn seal_key(&self) -> Result<&Key> {
        self.0.seal_key.get().ok_or(Error::NoKey)
    }
}

struct Add {
    id: DestinationId,
    about: NewWebhook,
    address: SealedAddress,
    once: OnceInUnit<StoredWebhook>,
    by: By,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Add {
    type Output = std::result::Result<OnceResult<StoredWebhook>, KnownWebhook>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        if let Some(before) = self.once.claim(tx).await? {
            return Ok(Ok(before));
        }
        let (about, identity) = (&self.about, self.address.identity.as_ref());
        let stored = query(
            "INSERT INTO destinations (id, sink, company_id, owner, address, name, origin, category, scope, sealed, \
             description, avatar_url, enabled, test_success_at, discord_name, discord_channel_id, discord_guild_id, \
             created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 'stored', $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17) \
             ON CONFLICT (sink, company_id, owner, address) WHERE deleted_at IS NULL DO NOTHING",
        )
        .bind(self.id)
        .bind(SINK)
        .bind(&about.company)
        .bind(&about.owner)
        .bind(self.address.mark.stored())
        .bind(&about.name)
        .bind(about.category.as_str())
        .bind(about.scope.as_str())
        .bind(&self.address.sealed)
        .bind(&about.description)
        .bind(&about.avatar_url)
        .bind(about.enabled)
        .bind(about.tested_at.map(Timestamp::as_millis))
        .bind(identity.map(|identity| identity.name.as_deref().unwrap_or_default()))
        .bind(identity.and_then(|identity| identity.channel))
        .bind(identity.and_then(|identity| identity.guild))
        .bind(self.now.as_millis())
        .execute(&mut *tx)
        .await?;
        if stored == 0 {
            self.once.forget(tx).await?;
            return match known(tx, &about.company, &about.owner, &self.address.mark).await? {
                Some(id) => Ok(Err(KnownWebhook(id))),
                None => Err(Error::Stale("the webhook was removed a moment ago")),
            };
        }
        let entry = self.by.entry(self.address.mark.to_string());
        note(tx, &self.audit, entry, self.id, self.now).await?;
        let stored = self.stored();
        self.once.answer(tx, &stored).await?;
        Ok(Ok(Ok(Idempotent::Done(stored))))
    }
}

impl Add {
    /// The webhook as it is now in the table.
    fn stored(&self) -> StoredWebhook {
        StoredWebhook {
            id: self.id,
            mark: self.address.mark.clone(),
            about: NewWebhook { tested_at: None, ..self.about.clone() },
            identity: self.address.identity.clone(),
            closed: None,
            denied: None,
            waiting: 0,
            failures: 0,
            last_error: None,
            sent: 0,
            failed: 0,
            last_success_at: None,
            test_success_at: self.about.tested_at,
            created_at: self.now,
        }
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
        health::forget(tx, self.id).await?;
        note(tx, &self.audit, self.by.entry(mark(&address)?.to_string()), self.id, self.now).await?;
        Ok(true)
    }
}

/// Returns the destination with this address, if there is one.
async fn known(tx: &mut Tx, company: &str, owner: &str, mark: &WebhookMark) -> Result<Option<DestinationId>> {
    query_scalar(
        "SELECT id FROM destinations WHERE sink = $1 AND company_id = $2 AND owner = $3 AND address = $4 \
         AND deleted_at IS NULL",
    )
    .bind(SINK)
    .bind(company)
    .bind(owner)
    .bind(mark.stored())
    .fetch_optional(tx)
    .await
}

async fn note(
    tx: &mut Tx,
    key: &AuditKey,
    entry: AuditEntry,
    id: DestinationId,
    now: Timestamp,
) -> Result<()> {
    let entry = AuditEntry { reference: id.to_string(), ..entry };
    audit::append(tx, key, &entry, now).await.map(drop)
}

fn mark(address: &str) -> Result<WebhookMark> {
    address.parse().map_err(|()| Error::Corrupt("the address of a webhook".to_owned()))
}
