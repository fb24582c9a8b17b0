//! Decision rules: who may decide, and for how long, as configured.

use std::time::Duration;

use crate::model::{DestinationId, Snowflake};

/// Who may decide, and how, as configured.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The operator's guilds by `DISCORD_GUILD_ID`; empty: those that the environment's map leads to.
    pub guilds: Vec<Snowflake>,
    /// Roles whose members may decide; empty: members who may manage the guild.
    pub approvers: Vec<Snowflake>,
    /// Roles whose members may do the rest; empty: members who may manage the guild.
    pub operators: Vec<Snowflake>,
    /// Grace period in which a decision can be undone.
    pub grace: Duration,
    /// Lifetime of a question; `None`: until it is answered.
    pub expiry: Option<Duration>,
    /// Destination of calls to the platform; `None` without a key for it: then nothing is asked.
    pub platform: Option<DestinationId>,
    /// Whether this bot receives clicks.
    pub receives_clicks: bool,
}
