//! An event on its way to one destination.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::model::priority::Priority;
use crate::model::{DeliveryId, DestinationId, Event, EventId};

/// Where a delivery stands. `Pending → Sending → { Delivered | Pending | Dead }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waiting for its turn.
    Pending,
    /// Part of a message that may have left.
    Sending,
    /// Discord has it.
    Delivered,
    /// Given up, with a reason; a person may redeliver it.
    Dead,
    /// Taken back before it was sent.
    Cancelled,
}

impl Status {
    /// The word in the database and in `--json`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Sending, Self::Delivered, Self::Dead, Self::Cancelled]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// The beginning of the slot of a one-line answer; behind it stands the first event that it tells of.
const REPLY: &str = "reply:";
/// The slot of what brings a card up to date after a digest took its newer events.
pub(crate) const REDRAW: &str = "redraw";

/// An event on its way to one destination.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id; within a rank, ids are the order of first attempts.
    pub id: DeliveryId,
    /// What is delivered.
    pub event_id: EventId,
    /// The event itself, where it is at hand; else it is loaded when its turn comes.
    pub event: Option<Arc<Event>>,
    /// Which of several messages about the event this one is; empty: its card.
    pub slot: String,
    /// How many times a person had it delivered again.
    pub generation: u32,
    /// Where to.
    pub destination_id: DestinationId,
    /// Who goes first.
    pub rank: Priority,
    /// The map's key that sent it there; it says who is pinged.
    pub route: String,
}

impl Delivery {
    /// The one-line answer that tells of the events from `first` to this delivery's. It is next in line.
    #[must_use]
    pub fn reply(&self, first: EventId) -> Self {
        Self { id: self.id.next(), slot: format!("{REPLY}{first}"), ..self.clone() }
    }

    /// If it is a one-line answer: the first event that it tells of.
    #[must_use]
    pub fn replies_from(&self) -> Option<EventId> {
        self.slot.strip_prefix(REPLY)?.parse().ok()
    }

    /// Whether it only brings a card up to date.
    #[must_use]
    pub fn redraws(&self) -> bool {
        self.slot == REDRAW
    }

    /// How long it has waited by `clock`. One that a person had delivered again is as old as that wish: not at all.
    #[must_use]
    pub fn age(&self, clock: &Clock) -> Duration {
        if self.generation > 0 { Duration::ZERO } else { clock.age(self.id.minted_at()) }
    }
}
