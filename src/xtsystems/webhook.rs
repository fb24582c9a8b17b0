//! The platform's webhooks: the addresses to which it sends its events.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::{Endpoint, Method};
use crate::secret::Secret;
use crate::xtsystems::{CallFailure, XtSystemsClient, failure, shape};

const PATH: &str = "/v1/webhooks";

/// A webhook as the platform returns it. Omitted fields are empty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PlatformWebhook {
    /// The webhook's id in the platform's paths.
    #[serde(deserialize_with = "shape::id")]
    pub id: String,
    /// The display name, unique on the platform.
    #[serde(default, deserialize_with = "shape::text")]
    pub name: String,
    /// The target address.
    #[serde(default, deserialize_with = "shape::text")]
    pub url: String,
    /// Kinds of events, and patterns of them.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whether the platform sends to it.
    #[serde(default = "yes")]
    pub active: bool,
}

/// A webhook to create.
#[derive(Clone, Debug)]
pub struct NewPlatformWebhook {
    /// The display name, unique on the platform.
    pub name: String,
    /// The target address.
    pub url: String,
    /// Kinds of events; `*` means all.
    pub events: Vec<String>,
    /// The id of the one customer whose events are sent; `None` for all.
    pub company_id: Option<String>,
    /// The signing secret.
    pub secret: Secret,
}

/// Changes to a webhook; `None` leaves a field unchanged.
#[derive(Clone, Debug, Default)]
pub struct PlatformWebhookChange {
    /// The display name.
    pub name: Option<String>,
    /// The target address.
    pub url: Option<String>,
    /// Kinds of events; `*` means all.
    pub events: Option<Vec<String>>,
    /// The id of the one customer whose events are sent.
    pub company_id: Option<String>,
    /// The signing secret.
    pub secret: Option<Secret>,
    /// Whether the platform sends to it.
    pub active: Option<bool>,
}

/// The platform's report on a test delivery.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TestReport {
    /// Whether the receiver accepted the test.
    pub success: bool,
    /// The platform's message for people.
    #[serde(default, deserialize_with = "shape::text")]
    pub message: String,
    /// The receiver's HTTP status.
    #[serde(default)]
    pub status: Option<u16>,
    /// Duration of the test in milliseconds.
    #[serde(default)]
    pub ms: Option<u64>,
}

/// One delivery attempted by the platform.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PlatformDelivery {
    /// The delivery's id on the platform.
    #[serde(deserialize_with = "shape::id")]
    pub id: String,
    /// The kind of event, such as `ticket.created`.
    #[serde(default, deserialize_with = "shape::text")]
    pub event_type: String,
    /// The receiver's HTTP status; `None` without a response.
    #[serde(default)]
    pub response_status: Option<u16>,
    /// The start of the receiver's response body, as the platform stored it.
    #[serde(default, deserialize_with = "shape::text")]
    pub response_body: String,
    /// Number of tries so far.
    #[serde(default)]
    pub attempts: u32,
    /// When it was delivered, in the platform's format; empty if it was not.
    #[serde(default, deserialize_with = "shape::text")]
    pub delivered_at: String,
    /// When it was created, in the platform's format.
    #[serde(default, deserialize_with = "shape::text")]
    pub created_at: String,
}

#[derive(Serialize)]
struct WebhookBody<'a> {
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

impl XtSystemsClient {
    /// Lists all webhooks that the key may see.
    ///
    /// # Errors
    ///
    /// The failed reply.
    pub async fn webhooks(&self) -> Result<Vec<PlatformWebhook>, CallFailure> {
        let endpoint = Endpoint { method: Method::Get, path: PATH.to_owned() };
        failure::read(&endpoint, &self.call(&endpoint, None, None).await)
    }

    /// Creates a webhook. The platform refuses a name in use with 400 and "already exists".
    ///
    /// # Errors
    ///
    /// The failed reply.
    pub async fn create_webhook(&self, webhook: &NewPlatformWebhook) -> Result<PlatformWebhook, CallFailure> {
        let endpoint = Endpoint { method: Method::Post, path: PATH.to_owned() };
        let body = json!(WebhookBody {
            name: Some(&webhook.name),
            url: Some(&webhook.url),
            events: Some(&webhook.events),
            company_id: webhook.company_id.as_deref(),
            secret: Some(webhook.secret.expose()),
            active: Some(true),
        });
        failure::read(&endpoint, &self.call(&endpoint, None, Some(&body)).await)
    }

    /// Updates a webhook.
    ///
    /// # Errors
    ///
    /// The failed reply.
    pub async fn update_webhook(
        &self,
        id: &str,
        change: &PlatformWebhookChange,
    ) -> Result<PlatformWebhook, CallFailure> {
        let endpoint = one(Method::Put, id, "")?;
        let body = json!(WebhookBody {
            name: change.name.as_deref(),
            url: change.url.as_deref(),
            events: change.events.as_deref(),
            company_id: change.company_id.as_deref(),
            secret: change.secret.as_ref().map(Secret::expose),
            active: change.active,
        });
        failure::read(&endpoint, &self.call(&endpoint, None, Some(&body)).await)
    }

    /// Deletes a webhook.
    ///
    /// # Errors
    ///
    /// The failed reply.
    pub async fn delete_webhook(&self, id: &str) -> Result<(), CallFailure> {
        let endpoint = one(Method::Delete, id, "")?;
        let reply = self.call(&endpoint, None, None).await;
        if reply.is_success() { Ok(()) } else { Err(CallFailure::of(&endpoint, &reply)) }
    }

    /// Makes the platform send `webhook.test` now.
    ///
    /// # Errors
    ///
    /// The failed reply.
    pub async fn test_webhook(&self, id: &str) -> Result<TestReport, CallFailure> {
        let endpoint = one(Method::Post, id, "/test")?;
        failure::read(&endpoint, &self.call(&endpoint, None, None).await)
    }

    /// Lists the webhook's recent deliveries, the newest first.
    ///
    /// # Errors
    ///
    /// The failed reply.
    pub async fn deliveries(&self, id: &str, limit: u8) -> Result<Vec<PlatformDelivery>, CallFailure> {
        let endpoint = one(Method::Get, id, &format!("/deliveries?limit={limit}"))?;
        failure::read(&endpoint, &self.call(&endpoint, None, None).await)
    }
}

/// The endpoint of one webhook; its id is external data.
fn one(method: Method, id: &str, rest: &str) -> Result<Endpoint, CallFailure> {
    Endpoint::below(method, PATH, id, rest).ok_or_else(|| CallFailure::unusable("webhook"))
}

const fn yes() -> bool {
    true
}
