//! Permissions: what a member may do in a channel, computed as Discord does.

use serde::{Serialize, Serializer};

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
