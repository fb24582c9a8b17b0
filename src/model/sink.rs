//! Sinks: how a destination is reached, as far as this needs no request: its names, its address as stored and as shown,
//! and how it is mended. `dispatch/sink.rs` lists where the other duties are.

use crate::model::{DestinationId, Snowflake, WebhookMark};

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

    /// The address as members and operators may see it, if the destination's name does not say it.
    #[must_use]
    pub fn shown_address(&self) -> Option<String> {
        match self {
            // Never more of a webhook's address than its visible part.
            Self::DiscordWebhook(mark) => Some(mark.to_string()),
            Self::Channel(_) | Self::XtSystems => None,
        }
    }

    /// The command that gives a closed `destination` another address, if that is how it is mended. A channel is mended
    /// on Discord, the platform by settings.
    #[must_use]
    pub fn mended_by(&self, destination: DestinationId) -> Option<String> {
        match self {
            Self::DiscordWebhook(_) => Some(format!("nuncio discord-webhooks replace {destination}")),
            Self::Channel(_) | Self::XtSystems => None,
        }
    }
}
