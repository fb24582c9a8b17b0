//! Stored Discord webhooks as use cases: add, list, change, remove. The caller has already parsed the address strictly,
//! and asked Discord about it.

mod access;
mod check;

use crate::hub::error::{Conflict, Error, Result};
use crate::hub::{Hub, Problem, ProblemCode};
use crate::model::{
    By, DestinationId, Idempotent, LostWebhook, NewWebhook, Once, Principal, StoredWebhook, WebhookChange,
    WebhookFilter, WebhookIdentity, WebhookMark, WebhookUrl,
};
use crate::store::{self, KnownWebhook, StoreOutcome};

use access::Sight;

/// A stored webhook, as far as whoever asks may see it.
#[derive(Clone, Debug)]
pub enum VisibleWebhook {
    /// Everything but its address.
    Whole(Box<StoredWebhook>),
    /// A PUBLIC webhook: its name, topic and audience, not its mark.
    Listed(Box<StoredWebhook>),
}

impl VisibleWebhook {
    /// The webhook itself.
    #[must_use]
    pub fn webhook(&self) -> &StoredWebhook {
        match self {
            Self::Whole(webhook) | Self::Listed(webhook) => webhook,
        }
    }
}

/// The problem of a stored webhook that Discord no longer accepts messages for.
#[must_use]
pub fn lost_webhook(id: DestinationId, name: &str, mark: &WebhookMark, lost: LostWebhook) -> Problem {
    let found = match lost {
        LostWebhook::Deleted => {
            format!("The stored webhook \"{name}\" ({mark}) was deleted in Discord: nothing arrives there")
        }
        LostWebhook::TokenRefused => format!(
            "Discord refuses the token of the stored webhook \"{name}\" ({mark}): it was made anew or mistyped, and nothing \
             arrives there"
        ),
    };
    Problem::with_remedy(ProblemCode::WebhookLost, found, replace_webhook(id))
}

/// All that is wrong with the details of a webhook, for a form that shows every fault at its field.
#[must_use]
pub fn webhook_faults(about: &NewWebhook) -> Vec<Error> {
    check::faults(about)
}

/// Remedy for a stored webhook that is permanently unusable.
#[must_use]
pub fn replace_webhook(id: DestinationId) -> String {
    format!(
        "Make a new webhook in Discord (Edit Channel, Integrations, Webhooks, New Webhook, Copy Webhook URL), then run: nuncio \
         discord-webhooks replace {id} (it asks for the address). If it is not needed: nuncio discord-webhooks remove {id}"
    )
}

impl Hub {
    /// The stored webhooks that the map names and that are enabled, oldest first.
    pub async fn webhooks_in_use(&self) -> store::Result<Vec<StoredWebhook>> {
        let mut webhooks = self.0.store.webhooks().await?;
        let in_use = self.0.routing.now().in_use();
        webhooks.retain(|webhook| {
            webhook.about.enabled && webhook.closed.is_none() && in_use.contains(&webhook.id)
        });
        Ok(webhooks)
    }

    /// Checks a webhook before it is stored, and before Discord is asked about its address. Returns it with the company
    /// and owner of the API key that asks.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Forbidden`].
    pub async fn checked_webhook(&self, about: NewWebhook, url: &WebhookUrl, by: &By) -> Result<NewWebhook> {
        let subject = url.mark().to_string();
        self.authorize_webhooks(by, &subject).await?;
        let about = access::within(by.principal.as_ref(), about);
        match about.and_then(|about| check::check(&about).map(|()| about)) {
            Ok(about) => Ok(about),
            Err(error) => Err(self.refused(by, &subject, error).await),
        }
    }

    /// Stores a webhook. From then on, the map may name its destination, and dispatches choose it.
    ///
    /// # Errors
    /// [`Conflict::Stored`] if its address is already stored for the same owner; [`Conflict::OtherBody`];
    /// [`Error::Invalid`], [`Error::Forbidden`].
    pub async fn add_webhook(
        &self,
        about: NewWebhook,
        url: &WebhookUrl,
        identity: Option<WebhookIdentity>,
        once: Option<Once<StoredWebhook>>,
        by: &By,
    ) -> Result<Idempotent<StoredWebhook>> {
        let about = self.checked_webhook(about, url, by).await?;
        let id = DestinationId::new();
        match self.0.store.add_webhook(id, about, url, identity, once, by.clone()).await? {
            Ok(stored) => Ok(stored?),
            Err(KnownWebhook(id)) => {
                Err(self.refused(by, &url.mark().to_string(), Conflict::Stored(id).into()).await)
            }
        }
    }

    /// All stored webhooks, oldest first.
    pub async fn webhooks(&self) -> store::Result<Vec<StoredWebhook>> {
        self.0.store.webhooks().await
    }

    /// The stored webhooks that `principal` sees and `filter` means, stored after `after`; at most `most`.
    pub async fn visible_webhooks(
        &self,
        principal: &Principal,
        filter: WebhookFilter,
        after: Option<DestinationId>,
        most: u32,
    ) -> store::Result<Vec<VisibleWebhook>> {
        let visible = access::visible(Some(principal));
        if visible.company.is_some() && filter.company.is_some() && visible.company != filter.company {
            return Ok(Vec::new());
        }
        let company = visible.company.or(filter.company);
        let filter = WebhookFilter { company, audience: visible.audience, ..filter };
        let found = self.0.store.webhooks_page(&filter, after, Some(most)).await?;
        Ok(found.into_iter().filter_map(|webhook| seen(Some(principal), webhook)).collect())
    }

