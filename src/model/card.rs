//! Living cards: which message shows a thing in a destination.

use crate::clock::Timestamp;
use crate::model::{EventId, MessageId, Snowflake, Source};

/// What a message shows of one subject. Written down when the message stands in Discord.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Whose subject it is.
    pub source: Source,
    /// What it is about; never empty.
    pub subject: String,
    /// Which of the message's embeds it is.
    pub place: usize,
    /// The first event it shows.
    pub since: EventId,
    /// Of an alert its severity, in our word for it; empty for what has no state of its own.
    pub state: String,
    /// When what it shows happened, by the source's clock.
    pub state_at: Timestamp,
    /// Whether the thing is done with.
    pub closed: bool,
}

/// Where a subject's card stands in a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivingCard {
    /// The message that made it, whatever changed it since.
    pub message_id: MessageId,
    /// The Discord channel it stands in.
    pub channel: Snowflake,
    /// The Discord message it stands in.
    pub message: Snowflake,
    /// Whether it cannot be changed any more: the next event posts a new one.
    pub frozen: bool,
    /// What it shows.
    pub shown: Shown,
}
