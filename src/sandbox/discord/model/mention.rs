//! Mentions: the users and roles named in a text, and which of them are pinged.

use super::{Guild, Permission, Permissions};
use crate::sandbox::Snowflake;

/// Which mentions of a message may ping (Discord: "Allowed Mentions Object"). Absent means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedMentions {
    /// Whether every mentioned user is pinged.
    pub all_users: bool,
    /// Whether every mentioned role is pinged.
    pub all_roles: bool,
    /// Whether `@everyone` and `@here` ping.
    pub everyone: bool,
    /// The users that may be pinged.
    pub users: Vec<Snowflake>,
    /// The roles that may be pinged.
    pub roles: Vec<Snowflake>,
    /// Whether the author of the replied-to message is pinged.
    pub replied_user: bool,
}

impl AllowedMentions {
    /// The default of a bot's message: everything pings.
    #[must_use]
    pub fn all() -> Self {
        let (users, roles) = (Vec::new(), Vec::new());
        Self { all_users: true, all_roles: true, everyone: true, users, roles, replied_user: true }
    }

    /// The default of webhooks and of answers to interactions: users only.
    #[must_use]
    pub fn users_only() -> Self {
        Self { all_users: true, ..Self::default() }
    }
}

/// The mentions that a message pings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// The ids of the users.
    pub users: Vec<Snowflake>,
    /// The ids of the roles.
    pub roles: Vec<Snowflake>,
    /// Whether it pings everyone.
    pub everyone: bool,
}

impl Mentions {
    /// The mentions in `content` that exist in `guild`, are allowed, and may be pinged by a user with `permissions`.
    /// Embeds never ping, so they are not searched.
    #[must_use]
    pub fn resolve(
        content: &str,
        allowed: &AllowedMentions,
        guild: &Guild,
        permissions: Permissions,
        replied: Option<Snowflake>,
    ) -> Self {
        let may_ping_all = permissions.has(Permission::MentionEveryone);
        let mut found = Self {
            everyone: allowed.everyone
                && may_ping_all
                && (content.contains("@everyone") || content.contains("@here")),
            ..Self::default()
        };
        let replied = replied.filter(|_| allowed.replied_user);
        for tag in content.split("<@").skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag) {
            if let Some(role) = tag.strip_prefix('&').and_then(|id| id.parse().ok()) {
                let known = guild.roles.iter().find(|known| known.id == role && role != guild.id);
                let may_ping = known.is_some_and(|known| known.mentionable || may_ping_all);
                let wanted = allowed.all_roles || allowed.roles.contains(&role);
                if may_ping && wanted && !found.roles.contains(&role) {
                    found.roles.push(role);
                }
            } else if let Ok(user) = tag.trim_start_matches('!').parse() {
                let wanted = allowed.all_users || allowed.users.contains(&user);
                if guild.members.contains_key(&user) && wanted && !found.users.contains(&user) {
                    found.users.push(user);
                }
            }
        }
        if let Some(replied) = replied.filter(|user| !found.users.contains(user)) {
            found.users.push(replied);
        }
        found
    }
}
