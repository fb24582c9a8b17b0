//! Stored Discord webhooks, as far as Discord is asked about them: a look before an address is stored, tests, the import.
//!
//! The hub decides who may do what and keeps it; this room sends the requests. It is the one way in for the command line,
//! the API and the console, so that all of them refuse a dead address alike.
//!
//! An address that Discord does not know is refused with Discord's own words. If Discord cannot be reached, the address is
//! stored without a look: a webhook must not wait for Discord to be well.

mod import;

use std::time::Duration;

use crate::clock::Clock;
use crate::discord::{DiscordFailure, HttpTransport, WebhookLookup};
use crate::hub::{Error, Hub, Result};
use crate::model::{
    Attempt, By, DestinationId, Idempotent, LostWebhook, NewWebhook, Once, Outcome, StoredWebhook,
    WebhookChange, WebhookIdentity, WebhookUrl, WebhookUrlError,
};
use crate::render;
use crate::store::{Store, WebhookTested};

pub use import::{
    Candidate, ImportOptions, ImportReport, Importer, UnreadableSource, read_csv, read_json, read_postgres,
};

/// How long a look at a webhook may take, so that whoever stores it does not wait for a Discord that hangs.
const LOOK: Duration = Duration::from_secs(5);
/// Why a test is not sent.
const UNREADABLE: &str = "its address cannot be unsealed: its row in the database was changed, or was sealed with another \
                          key. Give the address again";

/// The use cases of stored webhooks that send something to Discord.
#[derive(Clone)]
pub struct DiscordWebhooks {
    hub: Hub,
    store: Store,
    transport: HttpTransport,
    clock: Clock,
}

/// A test, and Discord's answer to it.
#[derive(Clone, Debug)]
pub struct WebhookTest {
    /// The exchange.
    pub attempt: Attempt,
}

impl WebhookTest {
    /// Whether the test arrived.
    #[must_use]
    pub fn arrived(&self) -> bool {
        matches!(self.attempt.outcome, Outcome::Sent(_))
    }

    /// Why it did not arrive, in Discord's words; `None` if it did.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        match &self.attempt.outcome {
            Outcome::Sent(_) => None,
            Outcome::Closed(why) | Outcome::Denied(why) | Outcome::Refused(why) => Some(why.to_string()),
            Outcome::Retry { .. } | Outcome::Uneditable(_) | Outcome::Paused { .. } => {
                let answer = String::from_utf8_lossy(&self.attempt.response);
                Some(match self.attempt.status {
                    Some(status) => format!("Discord answered {status}: {answer}"),
                    None => format!("Discord did not answer: {answer}"),
                })
            }
        }
    }
}

/// The warning about a webhook that was stored while Discord could not be reached.
#[must_use]
pub fn not_looked_at(webhook: &StoredWebhook) -> Option<&'static str> {
    webhook.identity.is_none().then_some(
        "Discord could not be reached, so whether the webhook exists is not known: send a test through it later",
    )
}

impl DiscordWebhooks {
    /// The use cases over these parts of one process.
    #[must_use]
    pub const fn new(hub: Hub, store: Store, transport: HttpTransport, clock: Clock) -> Self {
        Self { hub, store, transport, clock }
    }

    /// The use cases of the hub behind it.
    #[must_use]
    pub const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Parses an address strictly.
    ///
    /// # Errors
    /// What is wrong with it, without the text.
    pub fn parse(&self, text: &str) -> std::result::Result<WebhookUrl, WebhookUrlError> {
        WebhookUrl::parse(text, &self.transport.base().proxy())
    }

    /// Stores a webhook whose address Discord knows, or could not be asked about: see [`not_looked_at`].
    ///
    /// # Errors
    /// [`Error::Invalid`] if Discord does not know it; else as [`Hub::add_webhook`].
    pub async fn add(
        &self,
        about: NewWebhook,
        url: &WebhookUrl,
        once: Option<Once<StoredWebhook>>,
        by: &By,
    ) -> Result<Idempotent<StoredWebhook>> {
        // Nobody who may not store it has Discord asked.
        let about = self.hub.checked_webhook(about, url, by).await?;
        let identity = self.look_before_saving(url).await?;
        self.hub.add_webhook(about, url, identity, once, by).await
    }

