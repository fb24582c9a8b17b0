//! Destinations: where messages go.

use crate::clock::SteadyTime;
use crate::model::{DestinationId, EventId, Snowflake, WebhookMark};

/// How to reach a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// A channel or thread that the bot posts to.
    Channel(Snowflake),
    /// A stored Discord webhook, identified here by the visible part of its address. The full address is sealed in
    /// the store.
    DiscordWebhook(WebhookMark),
    /// The platform: its API receives decisions and ticket actions.
    XtSystems,
}

impl Sink {
    /// The sink's kind as stored in the database.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Channel(_) => "channel",
            Self::DiscordWebhook(_) => "discord_webhook",
            Self::XtSystems => "xtsystems",
        }
    }

    /// Distinguishes sinks of one kind.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Channel(id) => id.to_string(),
            Self::DiscordWebhook(mark) => mark.stored(),
            Self::XtSystems => String::new(),
        }
    }

    /// Parses the database columns.
    #[must_use]
    pub fn from_parts(kind: &str, address: &str) -> Option<Self> {
        match kind {
            "channel" => address.parse().ok().map(Self::Channel),
            "discord_webhook" => address.parse().ok().map(Self::DiscordWebhook),
            "xtsystems" => Some(Self::XtSystems),
            _ => None,
        }
    }
}

/// One target of messages. It has one lane.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Identifies the destination.
    pub id: DestinationId,
    /// How to reach it.
    pub sink: Sink,
    /// Display name.
    pub name: String,
    /// Why nothing can be sent until an operator reopens it.
    pub closed: Option<String>,
    /// Why Discord currently denies messages.
    pub denied: Option<String>,
    /// The event that announced it as closed or denied; `None` once it is reachable again.
    pub announced: Option<EventId>,
    /// Nothing is sent before this time.
    pub not_before: SteadyTime,
    /// The newest message known to be posted there.
    pub newest: Option<Snowflake>,
    /// Fencing token: raised whenever a process takes over the lanes, so results of older ones do not count.
    pub epoch: i64,
}

impl Destination {
    /// The command that repairs it when it is closed, if there is one.
    #[must_use]
    pub fn mended_by(&self) -> Option<String> {
        match self.sink {
            Sink::DiscordWebhook(_) => Some(format!("nuncio discord-webhooks replace {}", self.id)),
            Sink::Channel(_) | Sink::XtSystems => None,
        }
    }
}
