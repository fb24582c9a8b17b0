//! The person behind an interaction, from Discord's data.

use crate::bot::interaction::Interaction;
use crate::clock::Clock;
use crate::hub::Person;

/// Discord: "Bitwise Permission Flags".
const ADMINISTRATOR: u64 = 1 << 3;
const MANAGE_GUILD: u64 = 1 << 5;

/// The person, with the roles and permissions in this very interaction.
pub(super) fn person(interaction: &Interaction, clock: &Clock) -> Person {
    let Interaction { user, member, .. } = interaction;
    let member = member.as_ref();
    let until = member.and_then(|member| member.timed_out_until);
    Person {
        id: user.id,
        name: member
            .and_then(|member| member.nick.clone())
            .or_else(|| user.display_name.clone())
            .unwrap_or_else(|| user.username.clone()),
        guild: interaction.guild.filter(|_| member.is_some()),
        roles: member.map(|member| member.roles.clone()).unwrap_or_default(),
        may_manage: member.is_some_and(|member| member.permissions & (ADMINISTRATOR | MANAGE_GUILD) != 0),
        is_timed_out: until.is_some_and(|until| until.as_secs() > clock.for_appointments().get().as_secs()),
    }
}
