//! The bot's servers, as the gateway reported them.

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Timestamp;
use crate::model::Snowflake;

/// The servers that the bot is in, as the gateway tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Servers {
    /// All of them, by name; those that have not arrived yet have none.
    pub all: BTreeMap<Snowflake, Option<String>>,
    /// Those that hold a channel which the environment's map names.
    pub mapped: BTreeSet<Snowflake>,
    /// The bot's application; `None` until READY named it.
    pub application: Option<Snowflake>,
    /// The roles of all servers that have arrived, without `@everyone`.
    pub roles: BTreeMap<Snowflake, ServerRole>,
    /// Where the bot is timed out, and until when.
    pub timed_out: BTreeMap<Snowflake, Timestamp>,
}

/// A role of one of the bot's servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRole {
    /// The server it belongs to. Its `@everyone` has the server's own id.
    pub guild: Snowflake,
    /// Its name, without `@`.
    pub name: String,
    /// Whether a message of the bot's can ping it: it is mentionable, or the bot may mention all roles in every channel
    /// of that server that the map names (Discord: "Allowed Mentions").
    pub can_be_pinged: bool,
}
