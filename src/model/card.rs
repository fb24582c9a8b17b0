//! Living cards: which message shows a subject in a destination.

use crate::clock::Timestamp;
use crate::model::{EventId, MessageId, Snowflake, Source};

/// What a message shows of one subject. Recorded once the message is posted on Discord.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardState {
    /// The source that the subject belongs to.
    pub source: Source,
    /// The subject; never empty.
    pub subject: String,
    /// Index of the message's embed that shows it.
    pub place: usize,
    /// The first event that it shows.
    pub since: EventId,
    /// An alert's severity as nuncio's own word; empty for subjects without a state.
    pub state: String,
    /// When the shown event happened, by the source's clock.
    pub state_at: Timestamp,
    /// Whether the subject is closed.
    pub closed: bool,
}

/// Where a subject's card is in a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivingCard {
    /// The message that created the card, whatever edited it since.
    pub message_id: MessageId,
    /// The card's Discord channel.
    pub channel: Snowflake,
    /// The card's Discord message.
    pub message: Snowflake,
    /// True if the card can no longer be edited: the next event posts a new one.
    pub frozen: bool,
    /// What the card shows.
    pub shown: CardState,
}
