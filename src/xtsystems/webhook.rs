//! The platform's webhooks: where it sends its events.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::{Endpoint, Method};
use crate::secret::Secret;
use crate::xtsystems::{Client, Failure, failure, shape};

const PATH: &str = "/v1/webhooks";

/// A webhook as the platform tells it. What it leaves out is empty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Webhook {
    /// Its id.
    #[serde(deserialize_with = "shape::id")]
    pub id: String,
    /// What people call it.
    #[serde(default, deserialize_with = "shape::text")]
    pub name: String,
    /// Where it sends to.
    #[serde(default, deserialize_with = "shape::text")]
    pub url: String,
    /// The kinds it sends.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whether it sends at all.
    #[serde(default = "yes")]
    pub active: bool,
}

/// A webhook to be made.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// What people call it.
    pub name: String,
    /// Where it sends to.
    pub url: String,
    /// The kinds it sends; `*` is all.
    pub events: Vec<String>,
    /// The one customer whose events it sends.
    pub company_id: Option<String>,
    /// What it signs with.
    pub secret: Secret,
}

/// What to change of a webhook; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    /// What people call it.
    pub name: Option<String>,
    /// Where it sends to.
    pub url: Option<String>,
    /// The kinds it sends.
    pub events: Option<Vec<String>>,
    /// The one customer whose events it sends.
    pub company_id: Option<String>,
    /// What it signs with.
    pub secret: Option<Secret>,
    /// Whether it sends at all.
    pub active: Option<bool>,
}

/// What the platform says of a test it sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TestReport {
    /// Whether the receiver took it.
    pub success: bool,
    /// In the platform's words.
    #[serde(default, deserialize_with = "shape::text")]
    pub message: String,
    /// What the receiver answered.
    #[serde(default)]
    pub status: Option<u16>,
    /// How long that took.
    #[serde(default)]
    pub ms: Option<u64>,
}

/// One event that the platform sent, or tried to.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Delivery {
    /// Its id.
    #[serde(deserialize_with = "shape::id")]
    pub id: String,
    /// The kind of event.
    #[serde(default, deserialize_with = "shape::text")]
    pub event_type: String,
    /// What the receiver answered; `None` if it did not.
    #[serde(default)]
    pub response_status: Option<u16>,
    /// The beginning of that answer's body, as the platform kept it.
    #[serde(default, deserialize_with = "shape::text")]
    pub response_body: String,
    /// How often it was tried.
    #[serde(default)]
    pub attempts: u32,
    /// When it arrived, as the platform writes it.
    #[serde(default, deserialize_with = "shape::text")]
    pub delivered_at: String,
    /// When it was made, as the platform writes it.
    #[serde(default, deserialize_with = "shape::text")]
    pub created_at: String,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
}

impl Client {
    /// All webhooks that the key may see.
    ///
    /// # Errors
    /// What the platform answered instead.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, Failure> {
        let endpoint = Endpoint { method: Method::Get, path: PATH.to_owned() };
        failure::read(&endpoint, &self.call(&endpoint, None, None).await)
    }

    /// Makes a webhook. A name that is taken is refused with 400 and "already exists".
    ///
    /// # Errors
    /// What the platform answered instead.
    pub async fn create_webhook(&self, webhook: &NewWebhook) -> Result<Webhook, Failure> {
        let endpoint = Endpoint { method: Method::Post, path: PATH.to_owned() };
        let body = json!(Body {
            name: Some(&webhook.name),
            url: Some(&webhook.url),
            events: Some(&webhook.events),
            company_id: webhook.company_id.as_deref(),
            secret: Some(webhook.secret.expose()),
            active: Some(true),
        });
        failure::read(&endpoint, &self.call(&endpoint, None, Some(&body)).await)
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// What the platform answered instead.
    pub async fn update_webhook(&self, id: &str, change: &WebhookChange) -> Result<Webhook, Failure> {
        let endpoint = one(Method::Put, id, "")?;
        let body = json!(Body {
            name: change.name.as_deref(),
            url: change.url.as_deref(),
            events: change.events.as_deref(),
            company_id: change.company_id.as_deref(),
            secret: change.secret.as_ref().map(Secret::expose),
            active: change.active,
        });
        failure::read(&endpoint, &self.call(&endpoint, None, Some(&body)).await)
    }

    /// Removes a webhook.
    ///
    /// # Errors
    /// What the platform answered instead.
    pub async fn delete_webhook(&self, id: &str) -> Result<(), Failure> {
        let endpoint = one(Method::Delete, id, "")?;
        let reply = self.call(&endpoint, None, None).await;
        if reply.is_success() { Ok(()) } else { Err(Failure::of(&endpoint, &reply)) }
    }

    /// Has the platform send `webhook.test` now.
    ///
    /// # Errors
    /// What the platform answered instead.
    pub async fn test_webhook(&self, id: &str) -> Result<TestReport, Failure> {
        let endpoint = one(Method::Post, id, "/test")?;
        failure::read(&endpoint, &self.call(&endpoint, None, None).await)
    }

    /// What the webhook sent lately, the newest first.
    ///
    /// # Errors
    /// What the platform answered instead.
    pub async fn deliveries(&self, id: &str, limit: u8) -> Result<Vec<Delivery>, Failure> {
        let endpoint = one(Method::Get, id, &format!("/deliveries?limit={limit}"))?;
        failure::read(&endpoint, &self.call(&endpoint, None, None).await)
    }
}

/// The endpoint of one webhook, whose id came from outside.
fn one(method: Method, id: &str, rest: &str) -> Result<Endpoint, Failure> {
    Endpoint::below(method, PATH, id, rest).ok_or_else(|| Failure::unusable("webhook"))
}

const fn yes() -> bool {
    true
}
