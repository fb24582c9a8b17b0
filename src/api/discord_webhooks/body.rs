//! Bodies and filters of `/v1/discord-webhooks`. Every field may be written in camelCase, as in the old dispatcher.

use garde::Validate;
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, ToSchema};

use crate::api::json::{ApiBody, UnknownFields};
use crate::api::rules;
use crate::api::word::{WebhookCategory, WebhookScope};
use crate::model::{Category, NewWebhook, Scope, WebhookChange, WebhookFilter};

/// Longest text that is read as an address.
const LONGEST_ADDRESS: usize = 2048;
const LONGEST_DESCRIPTION: usize = 400;
const LONGEST_ID: usize = 100;

/// A webhook to store.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(example = json!({
    "name": "Acme alerts", "webhook_url": "https://discord.com/api/webhooks/…/…", "type": "SECURITY", "scope": "ADMIN",
}))]
pub(in crate::api) struct WebhookToStore {
    /// Display name.
    #[garde(custom(rules::name))]
    name: String,
    /// The address that Discord shows under "Copy Webhook URL". It is a password: no answer repeats it.
    #[garde(length(max = LONGEST_ADDRESS))]
    #[schema(write_only)]
    pub(super) webhook_url: String,
    /// What it is for. Absent: CUSTOM.
    #[garde(skip)]
    r#type: Option<WebhookCategory>,
    /// Whose messages it receives. Absent: ADMIN; with a key that has an owner, USER.
    #[garde(skip)]
    scope: Option<WebhookScope>,
    /// Free text.
    #[garde(length(chars, max = LONGEST_DESCRIPTION), inner(custom(rules::visible)))]
    description: Option<String>,
    /// The icon of its messages: a public `https` address.
    #[garde(length(max = LONGEST_ADDRESS))]
    avatar_url: Option<String>,
    /// The customer that it belongs to; scope USER needs it.
    #[garde(length(chars, max = LONGEST_ID), inner(custom(rules::visible)))]
    user_id: Option<String>,
    /// The company that it belongs to, if the key is of none.
    #[garde(length(chars, max = LONGEST_ID), inner(custom(rules::visible)))]
    company_id: Option<String>,
    /// Whether messages are sent; what comes while they are not waits. Absent: true.
    #[garde(skip)]
    enabled: Option<bool>,
}

impl ApiBody for WebhookToStore {
    const UNKNOWN_FIELDS: UnknownFields = UnknownFields::Warned;
}

impl WebhookToStore {
    pub(super) fn into_webhook(self, default_scope: Scope) -> NewWebhook {
        NewWebhook {
            category: self.r#type.map_or(Category::Custom, |word| word.0),
            scope: self.scope.map_or(default_scope, |word| word.0),
            company: self.company_id.unwrap_or_default(),
            owner: self.user_id.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            avatar_url: self.avatar_url.filter(|url| !url.is_empty()),
            enabled: self.enabled.unwrap_or(true),
            ..NewWebhook::named(self.name)
        }
    }
}

/// What a webhook becomes.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(example = json!({"name": "Acme alerts", "type": "SECURITY", "scope": "ADMIN", "enabled": true}))]
pub(in crate::api) struct ReplacedWebhook {
    /// Display name.
    #[garde(custom(rules::name))]
    name: String,
    /// A new address. Absent, or as answers show it: the address stays.
    #[garde(length(max = LONGEST_ADDRESS))]
    #[schema(write_only)]
    pub(super) webhook_url: Option<String>,
    /// What it is for. Absent: CUSTOM.
    #[garde(skip)]
    r#type: Option<WebhookCategory>,
    /// Whose messages it receives. Absent: ADMIN; with a key that has an owner, USER.
    #[garde(skip)]
    scope: Option<WebhookScope>,
    /// Free text.
    #[garde(length(chars, max = LONGEST_DESCRIPTION), inner(custom(rules::visible)))]
    description: Option<String>,
    /// The icon of its messages: a public `https` address.
    #[garde(length(max = LONGEST_ADDRESS))]
    avatar_url: Option<String>,
    /// The customer that it belongs to; scope USER needs it.
    #[garde(length(chars, max = LONGEST_ID), inner(custom(rules::visible)))]
    user_id: Option<String>,
    /// Whether messages are sent. Absent: true.
    #[garde(skip)]
    enabled: Option<bool>,
}

impl ApiBody for ReplacedWebhook {
    const UNKNOWN_FIELDS: UnknownFields = UnknownFields::Warned;
}

