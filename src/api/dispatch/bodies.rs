//! The bodies of dispatches, as the seeds' callers send them. What is required is what a card cannot do without; a long text
//! is cut by the card, not refused here.

use garde::Validate;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::dispatch::options::{DispatchOptionsBody, filled};
use crate::api::dispatch::text_or_number::TextOrNumber;
use crate::api::json::{ApiBody, UnknownFields};
use crate::api::problem::{Fault, ProblemDetails};
use crate::api::word::{
    AlertSeverity, BillingType, NewServerState, NodeAlertType, SupportTicketAction, WebhookCategory,
};
use crate::model::dispatch::{
    CustomEmbed, CustomField, Dispatch, DispatchOptions, SYNC_COUNTS, SyncEnd, SyncOperation, changed_fields,
};
use crate::model::{Category, Severity};

/// The highest percentage that is one.
const MOST_PERCENT: f64 = 1_000_000.0;
/// The highest color.
const WHITE: u64 = 0xFF_FF_FF;

/// The body of a dispatch.
pub(super) trait DispatchBody: ApiBody {
    /// The dispatch, or `None` if nothing had happened, and whom it is for.
    ///
    /// # Errors
    /// If the body contradicts itself, or leaves open what it must say.
    fn read(self) -> Result<(Option<Dispatch>, DispatchOptions), ProblemDetails>;
}

/// Takes unknown fields with a warning, and camelCase.
macro_rules! bodies_of_the_seeds {
    ($($body:ident),+) => {$(
        impl ApiBody for $body {
            const UNKNOWN_FIELDS: UnknownFields = UnknownFields::Warned;
        }
    )+};
}

bodies_of_the_seeds!(
    SettingsUpdateBody,
    ServerStateBody,
    SyncCompletionBody,
    SystemAlertBody,
    SupportTicketBody,
    NodeAlertBody,
    BillingEventBody,
    CustomBody,
    EventBody
);

/// Settings that were changed.
#[derive(Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
#[schema(example = json!({"changed_fields": ["site_name", "smtp.host"], "updated_by": "admin@example.com"}))]
pub(in crate::api) struct SettingsUpdateBody {
    /// The names of the settings. Empty: unknown.
    changed_fields: Option<Vec<String>>,
    /// All settings before, as an object: with `after`, instead of `changed_fields`.
    before: Option<Value>,
    /// All settings after.
    after: Option<Value>,
    /// Who changed them.
    updated_by: Option<String>,
    #[garde(dive)]
    options: Option<DispatchOptionsBody>,
}

impl DispatchBody for SettingsUpdateBody {
    fn read(self) -> Result<(Option<Dispatch>, DispatchOptions), ProblemDetails> {
        let changed_fields = match (self.changed_fields, self.before, self.after) {
            (Some(names), _, _) => names,
            (None, None, None) => {
                return Err(missing(
                    "/changed_fields",
                    "name the settings in changed_fields, or send before and after",
                ));
            }
            (None, before, after) => {
                let names = changed_fields(&before.unwrap_or_default(), &after.unwrap_or_default());
                if names.is_empty() {
                    return Ok((None, DispatchOptions::default()));
                }
                names
            }
        };
        let dispatch = Dispatch::SettingsUpdate { changed_fields, updated_by: self.updated_by };
        Ok((Some(dispatch), DispatchOptionsBody::read(self.options)))
    }
}

/// A server and its new state.
#[derive(Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
#[schema(example = json!({"server_name": "Survival", "new_state": "crashed", "node_id": "node-1"}))]
pub(in crate::api) struct ServerStateBody {
    #[garde(custom(filled))]
    server_name: String,
    new_state: NewServerState,
    /// The node that it runs on.
    node_id: Option<TextOrNumber>,
    #[garde(dive)]
    options: Option<DispatchOptionsBody>,
}

impl DispatchBody for ServerStateBody {
    fn read(self) -> Result<(Option<Dispatch>, DispatchOptions), ProblemDetails> {
        let dispatch = Dispatch::ServerState {
            server_name: self.server_name,
            new_state: self.new_state.0,
            node_id: self.node_id.map(TextOrNumber::into_text),
        };
        Ok((Some(dispatch), DispatchOptionsBody::read(self.options)))
    }
}

/// One operation of a sync.
#[derive(Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
pub(in crate::api) struct SyncOperationBody {
    /// What was synced.
    name: String,
    /// Whether it worked.
    ok: bool,
    /// Why it did not.
    error: Option<String>,
}

/// What a sync has counted.
#[derive(Default, Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
pub(in crate::api) struct SyncSummaryBody {
    locations: Option<u64>,
    nodes: Option<u64>,
    allocations: Option<u64>,
    servers: Option<u64>,
    databases: Option<u64>,
}

