//! Discord users, as their click or command describes them.

use crate::model::Snowflake;

/// A Discord user, as the click itself describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Discord's user id.
    pub id: Snowflake,
    /// Display name in the guild.
    pub name: String,
    /// The guild of the click; `None` in a direct message.
    pub guild: Option<Snowflake>,
    /// Their roles in that guild.
    pub roles: Vec<Snowflake>,
    /// Whether they may manage that guild.
    pub may_manage: bool,
    /// Whether they are timed out in that guild.
    pub is_timed_out: bool,
}
