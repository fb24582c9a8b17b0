//! Deliveries as operators see them: with their event, their destination and every attempt.

use crate::clock::{SteadyTime, Timestamp};
use crate::model::{DeliveryId, DestinationId, EventId, Kind, Sink, Status};

/// A delivery with a summary of its event and its destination.
#[derive(Clone, Debug)]
pub struct DeliveryDetails {
    /// Id of the delivery.
    pub id: DeliveryId,
    /// Id of the event.
    pub event_id: EventId,
    /// Kind of the event.
    pub kind: Kind,
    /// Customer id; empty if none.
    pub company: String,
    /// When the event arrived.
    pub received_at: Timestamp,
    /// Id of the destination.
    pub destination_id: DestinationId,
    /// Name of the destination.
    pub destination: String,
    /// Type and address of the destination; a webhook's address is masked. `None` if it is no longer known.
    pub sink: Option<Sink>,
    /// Why nothing can be sent to the destination at the moment.
    pub closed: Option<String>,
    /// Current status.
    pub status: Status,
    /// Why it was given up or cancelled; for a muted delivery, until when and by whom.
    pub reason: Option<String>,
    /// Number of attempts since it was last made pending.
    pub attempts: u64,
    /// Number of redeliveries.
    pub generation: u64,
    /// Earliest time of the next attempt.
    pub due_at: SteadyTime,
    /// When it was delivered or given up.
    pub finished_at: Option<Timestamp>,
}

/// One attempt to send a message that carried the delivery.
#[derive(Clone, Debug)]
pub struct AttemptRow {
    /// Start of the attempt.
    pub started_at: Timestamp,
    /// Duration in milliseconds.
    pub took_ms: i64,
    /// HTTP status, if there was an answer.
    pub status: Option<i64>,
    /// Outcome, one of the words of [`Outcome::class`](crate::model::Outcome::class).
    pub class: String,
    /// Discord's JSON error code.
    pub code: Option<i64>,
    /// Response body, as far as it was kept.
    pub response: String,
}

/// Which deliveries a query returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryFilter {
    /// All deliveries.
    All,
    /// Dead deliveries.
    Dead,
    /// Pending and in-flight deliveries.
    Pending,
    /// Deliveries of one event.
    Of(EventId),
}