/// A sync that has ended.
#[derive(Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
#[schema(example = json!({"success": true, "details": "All data was synced", "duration": "45.23s", "summary": {"servers": 96}}))]
pub(in crate::api) struct SyncCompletionBody {
    /// Whether all of it worked. Absent: whether all `operations` did.
    success: Option<bool>,
    /// Whether somebody ended it early.
    cancelled: Option<bool>,
    #[garde(dive)]
    operations: Option<Vec<SyncOperationBody>>,
    details: Option<String>,
    /// Text (`45.23s`), or seconds.
    duration: Option<TextOrNumber>,
    #[garde(dive)]
    summary: Option<SyncSummaryBody>,
    #[garde(dive)]
    options: Option<DispatchOptionsBody>,
}

impl DispatchBody for SyncCompletionBody {
    fn read(self) -> Result<(Option<Dispatch>, DispatchOptions), ProblemDetails> {
        let operations = self.operations.unwrap_or_default();
        let end = match (self.cancelled, self.success) {
            (Some(true), _) => SyncEnd::Cancelled,
            (_, Some(true)) => SyncEnd::Completed,
            (_, Some(false)) => SyncEnd::Failed,
            (_, None) if operations.is_empty() => {
                return Err(missing("/success", "say in success whether it worked, or send its operations"));
            }
            (_, None) if operations.iter().all(|one| one.ok) => SyncEnd::Completed,
            (_, None) => SyncEnd::Failed,
        };
        let SyncSummaryBody { locations, nodes, allocations, servers, databases } =
            self.summary.unwrap_or_default();
        let counts = [locations, nodes, allocations, servers, databases];
        let summary = SYNC_COUNTS.into_iter().zip(counts).filter_map(|(name, count)| Some((name, count?)));
        let operation =
            |one: SyncOperationBody| SyncOperation { name: one.name, ok: one.ok, error: one.error };
        let dispatch = Dispatch::SyncCompletion {
            end,
            operations: operations.into_iter().map(operation).collect(),
            details: self.details,
            duration: self.duration.map(TextOrNumber::into_duration),
            summary: summary.collect(),
        };
        Ok((Some(dispatch), DispatchOptionsBody::read(self.options)))
    }
}

/// An error or an alert.
#[derive(Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
#[schema(example = json!({"title": "Database unreachable", "error": "connect ECONNREFUSED", "severity": "critical"}))]
pub(in crate::api) struct SystemAlertBody {
    #[garde(custom(filled))]
    title: String,
    /// What went wrong.
    error: String,
    /// Absent: `error`.
    severity: Option<AlertSeverity>,
    #[garde(dive)]
    options: Option<DispatchOptionsBody>,
}

impl DispatchBody for SystemAlertBody {
    fn read(self) -> Result<(Option<Dispatch>, DispatchOptions), ProblemDetails> {
        let severity = self.severity.map_or(Severity::Error, |word| word.0);
        let dispatch = Dispatch::SystemAlert { title: self.title, error: self.error, severity };
        Ok((Some(dispatch), DispatchOptionsBody::read(self.options)))
    }
}

/// A support ticket, and what happened to it.
#[derive(Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
#[schema(example = json!({"action": "created", "ticket_id": "T-1001", "subject": "Cannot log in"}))]
pub(in crate::api) struct SupportTicketBody {
    action: SupportTicketAction,
    ticket_id: TextOrNumber,
    subject: String,
    details: Option<String>,
    #[garde(dive)]
    options: Option<DispatchOptionsBody>,
}

impl DispatchBody for SupportTicketBody {
    fn read(self) -> Result<(Option<Dispatch>, DispatchOptions), ProblemDetails> {
        let dispatch = Dispatch::SupportTicket {
            action: self.action.0,
            ticket_id: self.ticket_id.into_text(),
            subject: self.subject,
            details: self.details,
        };
        Ok((Some(dispatch), DispatchOptionsBody::read(self.options)))
    }
}

/// A node that is short of a resource.
#[derive(Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
#[schema(example = json!({"node_name": "node-1", "alert_type": "memory", "usage": 93.5, "threshold": 80}))]
pub(in crate::api) struct NodeAlertBody {
    #[garde(custom(filled))]
    node_name: String,
    alert_type: NodeAlertType,
    /// How much of it is used, in percent.
    #[garde(range(min = 0.0, max = MOST_PERCENT))]
    usage: f64,
    /// From where on it is too much, in percent.
    #[garde(range(min = 0.0, max = MOST_PERCENT))]
    threshold: f64,
    #[garde(dive)]
    options: Option<DispatchOptionsBody>,
}

