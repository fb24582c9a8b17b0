//! The arguments of `nuncio dispatch`: one subcommand for each function.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use crate::cli::Usage;
use crate::model::dispatch::{
    BillingKind, CustomEmbed, CustomField, Dispatch, DispatchOptions, NodeResource, SYNC_COUNTS, ServerState,
    SupportAction, SyncEnd, SyncOperation,
};
use crate::model::{Category, Scope, Severity};

/// A parser of the words of a closed set.
macro_rules! words {
    ($set:ty) => {
        PossibleValuesParser::new(<$set>::WORDS)
            .try_map(|word| <$set>::from_word(&word).ok_or("it is none of them"))
    };
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Function {
    /// Settings were changed
    SettingsUpdate {
        /// A setting that was changed; as often as needed
        #[arg(long = "changed", value_name = "FIELD")]
        changed: Vec<String>,
        /// Who changed them
        #[arg(long, value_name = "WHO")]
        updated_by: Option<String>,
        #[command(flatten)]
        to: To,
    },
    /// A server is online, offline, or crashed
    ServerState {
        /// The server's name
        name: String,
        /// Its new state
        #[arg(value_parser = words!(ServerState))]
        state: ServerState,
        /// The node that it runs on
        #[arg(long)]
        node: Option<String>,
        #[command(flatten)]
        to: To,
    },
    /// A sync has ended
    SyncCompletion {
        /// How it ended
        #[arg(value_parser = words!(SyncEnd))]
        end: SyncEnd,
        /// What happened
        #[arg(long)]
        details: Option<String>,
        /// How long it took: 45.23s
        #[arg(long)]
        duration: Option<String>,
        /// A count: servers=96 (locations, nodes, allocations, servers, databases)
        #[arg(long = "count", value_name = "WHAT=N", value_parser = count)]
        counts: Vec<(&'static str, u64)>,
        /// An operation that failed, and why: "servers=timeout after 30 s"
        #[arg(long = "failed", value_name = "NAME=ERROR", value_parser = pair)]
        failed: Vec<(String, String)>,
        #[command(flatten)]
        to: To,
    },
    /// An error or an alert. The same title and error again within `FOLD_REPEATS` changes its message
    SystemAlert {
        /// The alert's title
        title: String,
        /// What went wrong
        error: String,
        /// How bad it is
        #[arg(long, default_value = "error", value_parser = severity())]
        severity: Severity,
        #[command(flatten)]
        to: To,
    },
    /// A support ticket was created, updated or resolved
    SupportTicket {
        /// What happened to it
        #[arg(value_parser = words!(SupportAction))]
        action: SupportAction,
        /// The ticket's id
        ticket_id: String,
        /// What it is about
        subject: String,
        /// More about it
        #[arg(long)]
        details: Option<String>,
        #[command(flatten)]
        to: To,
    },
    /// A node is short of a resource. The same again within `FOLD_REPEATS` changes its message
    NodeAlert {
        /// The node's name
        node: String,
        /// The resource
        #[arg(value_parser = words!(NodeResource))]
        resource: NodeResource,
        /// How much of it is used, in percent
        #[arg(value_parser = percent)]
        usage: f64,
        /// From where on it is too much, in percent
        #[arg(value_parser = percent)]
        threshold: f64,
        #[command(flatten)]
        to: To,
    },
    /// An invoice, a payment or a subscription
    BillingEvent {
        /// What it is
        #[arg(value_parser = words!(BillingKind))]
        kind: BillingKind,
        /// What happened
        details: String,
        /// The amount, as it is shown
        #[arg(long)]
        amount: Option<String>,
        #[command(flatten)]
        to: To,
    },
    /// A card of your own
    Custom {
        /// The card's title
        title: String,
        /// The category whose webhooks it is for
        #[arg(long = "type", default_value = "CUSTOM", value_parser = category())]
        category: Category,
        /// The card's text; Markdown is shown as such
        #[arg(long)]
        description: Option<String>,
        /// The card's color: 3447003 or #3498db
        #[arg(long, value_parser = color)]
        color: Option<u32>,
        /// A field: NAME=VALUE; as often as needed
        #[arg(long = "field", value_name = "NAME=VALUE", value_parser = pair)]
        fields: Vec<(String, String)>,
        #[command(flatten)]
        to: To,
    },
    /// An event by its name: sync.started, user.registered, server.created, …
    Event {
        /// The event's name
        name: String,
        /// Its data, as a JSON object
        #[arg(long, value_name = "JSON", default_value = "{}")]
        data: String,
        #[command(flatten)]
        to: To,
    },
}

/// Whom it is for, and how the command answers.
#[derive(Debug, clap::Args)]
pub(super) struct To {
    /// Webhooks of these categories, instead of the function's own; as often as needed
    #[arg(long = "types", value_name = "TYPE", value_delimiter = ',', value_parser = category())]
    types: Vec<Category>,
    /// Webhooks of these scopes (default: ADMIN); as often as needed
    #[arg(long = "scopes", value_name = "SCOPE", value_delimiter = ',', value_parser = scope())]
    scopes: Vec<Scope>,
    /// The customer whose webhooks the scope USER means
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// The company whose webhooks are meant (default: those of none)
    #[arg(long, value_name = "ID")]
    company: Option<String>,
    /// Also webhooks that are disabled
    #[arg(long)]
    also_disabled: bool,
    /// Wait for the outcomes, at most ten seconds
    #[arg(long)]
    pub(super) wait: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl To {
    pub(super) fn options(&self) -> DispatchOptions {
        DispatchOptions {
            types: self.types.clone(),
            scopes: self.scopes.clone(),
            user_id: self.user.clone(),
            only_enabled: !self.also_disabled,
            company_id: self.company.clone(),
        }
    }
}

impl Function {
    /// The dispatch that the arguments describe, and whom it is for.
    ///
    /// # Errors
    /// [`Usage`] if a text is empty, or data is no JSON object.
    pub(super) fn read(self) -> Result<(Dispatch, To), Usage> {
        Ok(match self {
            Self::SettingsUpdate { changed, updated_by, to } => {
                (Dispatch::SettingsUpdate { changed_fields: changed, updated_by }, to)
            }
            Self::ServerState { name, state, node, to } => {
                let server_name = filled("NAME", name)?;
                (Dispatch::ServerState { server_name, new_state: state, node_id: node }, to)
            }
            Self::SyncCompletion { end, details, duration, counts, failed, to } => {
                let failed = failed.into_iter().map(|(name, error)| SyncOperation {
                    name,
                    ok: false,
                    error: (!error.is_empty()).then_some(error),
                });
                let operations = failed.collect();
                (Dispatch::SyncCompletion { end, operations, details, duration, summary: counts }, to)
            }
            Self::SystemAlert { title, error, severity, to } => {
                (Dispatch::SystemAlert { title: filled("TITLE", title)?, error, severity }, to)
            }
            Self::SupportTicket { action, ticket_id, subject, details, to } => {
                let ticket_id = filled("TICKET_ID", ticket_id)?;
                (Dispatch::SupportTicket { action, ticket_id, subject, details }, to)
            }
            Self::NodeAlert { node, resource, usage, threshold, to } => {
                let node_name = filled("NODE", node)?;
                (Dispatch::NodeAlert { node_name, resource, usage, threshold }, to)
            }
            Self::BillingEvent { kind, details, amount, to } => {
                (Dispatch::BillingEvent { kind, details: filled("DETAILS", details)?, amount }, to)
            }
            Self::Custom { title, category, description, color, fields, to } => {
                let fields =
                    fields.into_iter().map(|(name, value)| CustomField { name, value, inline: true });
                let title = filled("TITLE", title)?;
                let embed = CustomEmbed { title, description, color, fields: fields.collect() };
                (Dispatch::Custom { category, embed }, to)
            }
            Self::Event { name, data, to } => {
                let data: serde_json::Value = serde_json::from_str(&data)
                    .map_err(|error| Usage(format!("--data is not JSON: {error}")))?;
                if !data.is_object() {
                    return Err(Usage(
                        "--data is no JSON object: --data '{\"username\":\"jane\"}'".to_owned(),
                    ));
                }
                (Dispatch::Event { name: filled("NAME", name)?, data }, to)
            }
        })
    }
}

fn filled(name: &str, text: String) -> Result<String, Usage> {
    if text.trim().is_empty() {
        Err(Usage(format!("{name} is empty: nothing could be shown")))
    } else {
        Ok(text)
    }
}

fn category() -> impl clap::builder::TypedValueParser<Value = Category> {
    PossibleValuesParser::new(Category::ALL.iter().map(|category| category.as_str()))
        .try_map(|word| Category::from_word(&word).ok_or("it is none of them"))
}

fn scope() -> impl clap::builder::TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.iter().map(|scope| scope.as_str()))
        .try_map(|word| Scope::from_word(&word).ok_or("it is none of them"))
}

fn severity() -> impl clap::builder::TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(["info", "warning", "error", "critical"])
        .try_map(|word| Severity::from_word(&word).ok_or("it is none of them"))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has no =: NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn count(text: &str) -> Result<(&'static str, u64), String> {
    let (name, count) = pair(text)?;
    let name = SYNC_COUNTS
        .into_iter()
        .find(|known| *known == name)
        .ok_or_else(|| format!("it counts none of {}", SYNC_COUNTS.join(", ")))?;
    Ok((name, count.parse().map_err(|_| format!("{count:?} is no number"))?))
}

fn percent(text: &str) -> Result<f64, String> {
    let number: f64 =
        text.trim().trim_end_matches('%').trim().parse().map_err(|_| "it is no number".to_owned())?;
    if (0.0..=1_000_000.0).contains(&number) { Ok(number) } else { Err("it is no percentage".to_owned()) }
}

fn color(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix('#') {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed
        .ok()
        .filter(|color| *color <= 0xFF_FF_FF)
        .ok_or_else(|| "it is no color: 3447003 or #3498db".to_owned())
}
