//! Who somebody is, by what Discord said with their click or command.

use crate::model::Snowflake;

/// Somebody on Discord, as the click itself describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: Snowflake,
    /// What they are called there.
    pub name: String,
    /// The server they clicked in; `None` in a direct message.
    pub guild: Option<Snowflake>,
    /// Their roles there.
    pub roles: Vec<Snowflake>,
    /// Whether they may manage that server.
    pub may_manage: bool,
    /// Whether they are in timeout there.
    pub is_timed_out: bool,
}
