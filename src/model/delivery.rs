//! Deliveries: one event on its way to one destination.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::model::priority::Priority;
use crate::model::{DeliveryId, DestinationId, Event, EventId};

/// State of a delivery: `Pending → Sending → { Delivered | Pending | Dead }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waiting in its lane.
    Pending,
    /// In flight: part of a message that may have been sent.
    Sending,
    /// Confirmed by Discord.
    Delivered,
    /// Dead letter, with a reason; an operator may redeliver it.
    Dead,
    /// Canceled before it was sent.
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

    /// Parses that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Sending, Self::Delivered, Self::Dead, Self::Cancelled]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// Which of several messages about its event a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The event's card.
    Card,
    /// A one-line reply, which covers the events from this one to the delivery's own.
    Reply(EventId),
    /// The redrawing of a card after a digest took the card's newer events.
    Redraw,
}

impl Slot {
    const REPLY: &str = "reply:";
    const REDRAW: &str = "redraw";

    /// The word in the database; empty for a card.
    #[must_use]
    pub fn word(self) -> Cow<'static, str> {
        match self {
            Self::Card => Cow::Borrowed(""),
            Self::Reply(first) => Cow::Owned(format!("{}{first}", Self::REPLY)),
            Self::Redraw => Cow::Borrowed(Self::REDRAW),
        }
    }

    /// Parses that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "" => Some(Self::Card),
            Self::REDRAW => Some(Self::Redraw),
            reply => reply.strip_prefix(Self::REPLY)?.parse().ok().map(Self::Reply),
        }
    }
}

/// An event on its way to one destination.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Sorts, within a priority, in the order of first attempts.
    pub id: DeliveryId,
    /// The event to deliver.
    pub event_id: EventId,
    /// The event itself, if already loaded; otherwise the lane loads it when the delivery's turn comes.
    pub event: Option<Arc<Event>>,
    /// Which of several messages about the event this is.
    pub slot: Slot,
    /// How many times an operator redelivered it.
    pub generation: u32,
    /// Target of the delivery.
    pub destination_id: DestinationId,
    /// Priority within the lane.
    pub priority: Priority,
    /// The routing key that matched; it determines which roles are pinged.
    pub route: String,
}

impl Delivery {
    /// The one-line reply that covers the events from `first` to this delivery's event. It is next in the queue.
    #[must_use]
    pub fn reply(&self, first: EventId) -> Self {
        Self { id: self.id.next(), slot: Slot::Reply(first), ..self.clone() }
    }

    /// For a one-line reply, the first event that it covers.
    #[must_use]
    pub fn replies_from(&self) -> Option<EventId> {
        if let Slot::Reply(first) = self.slot { Some(first) } else { None }
    }

    /// Whether the delivery only redraws a card.
    #[must_use]
    pub fn redraws(&self) -> bool {
        self.slot == Slot::Redraw
    }

    /// How long it has waited by `clock`. A redelivered one counts as new: its age is zero.
    #[must_use]
    pub fn age(&self, clock: &Clock) -> Duration {
        if self.generation > 0 { Duration::ZERO } else { clock.age(self.id.minted_at()) }
    }
}
