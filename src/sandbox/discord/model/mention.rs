//! Mentions: who is named in a text, and who of them is pinged.

use super::{Guild, Permission, Permissions};
use crate::model::Snowflake;

/// What a message allows to be pinged (Discord: "Allowed Mentions Object"). Absent means: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedMentions {
    /// Every user named.
    pub all_users: bool,
    /// Every role named.
    pub all_roles: bool,
    /// `@everyone` and `@here`.
    pub everyone: bool,
    /// These users.
    pub users: Vec<Snowflake>,
    /// These roles.
    pub roles: Vec<Snowflake>,
    /// The author of the message replied to.
    pub replied_user: bool,
}

impl AllowedMentions {
    /// What a bot's message allows that says nothing of it.
    #[must_use]
    pub fn all() -> Self {
        let (users, roles) = (Vec::new(), Vec::new());
        Self { all_users: true, all_roles: true, everyone: true, users, roles, replied_user: true }
    }

    /// What webhooks and answers to interactions allow that say nothing of it.
    #[must_use]
    pub fn users_only() -> Self {
        Self { all_users: true, ..Self::default() }
    }
}

/// Who is pinged by a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Users.
    pub users: Vec<Snowflake>,
    /// Roles.
    pub roles: Vec<Snowflake>,
    /// Everyone.
    pub everyone: bool,
}

impl Mentions {
    /// Who of those named in `content` is there in `guild`, allowed, and pingable by somebody with `permissions`.
    /// Embeds never ping, so they are not asked for.
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
