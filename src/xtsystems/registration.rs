//! nuncio's own registration on the platform: the webhook that sends its events here.

use crate::outgoing::is_local;
use crate::secret::Secret;
use crate::xtsystems::{
    CallFailure, NewPlatformWebhook, PlatformWebhook, PlatformWebhookChange, XtSystemsClient,
};

/// The registration's name. The Node bot used an equal name, so its registration is taken over.
pub const NAME: &str = "Discord Bot Integration";

/// The result of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// A new webhook was created.
    Made(PlatformWebhook),
    /// The existing webhook was updated.
    Updated(PlatformWebhook),
}

impl Registered {
    /// The webhook, as the platform has it now.
    #[must_use]
    pub fn webhook(&self) -> &PlatformWebhook {
        match self {
            Self::Made(webhook) | Self::Updated(webhook) => webhook,
        }
    }
}

impl XtSystemsClient {
    /// Whether the platform can reach `url`, as far as the address shows: on another machine, this machine's local
    /// names lead nowhere.
    #[must_use]
    pub fn can_reach(&self, url: &str) -> bool {
        self.is_local() || !is_local(url)
    }

    /// Finds our registration: the webhook that sends to `url`, else the one with our name.
    ///
    /// # Errors
    ///
    /// The platform's failed reply to the list of webhooks.
    pub async fn registration(&self, url: &str) -> Result<Option<PlatformWebhook>, CallFailure> {
        let webhooks = self.webhooks().await?;
        let same = |one: &str, other: &str| one.trim_end_matches('/') == other.trim_end_matches('/');
        let by_url = webhooks.iter().find(|webhook| same(&webhook.url, url));
        Ok(by_url.or_else(|| webhooks.iter().find(|webhook| webhook.name == NAME)).cloned())
    }

    /// Registers `url` for `events`, only of `company` if there is one, signed with `secret`. Updates our registration,
    /// or creates it.
    ///
    /// # Errors
    ///
    /// The platform's failed reply.
    pub async fn register(
        &self,
        url: &str,
        events: &[String],
        company: Option<&str>,
        secret: &Secret,
    ) -> Result<Registered, CallFailure> {
        let (url, events, secret) = (url.to_owned(), events.to_vec(), secret.clone());
        let company_id = company.map(str::to_owned);
        match self.registration(&url).await? {
            Some(webhook) => {
                let change = PlatformWebhookChange {
                    url: Some(url),
                    events: Some(events),
                    secret: Some(secret),
                    active: Some(true),
                    name: None,
                    company_id,
                };
                self.update_webhook(&webhook.id, &change).await.map(Registered::Updated)
            }
            None => {
                let webhook = NewPlatformWebhook { name: NAME.to_owned(), url, events, company_id, secret };
                self.create_webhook(&webhook).await.map(Registered::Made)
            }
        }
    }
}