impl ReplacedWebhook {
    /// `owner` is that of the key: it stays the owner.
    pub(super) fn into_change(self, default_scope: Scope, owner: Option<String>) -> WebhookChange {
        WebhookChange {
            name: Some(self.name),
            category: Some(self.r#type.map_or(Category::Custom, |word| word.0)),
            scope: Some(self.scope.map_or(default_scope, |word| word.0)),
            owner: Some(self.user_id.or(owner).unwrap_or_default()),
            description: Some(self.description.unwrap_or_default()),
            avatar_url: Some(self.avatar_url.filter(|url| !url.is_empty())),
            enabled: Some(self.enabled.unwrap_or(true)),
        }
    }
}

/// A change of a webhook.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(example = json!({"enabled": false, "description": null}))]
pub(in crate::api) struct WebhookPatch {
    /// Display name.
    #[garde(inner(custom(rules::name)))]
    #[schema(value_type = String, required = false)]
    name: Option<String>,
    /// A new address. As answers show it: the address stays.
    #[garde(length(max = LONGEST_ADDRESS))]
    #[schema(value_type = String, required = false, write_only)]
    pub(super) webhook_url: Option<String>,
    /// What it is for.
    #[garde(skip)]
    #[schema(value_type = WebhookCategory, required = false)]
    r#type: Option<WebhookCategory>,
    /// Whose messages it receives.
    #[garde(skip)]
    #[schema(value_type = WebhookScope, required = false)]
    scope: Option<WebhookScope>,
    /// Free text; null removes it.
    #[garde(custom(optional_description))]
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// The icon of its messages; null: the one of all dispatches.
    #[garde(skip)]
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    avatar_url: Option<Option<String>>,
    /// The customer that it belongs to; null: none.
    #[garde(custom(optional_id))]
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    user_id: Option<Option<String>>,
    /// Whether messages are sent.
    #[garde(skip)]
    #[schema(value_type = bool, required = false)]
    enabled: Option<bool>,
}

impl ApiBody for WebhookPatch {
    const UNKNOWN_FIELDS: UnknownFields = UnknownFields::Warned;
}

impl WebhookPatch {
    pub(super) fn into_change(self) -> WebhookChange {
        WebhookChange {
            name: self.name,
            category: self.r#type.map(|word| word.0),
            scope: self.scope.map(|word| word.0),
            owner: self.user_id.map(Option::unwrap_or_default),
            description: self.description.map(Option::unwrap_or_default),
            avatar_url: self.avatar_url.map(|url| url.filter(|url| !url.is_empty())),
            enabled: self.enabled,
        }
    }
}

/// Reads a value that is there: null is a value, too.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn optional_description(given: &Option<Option<String>>, context: &()) -> garde::Result {
    text(given, LONGEST_DESCRIPTION, context)
}

fn optional_id(given: &Option<Option<String>>, context: &()) -> garde::Result {
    text(given, LONGEST_ID, context)
}

fn text(given: &Option<Option<String>>, most: usize, context: &()) -> garde::Result {
    let text = given.as_ref().and_then(Option::as_deref).unwrap_or_default();
    if text.chars().count() > most {
        return Err(garde::Error::new(format!("must have at most {most} characters")));
    }
    rules::visible(text, context)
}

/// An address to send a test to.
#[derive(Deserialize, Validate, ToSchema)]
#[schema(example = json!({"webhook_url": "https://discord.com/api/webhooks/…/…"}))]
pub(in crate::api) struct AddressToTest {
    /// The address. It is not stored.
    #[garde(length(max = LONGEST_ADDRESS))]
    #[schema(write_only)]
    pub(super) webhook_url: String,
}

impl ApiBody for AddressToTest {
    const UNKNOWN_FIELDS: UnknownFields = UnknownFields::Warned;
}

/// Which webhooks are listed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct WebhookFilters {
    /// What they are for.
    #[param(inline)]
    r#type: Option<WebhookCategory>,
    /// Whose messages they receive.
    #[param(inline)]
    scope: Option<WebhookScope>,
    /// The customer that they belong to.
    user_id: Option<String>,
    /// The company that they belong to.
    company_id: Option<String>,
    /// Whether messages are sent to them.
    enabled: Option<bool>,
}

impl WebhookFilters {
    pub(super) fn to_filter(&self) -> WebhookFilter {
        WebhookFilter {
            company: self.company_id.clone(),
            audience: None,
            category: self.r#type.map(|word| word.0),
            scope: self.scope.map(|word| word.0),
            owner: self.user_id.clone(),
            enabled: self.enabled,
        }
    }
}
