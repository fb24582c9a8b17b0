//! Changes of stored webhooks: their details, their address, and what a test says about them.

use crate::clock::Timestamp;
use crate::model::{
    AuditEntry, AuditOutcome, By, DestinationId, NewWebhook, WebhookChange, WebhookIdentity, WebhookMark,
    WebhookUrl,
};
use crate::store::audit::AuditKey;
use crate::store::sql::{Tx, query};
use crate::store::unit::Unit;
use crate::store::webhook::{SINK, SealedAddress, StoreOutcome, health, known, note, read};
use crate::store::{Result, Store};

impl Store {
    /// Changes the details of a webhook and, if one is given, its address. With a new address the webhook is open again,
    /// and its pending deliveries are due.
    pub async fn change_webhook(
        &self,
        id: DestinationId,
        change: WebhookChange,
        address: Option<(&WebhookUrl, Option<WebhookIdentity>)>,
        by: By,
    ) -> Result<StoreOutcome> {
        let (now, audit) = (self.0.clock.now(), self.audit_key()?);
        let address = address.map(|(url, identity)| self.seal(id, url, identity)).transpose()?;
        self.writer().submit(Change { id, change, address, by, audit, now }).await
    }

    /// Records a test through a webhook. If it arrived, the webhook is open again; if Discord does not know the webhook
    /// any more, it is closed.
    pub async fn note_webhook_tested(
        &self,
        id: DestinationId,
        mark: WebhookMark,
        tested: WebhookTested,
        by: By,
    ) -> Result<()> {
        let (now, audit) = (self.0.clock.now(), self.audit_key()?);
        self.writer().submit(Tested { id, mark, tested, by, audit, now }).await
    }
}

struct Change {
    id: DestinationId,
    change: WebhookChange,
    address: Option<SealedAddress>,
    by: By,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Change {
    type Output = StoreOutcome;

    async fn apply(&self, tx: &mut Tx) -> Result<StoreOutcome> {
        let row = query(
            "SELECT address, name, company_id, owner, category, scope, description, avatar_url, enabled \
             FROM destinations WHERE id = $1 AND sink = $2 AND deleted_at IS NULL",
        )
        .bind(self.id)
        .bind(SINK)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(StoreOutcome::NotFound) };
        let old = super::mark(&row.try_get::<String>("address")?)?;
        let about = self.change.applied_to(&read::about(&row)?);
        let mark = self.address.as_ref().map_or(&old, |address| &address.mark);
        let other = known(tx, &about.company, &about.owner, mark).await?;
        if let Some(other) = other.filter(|other| *other != self.id) {
            return Ok(StoreOutcome::Known(other));
        }
        self.set_details(tx, &about).await?;
        if let Some(address) = &self.address {
            self.set_address(tx, address).await?;
        }
        let mut fields = self.change.fields();
        fields.extend(self.address.is_some().then_some("address"));
        let entry = AuditEntry { detail: fields.join(", "), ..self.by.entry(mark.to_string()) };
        note(tx, &self.audit, entry, self.id, self.now).await?;
        Ok(StoreOutcome::Stored)
    }
}

impl Change {
    async fn set_details(&self, tx: &mut Tx, about: &NewWebhook) -> Result<()> {
        query(
            "UPDATE destinations SET name = $2, category = $3, scope = $4, owner = $5, description = $6, avatar_url = $7, \
             enabled = $8, updated_at = $9 WHERE id = $1",
        )
        .bind(self.id)
        .bind(&about.name)
        .bind(about.category.as_str())
        .bind(about.scope.as_str())
        .bind(&about.owner)
        .bind(&about.description)
        .bind(&about.avatar_url)
        .bind(about.enabled)
        .bind(self.now.as_millis())
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn set_address(&self, tx: &mut Tx, address: &SealedAddress) -> Result<()> {
        let identity = address.identity.as_ref();
        query(
            "UPDATE destinations SET address = $2, sealed = $3, closed_reason = NULL, denied_reason = NULL, \
             not_before = 0, test_success_at = NULL, consecutive_failures = 0, last_error = NULL, discord_name = $4, \
             discord_channel_id = $5, discord_guild_id = $6 WHERE id = $1",
        )
        .bind(self.id)
        .bind(address.mark.stored())
        .bind(&address.sealed)
        .bind(identity.map(|identity| identity.name.as_deref().unwrap_or_default()))
        .bind(identity.and_then(|identity| identity.channel))
        .bind(identity.and_then(|identity| identity.guild))
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// What became of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookTested {
    /// It arrived.
    Arrived,
    /// It did not; the answer.
    Failed(String),
    /// The webhook is permanently unusable; why.
    Closed(String),
}

struct Tested {
    id: DestinationId,
    mark: WebhookMark,
    tested: WebhookTested,
    by: By,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Tested {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        let (error, closed) = match &self.tested {
            WebhookTested::Arrived => (None, None),
            WebhookTested::Failed(error) => (Some(error), None),
            WebhookTested::Closed(error) => (Some(error), Some(error)),
        };
        // Removed, or given another address, meanwhile: then the test says nothing about it.
        let changed = match error {
            None => {
                query(
                    "UPDATE destinations SET test_success_at = $2, last_success_at = $2, closed_reason = NULL, \
                     consecutive_failures = 0, last_error = NULL, \
                     not_before = CASE WHEN closed_reason IS NULL AND denied_reason IS NULL THEN not_before ELSE 0 END \
                     WHERE id = $1 AND address = $3 AND deleted_at IS NULL",
                )
                .bind(self.id)
                .bind(self.now.as_millis())
                .bind(self.mark.stored())
                .execute(&mut *tx)
                .await?
            }
            Some(error) => {
                query(
                    "UPDATE destinations SET consecutive_failures = consecutive_failures + 1, last_error = $2, \
                     closed_reason = COALESCE(closed_reason, $4) WHERE id = $1 AND address = $3 AND deleted_at IS NULL",
                )
                .bind(self.id)
                .bind(error)
                .bind(self.mark.stored())
                .bind(closed.map(String::as_str))
                .execute(&mut *tx)
                .await?
            }
        };
        if changed == 1 {
            health::count(tx, self.id, error.is_none(), self.now).await?;
        }
        let mut entry = self.by.entry(self.mark.to_string());
        if let Some(error) = error {
            entry = AuditEntry { detail: error.clone(), outcome: AuditOutcome::Failed, ..entry };
        }
        note(tx, &self.audit, entry, self.id, self.now).await
    }
}
