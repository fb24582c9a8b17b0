//! Messages through webhooks. Their address is all it takes: the bot's token is never sent there.

use std::time::Duration;

use reqwest::Method;
use serde::Serialize;

use crate::discord::Wire;
use crate::discord::bucket::{Route, Share};
use crate::model::{Attempt, Snowflake, WebhookUrl};

impl Wire {
    /// Posts `body` through a webhook, and waits for the message (Discord: "Execute Webhook", `wait`). There is no nonce:
    /// a repetition is a second message.
    pub async fn execute_webhook<B: Serialize + Sync>(&self, url: &WebhookUrl, body: &B) -> Attempt {
        let path = format!("/webhooks/{}/{}?wait=true{}", url.id(), url.token().expose(), thread(url, '&'));
        let request = self.request(Method::POST, &path);
        let outcome = |answer: &super::answer::Answer| answer.webhook_outcome(url, self.leads_to_discord());
        self.attempt(post(url.id()), request, body, outcome).await
    }

    /// Makes `body` the whole of a message that was sent through a webhook (Discord: "Edit Webhook Message"). Doing it
    /// twice is doing it once.
    pub async fn edit_webhook_message<B: Serialize + Sync>(
        &self,
        url: &WebhookUrl,
        message: Snowflake,
        body: &B,
    ) -> Attempt {
        let (id, token) = (url.id(), url.token().expose());
        let path = format!("/webhooks/{id}/{token}/messages/{message}{}", thread(url, '?'));
        let request = self.request(Method::PATCH, &path);
        let outcome = |answer: &super::answer::Answer| answer.webhook_edit_outcome(url, message);
        self.attempt(patch(url.id()), request, body, outcome).await
    }

    /// How long the next message through `webhook` should wait for its bucket.
    #[must_use]
    pub fn webhook_ready_in(&self, webhook: Snowflake, share: Share) -> Duration {
        self.ready_in(post(webhook), share)
    }

    /// How long the next change of a message of `webhook` should wait for its bucket.
    #[must_use]
    pub fn webhook_ready_to_edit_in(&self, webhook: Snowflake, share: Share) -> Duration {
        self.ready_in(patch(webhook), share)
    }
}

fn thread(url: &WebhookUrl, mark: char) -> String {
    url.thread().map(|thread| format!("{mark}thread_id={thread}")).unwrap_or_default()
}

const fn post(webhook: Snowflake) -> Route {
    Route { template: "POST /webhooks/{webhook}/{token}", major: webhook }
}

const fn patch(webhook: Snowflake) -> Route {
    Route { template: "PATCH /webhooks/{webhook}/{token}/messages/{message}", major: webhook }
}