impl DispatchBody for NodeAlertBody {
    fn read(self) -> Result<(Option<Dispatch>, DispatchOptions), ProblemDetails> {
        let Self { node_name, alert_type, usage, threshold, options } = self;
        let dispatch = Dispatch::NodeAlert { node_name, resource: alert_type.0, usage, threshold };
        Ok((Some(dispatch), DispatchOptionsBody::read(options)))
    }
}

/// An invoice, a payment or a subscription.
#[derive(Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
#[schema(example = json!({"event_type": "payment", "details": "Invoice 7 was paid", "amount": "€ 12.50"}))]
pub(in crate::api) struct BillingEventBody {
    event_type: BillingType,
    details: String,
    /// As it is shown.
    amount: Option<TextOrNumber>,
    #[garde(dive)]
    options: Option<DispatchOptionsBody>,
}

impl DispatchBody for BillingEventBody {
    fn read(self) -> Result<(Option<Dispatch>, DispatchOptions), ProblemDetails> {
        let amount = self.amount.map(TextOrNumber::into_text);
        let dispatch = Dispatch::BillingEvent { kind: self.event_type.0, details: self.details, amount };
        Ok((Some(dispatch), DispatchOptionsBody::read(self.options)))
    }
}

/// A field of an embed.
#[derive(Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
pub(in crate::api) struct CustomFieldBody {
    name: String,
    value: TextOrNumber,
    /// Whether others may stand beside it.
    inline: Option<bool>,
}

/// A card of your own.
#[derive(Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
pub(in crate::api) struct CustomEmbedBody {
    #[garde(custom(filled))]
    title: String,
    /// Markdown.
    description: Option<String>,
    /// RGB, as a number.
    #[garde(range(max = WHITE))]
    color: Option<u64>,
    #[garde(dive)]
    fields: Option<Vec<CustomFieldBody>>,
    /// Taken, and replaced: the footer is nuncio's.
    footer: Option<Value>,
    /// Taken, and replaced: a card shows when it was dispatched.
    timestamp: Option<Value>,
}

/// A card of your own, and the category whose webhooks it is for.
#[derive(Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
#[schema(example = json!({"type": "CUSTOM", "embed": {"title": "Maintenance tonight", "description": "**02:00–03:00 UTC**"}}))]
pub(in crate::api) struct CustomBody {
    /// Absent: `CUSTOM`.
    r#type: Option<WebhookCategory>,
    #[garde(dive)]
    embed: CustomEmbedBody,
    #[garde(dive)]
    options: Option<DispatchOptionsBody>,
}

impl DispatchBody for CustomBody {
    fn read(self) -> Result<(Option<Dispatch>, DispatchOptions), ProblemDetails> {
        let CustomEmbedBody { title, description, color, fields, footer, timestamp } = self.embed;
        let _replaced_by_ours = (footer, timestamp);
        let field = |field: CustomFieldBody| CustomField {
            name: field.name,
            value: field.value.into_text(),
            inline: field.inline.unwrap_or(false),
        };
        let embed = CustomEmbed {
            title,
            description,
            color: color.and_then(|color| u32::try_from(color).ok()),
            fields: fields.unwrap_or_default().into_iter().map(field).collect(),
        };
        let category = self.r#type.map_or(Category::Custom, |word| word.0);
        Ok((Some(Dispatch::Custom { category, embed }), DispatchOptionsBody::read(self.options)))
    }
}

/// An event by its name.
#[derive(Deserialize, Validate, ToSchema)]
#[garde(allow_unvalidated)]
#[schema(example = json!({"event": "user.registered", "data": {"username": "jane"}}))]
pub(in crate::api) struct EventBody {
    #[garde(custom(filled))]
    event: String,
    /// An object; its first values are shown.
    data: Option<Value>,
    #[garde(dive)]
    options: Option<DispatchOptionsBody>,
}

impl DispatchBody for EventBody {
    fn read(self) -> Result<(Option<Dispatch>, DispatchOptions), ProblemDetails> {
        let data = self.data.unwrap_or_default();
        if !data.is_object() && !data.is_null() {
            return Err(ProblemDetails::invalid_body(vec![Fault::new(
                "/data",
                "wrong_type",
                "must be an object",
            )]));
        }
        Ok((Some(Dispatch::Event { name: self.event, data }), DispatchOptionsBody::read(self.options)))
    }
}

fn missing(pointer: &str, message: &str) -> ProblemDetails {
    ProblemDetails::invalid_body(vec![Fault::new(pointer, "missing", message)])
}
