//! Our own registration on the platform: the webhook that sends its events here.

use crate::outgoing::is_local;
use crate::secret::Secret;
use crate::xtsystems::{Client, Failure, NewWebhook, Webhook, WebhookChange};

/// What the registration is called; that of the Node bot had the same name, and is taken over.
pub const NAME: &str = "Discord Bot Integration";

/// What registering came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// There was none.
    Made(Webhook),
    /// There was one, and it was brought up to date.
    Updated(Webhook),
}

impl Registered {
    /// The registration as the platform has it now.
    #[must_use]
    pub fn webhook(&self) -> &Webhook {
        match self {
            Self::Made(webhook) | Self::Updated(webhook) => webhook,
        }
    }
}

impl Client {
    /// Whether the platform can reach `url`, as far as the address tells: from elsewhere, this machine's own names lead
    /// nowhere.
    #[must_use]
    pub fn can_reach(&self, url: &str) -> bool {
        self.is_local() || !is_local(url)
    }

    /// Our registration: the webhook that sends to `url`, else the one of our name.
    ///
    /// # Errors
    /// What the platform answered instead of its webhooks.
    pub async fn registration(&self, url: &str) -> Result<Option<Webhook>, Failure> {
        let webhooks = self.webhooks().await?;
        let same = |one: &str, other: &str| one.trim_end_matches('/') == other.trim_end_matches('/');
        let by_url = webhooks.iter().find(|webhook| same(&webhook.url, url));
        Ok(by_url.or_else(|| webhooks.iter().find(|webhook| webhook.name == NAME)).cloned())
    }

    /// Has the platform send `events`, of `company` if there is one, to `url`, signed with `secret`: our registration is
    /// brought up to date, or made.
    ///
    /// # Errors
    /// What the platform answered instead.
    pub async fn register(
        &self,
        url: &str,
        events: &[String],
        company: Option<&str>,
        secret: &Secret,
    ) -> Result<Registered, Failure> {
        let (url, events, secret) = (url.to_owned(), events.to_vec(), secret.clone());
        let company_id = company.map(str::to_owned);
        match self.registration(&url).await? {
            Some(webhook) => {
                let change = WebhookChange {
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
                let webhook = NewWebhook { name: NAME.to_owned(), url, events, company_id, secret };
                self.create_webhook(&webhook).await.map(Registered::Made)
            }
        }
    }
}
