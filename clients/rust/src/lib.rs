//! Client of nuncio's dispatcher: an application's events become Discord messages.
//!
//! ```no_run
//! # async fn example() {
//! use nuncio_client::{Dispatcher, ServerState};
//!
//! let nuncio = Dispatcher::from_env(); // NUNCIO_URL, NUNCIO_API_KEY
//! nuncio.server_state_change("Minecraft 1", ServerState::Crashed).node("node-1").await;
//! # }
//! ```
//!
//! Eight functions, two ways: `.await` returns as soon as nuncio has the event on disk ([`Accepted`]); `.wait().await`
//! waits for Discord, up to ten seconds ([`DispatchResult`]). Neither panics, and neither returns an `Err`: an
//! application does not fail because a message could not be sent. What went wrong is in `errors`.
//!
//! A call makes up to three tries within 15 seconds, all with one `Idempotency-Key`: a lost answer makes no second
//! message. The key goes to nuncio and nowhere else, and is in no text.

mod alerts;
mod answer;
mod call;
mod changes;
mod clock;
mod connection;
mod dispatcher;
mod embed;
mod event;
mod exchange;
#[cfg(feature = "tracing")]
mod layer;
mod options;
mod result;
#[cfg(test)]
mod tests;
mod text_or_number;

pub use call::Call;
pub use changes::changed_fields;
pub use dispatcher::Dispatcher;
pub use embed::Embed;
pub use event::{
    AlertSeverity, BillingEvent, BillingKind, Custom, NodeAlert, NodeMetric, ServerState, ServerStateChange,
    SettingsUpdate, SupportTicket, SyncCompletion, SystemAlert, TicketAction,
};
#[cfg(feature = "tracing")]
pub use layer::AlertLayer;
pub use options::{DispatchOptions, WebhookScope, WebhookType};
pub use result::{Accepted, DispatchError, DispatchResult};
pub use text_or_number::TextOrNumber;

// The README's examples compile.
#[cfg(all(doctest, feature = "tracing"))]
#[doc = include_str!("../README.md")]
struct Readme;
