//! Where messages go.

use crate::clock::SteadyTime;
use crate::model::{DestinationId, EventId, Snowflake, WebhookMark};

/// A way to reach people or programs, with what is needed to use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// A channel or thread, written to by the bot.
    Channel(Snowflake),
    /// A stored webhook of Discord's, known here by what may be shown of its address. The address itself is sealed in
    /// the store.
    DiscordWebhook(WebhookMark),
    /// The platform: decisions and wishes are told by its API.
    XtSystems,
}

impl Sink {
    /// The name of the sink's kind in the database.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Channel(_) => "channel",
            Self::DiscordWebhook(_) => "discord_webhook",
            Self::XtSystems => "xtsystems",
        }
    }

    /// What tells it from others of its kind.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Channel(id) => id.to_string(),
            Self::DiscordWebhook(mark) => mark.stored(),
            Self::XtSystems => String::new(),
        }
    }

    /// Reads it back from the database.
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

/// One place that messages go to. It has one lane.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Its id.
    pub id: DestinationId,
    /// How to reach it.
    pub sink: Sink,
    /// What people call it.
    pub name: String,
    /// Why nothing can be sent there any more, until it is opened again.
    pub closed: Option<String>,
    /// Why we may not send there for now.
    pub denied: Option<String>,
    /// The event that told people that it is closed or denies us; none once it is reachable again.
    pub announced: Option<EventId>,
    /// Nothing is sent there before this time.
    pub not_before: SteadyTime,
    /// The newest message that is known to have been posted there.
    pub newest: Option<Snowflake>,
    /// Whose results count: raised whenever a process takes the lanes over.
    pub epoch: i64,
}

impl Destination {
    /// The command that mends it when it is closed, if there is one.
    #[must_use]
    pub fn mended_by(&self) -> Option<String> {
        match self.sink {
            Sink::DiscordWebhook(_) => Some(format!("nuncio discord-webhooks replace {}", self.id)),
            Sink::Channel(_) | Sink::XtSystems => None,
        }
    }
}
