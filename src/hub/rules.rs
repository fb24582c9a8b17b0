//! Who may decide, and for how long: what the configuration says.

use std::time::Duration;

use crate::model::{DestinationId, Snowflake};

/// Who may decide, and how: what the configuration says.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The operator's servers by `DISCORD_GUILD_ID`; none: those that the environment's map leads to.
    pub guilds: Vec<Snowflake>,
    /// Roles whose members may decide; none: whoever may manage the server.
    pub approvers: Vec<Snowflake>,
    /// Roles whose members may do the rest; none: whoever may manage the server.
    pub operators: Vec<Snowflake>,
    /// How long a decision can be undone.
    pub grace: Duration,
    /// How long a question stays open; `None`: until it is answered.
    pub expiry: Option<Duration>,
    /// Where the platform is told; `None` without a key for it: then nothing is asked.
    pub platform: Option<DestinationId>,
    /// Whether anybody hears a click.
    pub is_heard: bool,
}
