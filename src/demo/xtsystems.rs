//! An event sender: signs events as XTSystems does and posts them to a webhook.

use std::time::Duration;

use serde_json::Value;

use crate::clock::Clock;
use crate::outgoing;
use crate::secret::Secret;
use crate::signature;

/// How long the platform waits for an answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// A sender with one webhook.
#[derive(Clone, Debug)]
pub struct XtSystems {
    http: reqwest::Client,
    webhook: String,
    secret: Secret,
    clock: Clock,
}

/// The webhook's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null if it is not JSON.
    pub body: Value,
}

impl XtSystems {
    /// A sender that posts to the address `webhook` and signs with `secret`.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(webhook: impl Into<String>, secret: Secret, clock: Clock) -> reqwest::Result<Self> {
        let http = outgoing::builder().no_proxy().build()?;
        Ok(Self::over(http, webhook, secret, clock))
    }

    /// [`XtSystems::new`] with an existing HTTP client.
    #[must_use]
    pub fn over(http: reqwest::Client, webhook: impl Into<String>, secret: Secret, clock: Clock) -> Self {
        Self { http, webhook: webhook.into(), secret, clock }
    }

    /// Sends an event as the platform does: sets the `timestamp` of `body` to the current time, and signs it.
    ///
    /// # Errors
    /// If the webhook cannot be reached.
    pub async fn send(&self, mut body: Value) -> reqwest::Result<WebhookAnswer> {
        let now = self.clock.now().as_secs();
        body["timestamp"] = now.into();
        self.post(&now.to_string(), body.to_string()).await
    }

    /// Signs `body` unchanged for `timestamp`, and posts it.
    ///
    /// # Errors
    /// If the webhook cannot be reached.
    pub async fn post(&self, timestamp: &str, body: impl Into<Vec<u8>>) -> reqwest::Result<WebhookAnswer> {
        let body = body.into();
        let signature = signature::sign(&self.secret, &[timestamp.as_bytes(), &body]);
        self.post_signed(timestamp, &signature, body).await
    }

    /// Posts `body` with these headers, valid or not.
    ///
    /// # Errors
    /// If the webhook cannot be reached.
    pub async fn post_signed(
        &self,
        timestamp: &str,
        signature: &str,
        body: Vec<u8>,
    ) -> reqwest::Result<WebhookAnswer> {
        let request = || {
            let request =
                self.http.post(&self.webhook).timeout(DEADLINE).header("content-type", "application/json");
            let request = request.header("x-xtsystems-timestamp", timestamp);
            request.header("x-xtsystems-signature", signature).body(body.clone()).send()
        };
        let response = match request().await {
            // The receiver was just closing a kept-alive connection. One retry: equal bytes are the same event.
            Err(error) if error.is_request() && !error.is_timeout() && !error.is_connect() => {
                request().await?
            }
            answered => answered?,
        };
        let status = response.status().as_u16();
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        Ok(WebhookAnswer { status, body })
    }
}
