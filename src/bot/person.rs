//! The person behind an interaction, from Discord's data.

use serenity::all::{GuildId, Member, User};

use crate::clock::Clock;
use crate::hub::Person;
use crate::model::Snowflake;

/// The person, with the roles and permissions in this very interaction.
pub(in crate::bot) fn person(
    user: &User,
    member: Option<&Member>,
    guild: Option<GuildId>,
    clock: &Clock,
) -> Person {
    let permissions = member.and_then(|member| member.permissions).unwrap_or_default();
    let nick = member.and_then(|member| member.nick.clone());
    let until = member.and_then(|member| member.communication_disabled_until);
    Person {
        id: Snowflake::new(user.id.get()),
        name: nick
            .or_else(|| user.global_name.as_ref().map(ToString::to_string))
            .unwrap_or_else(|| user.name.clone()),
        guild: guild.filter(|_| member.is_some()).map(|guild| Snowflake::new(guild.get())),
        roles: member
            .iter()
            .flat_map(|member| &member.roles)
            .map(|role| Snowflake::new(role.get()))
            .collect(),
        may_manage: permissions.manage_guild() || permissions.administrator(),
        is_timed_out: until
            .is_some_and(|until| until.unix_timestamp() > clock.for_appointments().get().as_secs()),
    }
}
