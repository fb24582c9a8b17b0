//! The domain model, as plain data: no I/O, no HTTP, no SQL.
//!
//! Everything that happens is an [`Event`]. It becomes one [`Delivery`] for every [`Destination`] that a
//! [`Route`](route) names. Deliveries are packed into a [`Message`], and every attempt to send one has an
//! [`Outcome`]. Values are valid by construction: text from outside is checked where it enters and typed from there
//! on.

mod api_key;
mod api_token;
mod audit;
mod by;
mod call;
mod card;
mod client_address;
mod client_scheme;
mod closed_set;
mod console_session;
mod corrupt_row;
mod counts;
mod decision;
mod decision_action;
mod delivery;
mod delivery_details;
mod destination;
mod discord_webhook;
pub mod dispatch;
mod event;
mod family;
mod finding;
mod fold;
mod gateway;
mod id;
mod idempotency;
mod kind;
mod link;
mod message;
pub mod mute;
mod outcome;
pub mod payload;
mod person;
pub mod ping;
mod priority;
mod problem;
mod raw_body;
mod redelivery;
pub mod route;
pub mod schedule;
mod set_route;
mod severity;
mod sink;
mod source;
mod status;
mod subject;
mod tag;
pub mod wait;
mod webhook_url;

pub use api_key::{ApiKeyState, ApiRole, IssuedApiKey, NewApiKey, Principal, StoredApiKey};
pub use api_token::ApiToken;
pub use audit::{Actor, AuditEntry, AuditOutcome};
pub use by::By;
pub use call::{CallTemplate, Calls, Endpoint, Method};
pub use card::{CardState, LivingCard};
pub use client_address::{ClientAddress, Network};
pub use client_scheme::ClientScheme;
pub use console_session::{
    CONSOLE_LINK_VALID, CONSOLE_SESSION_IDLE, CONSOLE_SESSION_LONGEST, ConsoleSession, ConsoleToken,
};
pub use corrupt_row::{CorruptRow, RowResult};
pub use counts::{Backlog, DestinationCounts, Tally};
pub use decision::{CallState, Decider, Decision, DecisionKind, Phase, Token, Verdict};
pub use decision_action::DecisionAction;
pub use delivery::{Delivery, Slot, Status};
pub use delivery_details::{AttemptRow, DeliveryDetails, DeliveryFilter};
pub use destination::Destination;
pub use discord_webhook::{
    Category, LostWebhook, NewWebhook, Scope, StoredWebhook, WebhookChange, WebhookFilter, WebhookIdentity,
};
pub use event::{DedupeKey, Event, EventHeader, NewEvent, sample_subject};
pub use family::{CardLifetime, Family, KindMeaning};
pub use finding::{AddressCount, Finding, Findings};
pub use fold::{closes, fold};
pub use gateway::GatewayState;
pub use id::{
    ApiKeyId, ConsoleSessionId, DecisionId, DeliveryId, DestinationId, EventId, InvalidId, MessageId, Mint,
    MuteId, QuarantineId, RouteId, Snowflake,
};
pub use idempotency::{IdempotencyClaim, Idempotent, Once, OnceResult, OtherBody};
pub use kind::Kind;
pub use link::{LinkTemplate, Links};
pub use message::{Action, Form, Message, Nonce, PostedAfter};
pub use mute::{Mute, Muted, MutedAlert};
pub use outcome::{Arrived, Attempt, Class, Outcome, PauseScope, Reason, Receipt};
pub use payload::Payload;
pub use person::Person;
pub use priority::Priority;
pub use problem::{Problem, ProblemCode};
pub use raw_body::RawBody;
pub use redelivery::{NotRetried, Revived};
pub use set_route::SetRoute;
pub use severity::Severity;
pub use sink::Sink;
pub use source::Source;
pub use status::{Overview, SystemStatus, WebhookEndpoint};
pub use subject::subject;
pub use tag::Tag;
pub use webhook_url::{WebhookMark, WebhookUrl, WebhookUrlError};
