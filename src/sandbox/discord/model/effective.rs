//! Effective permissions of a user in a guild and in one of its channels.

use super::{Channel, Guild, PRIVATE_THREAD, Permission, Permissions, Refusal, World};
use crate::sandbox::Snowflake;

impl Guild {
    /// A member's permissions in the whole guild: none for non-members, all for the owner.
    #[must_use]
    pub fn permissions(&self, user: Snowflake) -> Permissions {
        let Some(member) = self.members.get(&user) else { return Permissions::default() };
        let held = |role: &&super::Role| role.id == self.id || member.roles.contains(&role.id);
        let sum = self
            .roles
            .iter()
            .filter(held)
            .fold(Permissions::default(), |sum, role| sum.with(role.permissions));
        if user == self.owner || sum.has(Permission::Administrator) { Permissions::ALL } else { sum }
    }
}

impl World {
    /// The permissions of `user` in `channel`: the union of the roles', then the channel's overwrites for
    /// `@everyone`, for the member's roles combined, for the member (Discord: "Permission Hierarchy"). A thread uses
    /// its channel's.
    #[must_use]
    pub fn permissions(&self, user: Snowflake, channel: &Channel) -> Permissions {
        let Some(guild) = self.guilds.get(&channel.guild) else { return Permissions::default() };
        let base = guild.permissions(user);
        let (Some(member), false) = (guild.members.get(&user), base == Permissions::ALL) else { return base };
        let parent = channel.parent.filter(|_| channel.thread.is_some());
        let channel = parent.and_then(|parent| self.channels.get(&parent)).unwrap_or(channel);
        let apply = |base: Permissions, chosen: &dyn Fn(Snowflake) -> bool| {
            let chosen: Vec<_> = channel.overwrites.iter().filter(|one| chosen(one.id)).collect();
            let denied = chosen.iter().fold(Permissions::default(), |sum, one| sum.with(one.deny));
            let allowed = chosen.iter().fold(Permissions::default(), |sum, one| sum.with(one.allow));
            base.without(denied).with(allowed)
        };
        let base = apply(base, &|id| id == guild.id);
        let base = apply(base, &|id| member.roles.contains(&id));
        let sum = apply(base, &|id| id == user);
        // Discord: "Permissions for Timed Out Members".
        let reading = Permissions::of(&[Permission::ViewChannel, Permission::ReadMessageHistory]);
        if member.timed_out_until.is_some() { sum.without(Permissions::ALL.without(reading)) } else { sum }
    }

    /// The channel, if `user` can see it: otherwise unknown, or 50001 without View Channel.
    pub(super) fn visible(
        &self,
        user: Snowflake,
        channel: Snowflake,
    ) -> Result<(&Channel, Permissions), Refusal> {
        let channel = self.channels.get(&channel).ok_or(Refusal::UnknownChannel)?;
        let permissions = self.permissions(user, channel);
        let hidden = channel.thread.as_ref().is_some_and(|thread| {
            channel.kind == PRIVATE_THREAD
                && !thread.members.contains(&user)
                && !permissions.has(Permission::ManageThreads)
        });
        if permissions.has(Permission::ViewChannel) && !hidden {
            Ok((channel, permissions))
        } else {
            Err(Refusal::MissingAccess)
        }
    }
}
