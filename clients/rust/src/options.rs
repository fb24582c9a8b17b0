//! Which stored Discord webhooks receive an event.

use serde::Serialize;

/// The category of a stored Discord webhook: what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WebhookType {
    /// States of game servers.
    GameServer,
    /// Alerts about nodes and their resources.
    Vps,
    /// Syncs, settings, maintenance.
    System,
    /// Invoices, payments, subscriptions.
    Billing,
    /// Errors and alerts.
    Security,
    /// Support tickets.
    Support,
    /// Everything else.
    Custom,
}

/// Whose webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WebhookScope {
    /// The operators'. The default.
    Admin,
    /// One customer's: needs a `user_id`.
    User,
    /// Those that anybody may read.
    Public,
}

/// Which stored webhooks receive an event. The default leaves the choice to nuncio: the event's own category, the scope
/// `ADMIN`, enabled webhooks.
///
/// ```
/// use nuncio_client::{DispatchOptions, WebhookType};
///
/// let everything = DispatchOptions { types: Some(vec![WebhookType::System, WebhookType::Custom]), ..Default::default() };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DispatchOptions {
    /// These categories instead of the event's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<WebhookType>>,
    /// Empty is `[ADMIN]` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<WebhookScope>>,
    /// `Some(false)`: disabled webhooks too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_enabled: Option<bool>,
    /// The owner of the webhooks. Required with the scope `USER`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}
