//! Permissions: what a member may do in a channel, computed as Discord does.

use serde::{Serialize, Serializer};

use super::{Channel, Guild, PRIVATE_THREAD, Refusal, World};
use crate::model::Snowflake;

/// One permission; the number is its bit (Discord: "Bitwise Permission Flags").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// All of them, in every channel.
    Administrator = 3,
    /// Edit, add and delete channels.
    ManageChannels = 4,
    /// Change the guild.
    ManageGuild = 5,
    /// Put the first of an emoji under a message.
    AddReactions = 6,
    /// See a channel at all.
    ViewChannel = 10,
    /// Send messages in it.
    SendMessages = 11,
    /// Delete the messages of others.
    ManageMessages = 13,
    /// Send embeds.
    EmbedLinks = 14,
    /// Send files.
    AttachFiles = 15,
    /// Read what was said before.
    ReadMessageHistory = 16,
    /// Ping `@everyone`, `@here` and every role.
    MentionEveryone = 17,
    /// Give and take roles, and change what they may do in a channel.
    ManageRoles = 28,
    /// Change the guild's webhooks.
    ManageWebhooks = 29,
    /// Use slash commands.
    UseCommands = 31,
    /// Archive, lock and delete threads, and see the private ones.
    ManageThreads = 34,
    /// Open threads.
    CreatePublicThreads = 35,
    /// Open threads that only those who are invited see.
    CreatePrivateThreads = 36,
    /// Send messages in threads.
    SendMessagesInThreads = 38,
    /// Pin messages.
    PinMessages = 51,
}

/// A set of permissions. In JSON it is a number in a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u64);

impl Permissions {
    /// Every permission.
    pub const ALL: Self = Self((1 << 53) - 1);

    /// Exactly these.
    #[must_use]
    pub fn of(permissions: &[Permission]) -> Self {
        Self(permissions.iter().fold(0, |bits, one| bits | 1 << *one as u64))
    }

    /// What `@everyone` has in a new guild.
    #[must_use]
    pub fn everyone() -> Self {
        use Permission as P;
        Self::of(&[
            P::ViewChannel,
            P::SendMessages,
            P::EmbedLinks,
            P::AttachFiles,
            P::ReadMessageHistory,
            P::UseCommands,
            P::AddReactions,
            P::CreatePublicThreads,
            P::CreatePrivateThreads,
            P::SendMessagesInThreads,
        ])
    }

    /// What a bot has that was invited without any extra: no Mention Everyone, no Manage Webhooks.
    #[must_use]
    pub fn invited() -> Self {
        Self::everyone()
    }

    /// What a bot has that may ping everyone and manage webhooks, so that a message that forgot to forbid a ping shows.
    #[must_use]
    pub fn pinging() -> Self {
        Self::invited().with(Self::of(&[Permission::MentionEveryone, Permission::ManageWebhooks]))
    }

    /// These and those.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// From Discord's number.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Whether all of `others` are among them.
    #[must_use]
    pub fn has_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether `one` is among them.
    #[must_use]
    pub fn has(self, one: Permission) -> bool {
        self.0 & (1 << one as u64) != 0
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Guild {
    /// What a member may do in the guild at large: none for strangers, all for the owner.
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
    /// What `user` may do in `channel`: the roles' sum, then the channel's overwrites for `@everyone`, for the
    /// member's roles together, for the member (Discord: "Permission Hierarchy"). A thread has its channel's.
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

    /// A channel for somebody who wants to do something in it: unknown, or 50001 without View Channel.
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