    /// The stored webhook `id`, if `principal` sees it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn visible_webhook(&self, id: DestinationId, principal: &Principal) -> Result<VisibleWebhook> {
        let found = self.0.store.webhook(id).await?;
        found.and_then(|webhook| seen(Some(principal), webhook)).ok_or_else(unknown)
    }

    /// The stored webhook `id`, if whoever asks may change and test it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn changeable_webhook(&self, id: DestinationId, by: &By) -> Result<StoredWebhook> {
        let subject = id.to_string();
        self.authorize_webhooks(by, &subject).await?;
        let found = self.0.store.webhook(id).await?;
        match found.filter(|webhook| access::sight(by.principal.as_ref(), webhook) == Sight::Whole) {
            Some(webhook) => Ok(webhook),
            None => Err(self.refused(by, &subject, unknown()).await),
        }
    }

    /// Resolves a webhook by its full id, by the id's last characters as lists show them, or by a unique name.
    ///
    /// # Errors
    /// [`Error::NotFound`] if none matches, [`Conflict::Ambiguous`] if several do.
    pub async fn webhook_named(&self, text: &str) -> Result<StoredWebhook> {
        let text = text.trim();
        let mut found = self.webhooks().await?;
        found.retain(|webhook| {
            let id = webhook.id.to_string();
            id == text || webhook.id.short() == text.to_ascii_lowercase() || webhook.about.name == text
        });
        // A full id wins, whatever other webhooks are named.
        if let Some(whole) = found.iter().position(|webhook| webhook.id.to_string() == text) {
            return Ok(found.swap_remove(whole));
        }
        match found.pop() {
            Some(one) if found.is_empty() => Ok(one),
            Some(last) => {
                found.push(last);
                Err(Conflict::Ambiguous(found.iter().map(|webhook| webhook.id).collect()).into())
            }
            None => Err(unknown()),
        }
    }

    /// Changes the details of a webhook and, if one is given, its address: then a running `nuncio serve` sends its
    /// waiting deliveries within a second, as it does when the webhook is enabled again. Returns the webhook as it is
    /// afterwards.
    ///
    /// # Errors
    /// [`Conflict::Stored`] if the same owner has that address stored as another one; [`Error::NotFound`],
    /// [`Error::Invalid`], [`Error::Forbidden`].
    pub async fn change_webhook(
        &self,
        id: DestinationId,
        change: WebhookChange,
        address: Option<(&WebhookUrl, Option<WebhookIdentity>)>,
        by: &By,
    ) -> Result<StoredWebhook> {
        let old = self.changeable_webhook(id, by).await?;
        if change.fields().is_empty() && address.is_none() {
            return Ok(old);
        }
        let subject =
            address.as_ref().map_or_else(|| old.mark.to_string(), |(url, _)| url.mark().to_string());
        let about = access::within(by.principal.as_ref(), change.applied_to(&old.about));
        if let Err(error) = about.and_then(|about| check::check(&about)) {
            return Err(self.refused(by, &subject, error).await);
        }
        let error = match self.0.store.change_webhook(id, change, address, by.clone()).await? {
            StoreOutcome::Stored => {
                self.progressed();
                return self.0.store.webhook(id).await?.ok_or_else(unknown);
            }
            StoreOutcome::Known(other) => Conflict::Stored(other).into(),
            StoreOutcome::NotFound => unknown(),
        };
        Err(self.refused(by, &subject, error).await)
    }

    /// Replaces a webhook's address.
    ///
    /// # Errors
    /// As [`Hub::change_webhook`].
    pub async fn replace_webhook(&self, id: DestinationId, url: &WebhookUrl, by: &By) -> Result<()> {
        self.change_webhook(id, WebhookChange::default(), Some((url, None)), by).await.map(drop)
    }

    /// Removes a webhook; returns how many deliveries were canceled. It cannot be redelivered to.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none; [`Error::Forbidden`].
    pub async fn remove_webhook(&self, id: DestinationId, by: &By) -> Result<u64> {
        self.changeable_webhook(id, by).await?;
        if !self.0.store.remove_webhook(id, by.clone()).await? {
            return Err(self.refused(by, &id.to_string(), unknown()).await);
        }
        Ok(self.cancel_removed().await?)
    }

    /// Cancels deliveries that wait for removed destinations; returns how many.
    pub async fn cancel_removed(&self) -> store::Result<u64> {
        let mut all = 0;
        loop {
            let some = self.0.store.cancel_removed().await?;
            if some == 0 {
                if all > 0 {
                    self.progressed();
                }
                return Ok(all);
            }
            all += some;
        }
    }

    /// Checks that whoever asks may add, change or test webhooks at all.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn authorize_webhooks(&self, by: &By, subject: &str) -> Result<()> {
        match &by.principal {
            Some(principal) => self.authorize_role(by, subject, access::needed(principal)).await,
            None => self.authorize(by, subject).await,
        }
    }
}

fn seen(principal: Option<&Principal>, webhook: StoredWebhook) -> Option<VisibleWebhook> {
    match access::sight(principal, &webhook) {
        Sight::Whole => Some(VisibleWebhook::Whole(Box::new(webhook))),
        Sight::Listed => Some(VisibleWebhook::Listed(Box::new(webhook))),
        Sight::Hidden => None,
    }
}

fn unknown() -> Error {
    Error::NotFound(
        "there is no stored webhook of that id: nuncio discord-webhooks list shows them".to_owned(),
    )
}
