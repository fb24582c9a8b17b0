//! Answers of `/v1/discord-webhooks`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::problem::Fault;
use crate::api::word::{ApiTime, WebhookCategory, WebhookScope, Word};
use crate::discord_webhooks::{WebhookTest, not_looked_at};
use crate::hub::VisibleWebhook;
use crate::model::{DestinationId, Snowflake, StoredWebhook, WebhookIdentity};

/// A stored Discord webhook, without its address.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "dst_0193f2c1a5b07c3e9d1f4a6b8c0d2e4f", "name": "Acme alerts",
    "webhook_url": "…/webhooks/1200000000000000001/••••x7Qa", "type": "SECURITY", "scope": "ADMIN", "description": null,
    "avatar_url": null, "enabled": true, "created_at": "2026-01-15T10:30:00Z", "user_id": null, "company_id": null,
    "test_success_at": "2026-01-16T08:00:00Z", "last_success_at": "2026-01-16T08:00:00Z", "waiting": 0,
    "consecutive_failures": 0, "failure_rate": 0.0, "last_error": null, "closed_reason": null, "denied_reason": null,
    "discord": {"name": "Captain Hook", "channel_id": "1200000000000000002", "guild_id": "1200000000000000003"},
}))]
pub(in crate::api) struct DiscordWebhook {
    #[schema(value_type = String)]
    id: DestinationId,
    name: String,
    /// The part of its address that may be seen; null where the key may not see it.
    #[schema(required = true)]
    webhook_url: Option<String>,
    r#type: WebhookCategory,
    scope: WebhookScope,
    #[schema(required = true)]
    description: Option<String>,
    #[schema(required = true)]
    avatar_url: Option<String>,
    enabled: bool,
    created_at: ApiTime,
    #[serde(flatten)]
    health: Option<WebhookHealth>,
}

/// Whose a webhook is, and how it is. Not in answers to keys that may only know that the webhook exists.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct WebhookHealth {
    /// The customer that it belongs to.
    #[schema(required = true)]
    user_id: Option<String>,
    /// The company that it belongs to.
    #[schema(required = true)]
    company_id: Option<String>,
    /// When a message or a test last arrived, since its address was stored.
    #[schema(required = true)]
    test_success_at: Option<ApiTime>,
    /// When a message or a test last arrived.
    #[schema(required = true)]
    last_success_at: Option<ApiTime>,
    /// Messages that wait for it.
    waiting: u64,
    /// Failed attempts since the last message that arrived.
    consecutive_failures: u64,
    /// The share of attempts that failed in the last 24 hours, from 0 to 1; null if there were none.
    #[schema(required = true, minimum = 0, maximum = 1)]
    failure_rate: Option<f64>,
    /// What Discord answered to the last attempt, if that failed.
    #[schema(required = true)]
    last_error: Option<String>,
    /// Why nothing can be sent until it gets another address.
    #[schema(required = true)]
    closed_reason: Option<String>,
    /// Why Discord takes nothing for now; nuncio tries again by itself.
    #[schema(required = true)]
    denied_reason: Option<String>,
    /// Discord's answer about it when its address was stored; null if Discord could not be reached then.
    #[schema(required = true)]
    discord: Option<WebhookInDiscord>,
}

/// A webhook as Discord knows it.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct WebhookInDiscord {
    #[schema(required = true)]
    name: Option<String>,
    #[schema(value_type = Option<String>, required = true)]
    channel_id: Option<Snowflake>,
    #[schema(value_type = Option<String>, required = true)]
    guild_id: Option<Snowflake>,
}

impl DiscordWebhook {
    /// The webhook, as far as its key may see it.
    pub(super) fn of_visible(webhook: &VisibleWebhook) -> Self {
        match webhook {
            VisibleWebhook::Whole(webhook) => Self::of(webhook),
            VisibleWebhook::Listed(webhook) => Self { webhook_url: None, health: None, ..Self::of(webhook) },
        }
    }

    fn of(webhook: &StoredWebhook) -> Self {
        let about = &webhook.about;
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Self {
            id: webhook.id,
            name: about.name.clone(),
            webhook_url: Some(webhook.mark.to_string()),
            r#type: Word(about.category),
            scope: Word(about.scope),
            description: given(&about.description),
            avatar_url: about.avatar_url.clone(),
            enabled: about.enabled,
            created_at: ApiTime(webhook.created_at),
            health: Some(WebhookHealth {
                user_id: given(&about.owner),
                company_id: given(&about.company),
                test_success_at: webhook.test_success_at.map(ApiTime),
                last_success_at: webhook.last_success_at.map(ApiTime),
                waiting: webhook.waiting,
                consecutive_failures: webhook.failures,
                failure_rate: webhook.failure_rate(),
                last_error: webhook.last_error.clone(),
                closed_reason: webhook.closed.clone(),
                denied_reason: webhook.denied.clone(),
                discord: webhook.identity.clone().map(|WebhookIdentity { name, channel, guild }| {
                    WebhookInDiscord { name, channel_id: channel, guild_id: guild }
                }),
            }),
        }
    }
}

/// A webhook that was stored or changed.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct SavedWebhook {
    #[serde(flatten)]
    webhook: DiscordWebhook,
    /// What was left out of the request, and whether Discord could not be asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Fault>,
}

impl SavedWebhook {
    pub(super) fn of(webhook: &StoredWebhook, warnings: &[Fault]) -> Self {
        let unseen = not_looked_at(webhook).map(|why| Fault::new("/webhook_url", "not_checked", why));
        let warnings = warnings.iter().cloned().chain(unseen).collect();
        Self { webhook: DiscordWebhook::of(webhook), warnings }
    }
}

/// The result of a test.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"success": true, "message": "The test arrived.", "status": 200, "code": null, "ms": 212}))]
pub(in crate::api) struct WebhookTestResult {
    /// Whether it arrived.
    success: bool,
    /// A sentence for a person, with Discord's own words.
    message: String,
    /// The HTTP status of Discord's answer; null if there was none.
    #[schema(required = true)]
    status: Option<u16>,
    /// Discord's error code.
    #[schema(required = true)]
    code: Option<u64>,
    /// How long it took.
    ms: u64,
}

impl WebhookTestResult {
    pub(super) fn of(test: &WebhookTest) -> Self {
        Self {
            success: test.arrived(),
            message: test.error().unwrap_or_else(|| "The test arrived.".to_owned()),
            status: test.attempt.status,
            code: test.attempt.code,
            ms: u64::try_from(test.attempt.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
