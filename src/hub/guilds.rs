//! The bot's guilds, as the gateway reported them.

pub(super) mod access;
mod channels;
mod server_problems;

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Timestamp;
use crate::model::Snowflake;

pub use access::Entrypoint;
pub use channels::{ChannelInfo, ChannelObstacle, Channels, unknown_channel};
pub use server_problems::{invite_link, judge_servers};

/// The guilds that the bot is a member of, as the gateway reported them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guilds {
    /// All guilds, by name; a guild that has not arrived yet has none.
    pub all: BTreeMap<Snowflake, Option<String>>,
    /// Guilds that contain a channel of the environment's map.
    pub mapped: BTreeSet<Snowflake>,
    /// The bot's application id; `None` until READY.
    pub application: Option<Snowflake>,
    /// The roles of all guilds that have arrived, without `@everyone`.
    pub roles: BTreeMap<Snowflake, GuildRole>,
    /// Guilds in which the bot is timed out, with the end of the timeout.
    pub timed_out: BTreeMap<Snowflake, Timestamp>,
}

/// A role in one of the bot's guilds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuildRole {
    /// The role's guild. A guild's `@everyone` role has the guild's own id.
    pub guild: Snowflake,
    /// The role's name, without `@`.
    pub name: String,
    /// Whether the bot can ping the role: it is mentionable, or the bot may mention all roles in every channel of
    /// that guild that the map names (Discord: "Allowed Mentions").
    pub can_be_pinged: bool,
}
