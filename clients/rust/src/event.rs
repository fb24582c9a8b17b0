//! The eight events: their routes, the names of their fields, and what may be left out. Nothing else knows them.

use serde::Serialize;
use serde_json::Value;

use crate::text_or_number::TextOrNumber;
use crate::{Call, WebhookType};

/// An event is the JSON body of a route below `/v1/dispatch/`.
pub trait Event: Serialize {
    const ROUTE: &'static str;
}

macro_rules! routes {
    ($($event:ty => $route:literal),+ $(,)?) => {
        $(impl Event for $event {
            const ROUTE: &'static str = $route;
        })+
    };
}
routes! {
    Custom => "custom",
    SettingsUpdate => "settings-update",
    ServerStateChange => "server-state",
    SyncCompletion => "sync-completion",
    SystemAlert => "system-alert",
    SupportTicket => "support-ticket",
    NodeAlert => "node-alert",
    BillingEvent => "billing-event",
}

/// The state of a game server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ServerState {
    Online,
    Offline,
    Crashed,
}

/// How bad a system alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum AlertSeverity {
    Info,
    Warning,
    Error,
    Critical,
}

/// What happened to a support ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum TicketAction {
    Created,
    Updated,
    Resolved,
}

/// What a node has too little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum NodeMetric {
    Cpu,
    Memory,
    Disk,
    Network,
}

/// What a billing event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum BillingKind {
    Invoice,
    Payment,
    Subscription,
}

/// The event of [`Dispatcher::dispatch`](crate::Dispatcher::dispatch).
#[derive(Clone, Debug, Serialize)]
pub struct Custom {
    #[serde(rename = "type")]
    pub(crate) event_type: WebhookType,
    #[serde(serialize_with = "written")]
    pub(crate) embed: Option<Value>,
}

/// An embed that could not be written as JSON is found out when the event is.
fn written<S: serde::Serializer>(embed: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    match embed {
        Some(embed) => embed.serialize(serializer),
        None => Err(serde::ser::Error::custom("the embed")),
    }
}

/// The event of [`Dispatcher::settings_update`](crate::Dispatcher::settings_update).
#[derive(Clone, Debug, Serialize)]
pub struct SettingsUpdate {
    pub(crate) changed_fields: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) updated_by: Option<String>,
}

impl Call<SettingsUpdate> {
    /// Who changed them: a name or an address.
    pub fn updated_by(mut self, who: impl Into<String>) -> Self {
        self.event.updated_by = Some(who.into());
        self
    }
}

/// The event of [`Dispatcher::server_state_change`](crate::Dispatcher::server_state_change).
#[derive(Clone, Debug, Serialize)]
pub struct ServerStateChange {
    pub(crate) server_name: String,
    pub(crate) new_state: ServerState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) node_id: Option<TextOrNumber>,
}

impl Call<ServerStateChange> {
    /// The node that the server runs on.
    pub fn node(mut self, id: impl Into<TextOrNumber>) -> Self {
        self.event.node_id = Some(id.into());
        self
    }
}

/// The event of [`Dispatcher::sync_completion`](crate::Dispatcher::sync_completion).
#[derive(Clone, Debug, Serialize)]
pub struct SyncCompletion {
    pub(crate) success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) details: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<TextOrNumber>,
}

impl Call<SyncCompletion> {
    /// What was synced, or why it failed.
    pub fn details(mut self, text: impl Into<String>) -> Self {
        self.event.details = Some(text.into());
        self
    }

    /// How long it took: a [`Duration`](std::time::Duration), seconds, or a text (`45.23s`).
    pub fn duration(mut self, duration: impl Into<TextOrNumber>) -> Self {
        self.event.duration = Some(duration.into());
        self
    }
}

/// The event of [`Dispatcher::system_alert`](crate::Dispatcher::system_alert).
#[derive(Clone, Debug, Serialize)]
pub struct SystemAlert {
    pub(crate) title: String,
    pub(crate) error: String,
    pub(crate) severity: AlertSeverity,
}

impl Call<SystemAlert> {
    /// How bad it is, unless it is an error.
    pub fn severity(mut self, severity: AlertSeverity) -> Self {
        self.event.severity = severity;
        self
    }
}

/// The event of [`Dispatcher::support_ticket`](crate::Dispatcher::support_ticket).
#[derive(Clone, Debug, Serialize)]
pub struct SupportTicket {
    pub(crate) action: TicketAction,
    pub(crate) ticket_id: TextOrNumber,
    pub(crate) subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) details: Option<String>,
}

impl Call<SupportTicket> {
    /// More about it.
    pub fn details(mut self, text: impl Into<String>) -> Self {
        self.event.details = Some(text.into());
        self
    }
}

/// The event of [`Dispatcher::node_alert`](crate::Dispatcher::node_alert).
#[derive(Clone, Debug, Serialize)]
pub struct NodeAlert {
    pub(crate) node_name: String,
    pub(crate) alert_type: NodeMetric,
    pub(crate) usage: TextOrNumber,
    pub(crate) threshold: TextOrNumber,
}

/// The event of [`Dispatcher::billing_event`](crate::Dispatcher::billing_event).
#[derive(Clone, Debug, Serialize)]
pub struct BillingEvent {
    pub(crate) event_type: BillingKind,
    pub(crate) details: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<TextOrNumber>,
}

impl Call<BillingEvent> {
    /// How much, as customers read it: `€ 12.50`.
    pub fn amount(mut self, amount: impl Into<TextOrNumber>) -> Self {
        self.event.amount = Some(amount.into());
        self
    }
}
