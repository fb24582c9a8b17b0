//! Permission flags and sets of them, with Discord's bits.

use serde::{Serialize, Serializer};

/// One permission; the number is its bit (Discord: "Bitwise Permission Flags").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Grants all permissions in every channel.
    Administrator = 3,
    /// Edit, add and delete channels.
    ManageChannels = 4,
    /// Change the guild's settings.
    ManageGuild = 5,
    /// Add a new emoji to a message.
    AddReactions = 6,
    /// See a channel.
    ViewChannel = 10,
    /// Send messages in a channel.
    SendMessages = 11,
    /// Delete other users' messages.
    ManageMessages = 13,
    /// Send embeds.
    EmbedLinks = 14,
    /// Send files.
    AttachFiles = 15,
    /// Read earlier messages.
    ReadMessageHistory = 16,
    /// Ping `@everyone`, `@here` and every role.
    MentionEveryone = 17,
    /// Assign roles, and change their permissions and overwrites.
    ManageRoles = 28,
    /// Create, change and delete webhooks.
    ManageWebhooks = 29,
    /// Use slash commands.
    UseCommands = 31,
    /// Archive, lock and delete threads, and see private ones.
    ManageThreads = 34,
    /// Open public threads.
    CreatePublicThreads = 35,
    /// Open private threads, which only invited users see.
    CreatePrivateThreads = 36,
    /// Send messages in threads.
    SendMessagesInThreads = 38,
    /// Pin and unpin messages.
    PinMessages = 51,
}

/// A set of permissions. In JSON it is a number in a string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u64);

impl Permissions {
    /// Every permission.
    pub const ALL: Self = Self((1 << 53) - 1);

    /// The set of exactly these permissions.
    #[must_use]
    pub fn of(permissions: &[Permission]) -> Self {
        Self(permissions.iter().fold(0, |bits, one| bits | 1 << *one as u64))
    }

    /// The permissions of `@everyone` in a new guild.
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

    /// The permissions of a bot invited without extras: no Mention Everyone, no Manage Webhooks.
    #[must_use]
    pub fn invited() -> Self {
        Self::everyone()
    }

    /// The permissions of a bot that may ping everyone and manage webhooks, so that a message without protection
    /// against pings becomes visible.
    #[must_use]
    pub fn pinging() -> Self {
        Self::invited().with(Self::of(&[Permission::MentionEveryone, Permission::ManageWebhooks]))
    }

    /// The union of both sets.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set without the other's permissions.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The set with these bits of Discord's number.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Whether it contains all of `others`.
    #[must_use]
    pub fn has_all(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether it contains `one`.
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
