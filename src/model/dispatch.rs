//! Dispatches: what a hosting platform reports through the dispatch API, as plain data.
//!
//! A dispatch becomes an event of [`Source::Dispatch`](crate::model::Source). Its body is canonical: what was asked, in
//! the API's own words, and the options that chose the webhooks. Values of settings are in none of it.

mod author;
mod changed_fields;
mod options;
mod outcome;
mod words;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::model::{Category, Kind, RawBody, Severity, subject};
use crate::signature;

pub use author::message_author;
pub use changed_fields::changed_fields;
pub use options::{DispatchOptions, NoUserId, WebhookSelection};
pub use outcome::{
    DispatchError, DispatchReport, DispatchResult, DispatchState, Dispatched, NOBODY, unfinished,
};
pub use words::{BillingKind, DispatchFunction, NodeResource, ServerState, SupportAction, SyncEnd};

/// The counts of a sync, in the order in which a card shows them.
pub const SYNC_COUNTS: [&str; 5] = ["locations", "nodes", "allocations", "servers", "databases"];

/// One operation of a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncOperation {
    /// What was synced.
    pub name: String,
    /// Whether it worked.
    pub ok: bool,
    /// Why it did not.
    pub error: Option<String>,
}

/// A field of a custom embed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    /// The heading.
    pub name: String,
    /// The text below it.
    pub value: String,
    /// Whether others may stand beside it.
    pub inline: bool,
}

/// A card that the caller composes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomEmbed {
    /// The title.
    pub title: String,
    /// The text, in the caller's own Markdown.
    pub description: Option<String>,
    /// RGB.
    pub color: Option<u32>,
    /// The fields.
    pub fields: Vec<CustomField>,
}

/// What a hosting platform reports.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the API's, which docs/dispatcher.md explains")]
pub enum Dispatch {
    /// Settings were changed.
    SettingsUpdate { changed_fields: Vec<String>, updated_by: Option<String> },
    /// A server changed its state.
    ServerState { server_name: String, new_state: ServerState, node_id: Option<String> },
    /// A sync ended.
    SyncCompletion {
        end: SyncEnd,
        operations: Vec<SyncOperation>,
        details: Option<String>,
        /// In readable form: `45.23s`.
        duration: Option<String>,
        /// Counts, by the names of [`SYNC_COUNTS`].
        summary: Vec<(&'static str, u64)>,
    },
    /// An error or an alert.
    SystemAlert { title: String, error: String, severity: Severity },
    /// A support ticket changed.
    SupportTicket { action: SupportAction, ticket_id: String, subject: String, details: Option<String> },
    /// A node is short of a resource; both numbers are percent.
    NodeAlert { node_name: String, resource: NodeResource, usage: f64, threshold: f64 },
    /// An invoice, a payment or a subscription.
    BillingEvent { kind: BillingKind, details: String, amount: Option<String> },
    /// A card that the caller composes.
    Custom { category: Category, embed: CustomEmbed },
    /// An event by its name, with any data.
    Event { name: String, data: Value },
}

impl Dispatch {
    /// The function that it belongs to.
    #[must_use]
    pub const fn function(&self) -> DispatchFunction {
        match self {
            Self::SettingsUpdate { .. } => DispatchFunction::SettingsUpdate,
            Self::ServerState { .. } => DispatchFunction::ServerState,
            Self::SyncCompletion { .. } => DispatchFunction::SyncCompletion,
            Self::SystemAlert { .. } => DispatchFunction::SystemAlert,
            Self::SupportTicket { .. } => DispatchFunction::SupportTicket,
            Self::NodeAlert { .. } => DispatchFunction::NodeAlert,
            Self::BillingEvent { .. } => DispatchFunction::BillingEvent,
            Self::Custom { .. } => DispatchFunction::Custom,
            Self::Event { .. } => DispatchFunction::Event,
        }
    }

