//! Messages through webhooks. The address alone gives access: the bot's token is never sent there.

use std::time::Duration;

use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::discord::answer::{self, Answer};
use crate::discord::bucket::{BucketRoute, Share};
use crate::discord::{DiscordFailure, HttpTransport, failure};
use crate::model::{Attempt, LostWebhook, Snowflake, WebhookIdentity, WebhookUrl};

/// The parts of a webhook object that nuncio reads. Its id proves that the webhook exists.
#[derive(Deserialize)]
struct WebhookObject {
    #[serde(deserialize_with = "answer::id")]
    id: Snowflake,
    #[serde(default)]
    name: Option<String>,
    #[serde(default, deserialize_with = "answer::optional_id")]
    channel_id: Option<Snowflake>,
    #[serde(default, deserialize_with = "answer::optional_id")]
    guild_id: Option<Snowflake>,
}

/// What Discord says about a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookLookup {
    /// It exists.
    Found(WebhookIdentity),
    /// It is permanently unusable; Discord's answer, as a sentence.
    Lost(LostWebhook, String),
}

impl HttpTransport {
    /// Posts `body` through a webhook, and waits for the message (Discord: "Execute Webhook", `wait`). Webhooks have no
    /// nonce: a repetition posts a second message.
    pub async fn execute_webhook<B: Serialize + Sync>(&self, url: &WebhookUrl, body: &B) -> Attempt {
        let path = format!("/webhooks/{}/{}?wait=true{}", url.id(), url.token().expose(), thread(url, '&'));
        let request = self.request(Method::POST, &path);
        let outcome = |answer: &Answer| answer.webhook_outcome(url, self.leads_to_discord());
        self.attempt(post(url.id()), request, body, outcome).await
    }

    /// Replaces a message that was sent through a webhook with `body` (Discord: "Edit Webhook Message"). The edit is
    /// idempotent.
    pub async fn edit_webhook_message<B: Serialize + Sync>(
        &self,
        url: &WebhookUrl,
        message: Snowflake,
        body: &B,
    ) -> Attempt {
        let (id, token) = (url.id(), url.token().expose());
        let path = format!("/webhooks/{id}/{token}/messages/{message}{}", thread(url, '?'));
        let request = self.request(Method::PATCH, &path);
        let outcome = |answer: &Answer| answer.webhook_edit_outcome(url, message);
        self.attempt(patch(url.id()), request, body, outcome).await
    }

    /// Checks whether a webhook exists, without sending anything through it (Discord: "Get Webhook with Token").
    ///
    /// # Errors
    ///
    /// The failed response, if it proves nothing about the webhook.
    pub async fn webhook(&self, url: &WebhookUrl) -> Result<WebhookLookup, DiscordFailure> {
        let path = format!("/webhooks/{}/{}", url.id(), url.token().expose());
        let permit = self.circuit_breaker().acquire_without_token().await;
        let answer = match self.request(Method::GET, &path)?.send().await {
            Ok(response) => Answer::read(response).await,
            Err(error) => return Err(permit.failed(DiscordFailure::network(error), false)),
        };
        self.hear(&answer);
        match failure::json::<WebhookObject>(&answer) {
            Ok(found) if found.id == url.id() => {
                permit.report_success();
                let WebhookObject { name, channel_id: channel, guild_id: guild, .. } = found;
                Ok(WebhookLookup::Found(WebhookIdentity { name, channel, guild }))
            }
            Ok(_) => Err(DiscordFailure::stale()),
            Err(failure) => {
                // Only an error object comes from Discord.
                let is_discords = failure.code.is_some();
                let failure = permit.failed(failure, answer.is_refusal());
                match answer.status {
                    404 if is_discords => Ok(WebhookLookup::Lost(LostWebhook::Deleted, failure.to_string())),
                    401 if is_discords => {
                        Ok(WebhookLookup::Lost(LostWebhook::TokenRefused, failure.to_string()))
                    }
                    _ => Err(failure),
                }
            }
        }
    }

    /// How long the next message through `webhook` should wait for its bucket.
    #[must_use]
    pub fn webhook_ready_in(&self, webhook: Snowflake, share: Share) -> Duration {
        self.ready_in(post(webhook), share)
    }

    /// How long the next edit of a message of `webhook` should wait for its bucket.
    #[must_use]
    pub fn webhook_ready_to_edit_in(&self, webhook: Snowflake, share: Share) -> Duration {
        self.ready_in(patch(webhook), share)
    }
}

fn thread(url: &WebhookUrl, mark: char) -> String {
    url.thread().map(|thread| format!("{mark}thread_id={thread}")).unwrap_or_default()
}

const fn post(webhook: Snowflake) -> BucketRoute {
    BucketRoute { template: "POST /webhooks/{webhook}/{token}", major: webhook }
}

const fn patch(webhook: Snowflake) -> BucketRoute {
    BucketRoute { template: "PATCH /webhooks/{webhook}/{token}/messages/{message}", major: webhook }
}