    /// Changes a webhook. A new address is looked at before it is stored.
    ///
    /// # Errors
    /// [`Error::Invalid`] if Discord does not know the new address; else as [`Hub::change_webhook`].
    pub async fn change(
        &self,
        id: DestinationId,
        change: WebhookChange,
        url: Option<&WebhookUrl>,
        by: &By,
    ) -> Result<StoredWebhook> {
        let address = match url {
            Some(url) => {
                self.hub.changeable_webhook(id, by).await?;
                Some((url, self.look_before_saving(url).await?))
            }
            None => None,
        };
        self.hub.change_webhook(id, change, address, by).await
    }

    /// Sends a test through a stored webhook, even if it is disabled or closed. A test that arrives opens it again.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn test(&self, id: DestinationId, by: &By) -> Result<WebhookTest> {
        let webhook = self.hub.changeable_webhook(id, by).await?;
        let test = match self.store.webhook_url(id).await? {
            Some(url) => self.send_test(&url, &webhook.about.name).await,
            None => {
                let outcome = Outcome::Closed(crate::model::Reason::new(UNREADABLE));
                WebhookTest { attempt: Attempt::unanswered(self.clock.now(), outcome) }
            }
        };
        let tested = match (&test.attempt.outcome, test.error()) {
            (_, None) => Some(WebhookTested::Arrived),
            (Outcome::Closed(why), _) => Some(WebhookTested::Closed(why.to_string())),
            // Nothing was sent, or Discord only asked to wait.
            _ if !test.attempt.is_failure() => None,
            (_, Some(error)) => Some(WebhookTested::Failed(error)),
        };
        if let Some(tested) = tested {
            self.store.note_webhook_tested(id, webhook.mark, tested, by.clone()).await?;
            self.hub.progressed();
        }
        Ok(test)
    }

    /// Sends a test to an address that is not stored.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn test_address(&self, url: &WebhookUrl, by: &By) -> Result<WebhookTest> {
        self.hub.authorize_webhooks(by, &url.mark().to_string()).await?;
        Ok(self.send_test(url, "a webhook that is not stored yet").await)
    }

    async fn send_test(&self, url: &WebhookUrl, name: &str) -> WebhookTest {
        let permit = match self.transport.circuit_breaker().try_acquire_without_token() {
            Ok(permit) => permit,
            Err(wait) => {
                let failure = DiscordFailure::breaker_open(wait);
                let response = failure.to_string().into_bytes();
                let attempt = Attempt { response, ..Attempt::unanswered(self.clock.now(), failure.outcome) };
                return WebhookTest { attempt };
            }
        };
        let attempt =
            self.transport.execute_webhook(url, &render::webhook_test(name, self.clock.now())).await;
        permit.report(&attempt);
        WebhookTest { attempt }
    }

    /// Asks Discord about an address that is to be stored. `None`: it could not be asked.
    async fn look_before_saving(&self, url: &WebhookUrl) -> Result<Option<WebhookIdentity>> {
        match self.look(url).await {
            Look::Known(identity) => Ok(Some(identity)),
            Look::Lost(_, answer) => Err(Error::Invalid {
                field: "webhook_url",
                reason: format!(
                    "Discord does not take messages for this webhook: {answer}. Make a new one in Discord (Edit Channel, \
                     Integrations, Webhooks) and copy its address."
                ),
            }),
            Look::Unreachable(why) => {
                tracing::warn!("the webhook {url} is stored without a look at it: {why}");
                Ok(None)
            }
        }
    }

    async fn look(&self, url: &WebhookUrl) -> Look {
        match self.clock.within(LOOK, self.transport.webhook(url)).await {
            Some(Ok(WebhookLookup::Found(identity))) => Look::Known(identity),
            Some(Ok(WebhookLookup::Lost(lost, answer))) => Look::Lost(lost, answer),
            Some(Err(failure)) => Look::Unreachable(failure.to_string()),
            None => Look::Unreachable("no answer in time".to_owned()),
        }
    }
}

/// What Discord says about an address.
enum Look {
    Known(WebhookIdentity),
    Lost(LostWebhook, String),
    Unreachable(String),
}