    /// The kind of its event. A generic event has its own name, where that can be a kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        let word = match self {
            Self::SettingsUpdate { .. } => "settings.updated".to_owned(),
            Self::ServerState { new_state, .. } => format!("server.{}", new_state.as_str()),
            Self::SyncCompletion { end, .. } => format!("sync.{}", end.as_str()),
            Self::SystemAlert { .. } => "system.alert".to_owned(),
            Self::SupportTicket { action, .. } => format!("support.{}", action.as_str()),
            Self::NodeAlert { .. } => "node.alert".to_owned(),
            Self::BillingEvent { kind, .. } => format!("billing.{}", kind.as_str()),
            Self::Custom { .. } => "dispatch.custom".to_owned(),
            Self::Event { name, .. } => name.clone(),
        };
        Kind::new(&word)
    }

    /// The category whose webhooks it is for, unless the caller names others.
    #[must_use]
    pub fn category(&self) -> Category {
        match self {
            Self::SettingsUpdate { .. } | Self::SyncCompletion { .. } => Category::System,
            Self::ServerState { .. } => Category::GameServer,
            Self::SystemAlert { .. } => Category::Security,
            Self::SupportTicket { .. } => Category::Support,
            Self::NodeAlert { .. } => Category::Vps,
            Self::BillingEvent { .. } => Category::Billing,
            Self::Custom { category, .. } => *category,
            Self::Event { name, .. } => match name.as_str() {
                "sync.started" | "sync.completed" | "sync.failed" | "user.registered" => Category::System,
                "server.created" | "server.suspended" => Category::GameServer,
                "support.ticket_created" => Category::Support,
                _ => Category::Custom,
            },
        }
    }

    /// Its severity, if it has one: an alert that gets worse has a card of its own.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        match self {
            Self::SystemAlert { severity, .. } => Some(*severity),
            // From halfway between the threshold and all of it, somebody must look.
            Self::NodeAlert { usage, threshold, .. } => {
                Some(match *usage >= f64::midpoint(*threshold, 100.0) {
                    true => Severity::Critical,
                    false => Severity::Warning,
                })
            }
            Self::SettingsUpdate { .. }
            | Self::ServerState { .. }
            | Self::SyncCompletion { .. }
            | Self::SupportTicket { .. }
            | Self::BillingEvent { .. }
            | Self::Custom { .. }
            | Self::Event { .. } => None,
        }
    }

    /// The subject: of alerts, whose repeats share a card. The same node and resource, and the same
    /// title and error, are one alert: another error of one title must be seen.
    #[must_use]
    pub fn subject(&self, company: &str) -> String {
        let parts = match self {
            Self::SystemAlert { title, error, .. } => [title.as_str(), error.as_str()],
            Self::NodeAlert { node_name, resource, .. } => [node_name.as_str(), resource.as_str()],
            Self::SettingsUpdate { .. }
            | Self::ServerState { .. }
            | Self::SyncCompletion { .. }
            | Self::SupportTicket { .. }
            | Self::BillingEvent { .. }
            | Self::Custom { .. }
            | Self::Event { .. } => return String::new(),
        };
        let print = [self.function().as_str(), "\n", company, "\n", parts[1], "\n", parts[0]];
        let print = signature::sha256_hex(&print.map(str::as_bytes));
        subject::alert(&print[..32])
    }

    /// Its facts, in the API's own words.
    #[must_use]
    pub fn data(&self) -> Value {
        let mut data = match self {
            Self::SettingsUpdate { changed_fields, updated_by } => {
                json!({"changed_fields": changed_fields, "updated_by": updated_by})
            }
            Self::ServerState { server_name, new_state, node_id } => {
                json!({"server_name": server_name, "new_state": new_state.as_str(), "node_id": node_id})
            }
            Self::SyncCompletion { end, operations, details, duration, summary } => {
                let counts: Map<String, Value> =
                    summary.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
                let operations: Vec<Value> = operations
                    .iter()
                    .map(|one| json!({"name": one.name, "ok": one.ok, "error": one.error}))
                    .collect();
                json!({
                    "success": *end == SyncEnd::Completed, "cancelled": (*end == SyncEnd::Cancelled).then_some(true),
                    "operations": (!operations.is_empty()).then_some(operations), "details": details,
                    "duration": duration, "summary": (!counts.is_empty()).then_some(counts),
                })
            }
            Self::SystemAlert { title, error, severity } => {
                json!({"title": title, "error": error, "severity": severity.as_str()})
            }
            Self::SupportTicket { action, ticket_id, subject, details } => {
                json!({"action": action.as_str(), "ticket_id": ticket_id, "subject": subject, "details": details})
            }
            Self::NodeAlert { node_name, resource, usage, threshold } => json!({
                "node_name": node_name, "alert_type": resource.as_str(), "usage": percent(*usage),
                "threshold": percent(*threshold), "severity": self.severity().map(Severity::as_str),
            }),
            Self::BillingEvent { kind, details, amount } => {
                json!({"event_type": kind.as_str(), "details": details, "amount": amount})
            }
            Self::Custom { category, embed } => json!({"type": category.as_str(), "embed": embed.to_json()}),
            Self::Event { name, data } => json!({"event": name, "data": data}),
        };
        if let Value::Object(fields) = &mut data {
            fields.retain(|_, value| !value.is_null());
        }
        data
    }

    /// The body of its event.
    #[must_use]
    pub fn body(&self, options: &DispatchOptions) -> RawBody {
        let body = json!({
            "event_type": self.kind().as_str(), "function": self.function().as_str(), "data": self.data(),
            "category": self.category().as_str(), "options": options.to_json(),
        });
        RawBody::new(body.to_string())
    }
}

/// What of a body says for whom it is.
#[derive(Deserialize)]
struct Kept {
    function: String,
    category: String,
    options: Value,
}

/// The selection of a dispatch whose event has this `body`; `None` if it is none.
#[must_use]
pub fn selection_of(body: &[u8], company: &str) -> Option<WebhookSelection> {
    let kept: Kept = serde_json::from_slice(body).ok()?;
    let function = DispatchFunction::from_word(&kept.function)?;
    let own = Category::from_word(&kept.category)?;
    DispatchOptions::from_json(&kept.options).selection(function, own, company).ok()
}

impl CustomEmbed {
    fn to_json(&self) -> Value {
        let fields: Vec<Value> = self
            .fields
            .iter()
            .map(|field| json!({"name": field.name, "value": field.value, "inline": field.inline}))
            .collect();
        let mut embed = json!({"title": self.title});
        if let Some(description) = &self.description {
            embed["description"] = json!(description);
        }
        if let Some(color) = self.color {
            embed["color"] = json!(color);
        }
        if !fields.is_empty() {
            embed["fields"] = json!(fields);
        }
        embed
    }
}

/// A percentage with at most two decimals, as a person writes it: `93.5`, `80`.
#[must_use]
pub fn percent(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A duration in seconds as text: `45.23s`.
#[must_use]
pub fn seconds(number: f64) -> String {
    format!("{}s", percent(number))
}
