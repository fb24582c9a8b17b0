//! What the bot remembers of its servers: names, roles and overwrites, in plain data.
//!
//! Filled by [`watch`](super::watch) from the gateway's events; read by [`permission`](super::permission).

use std::collections::{BTreeMap, BTreeSet};

use serenity::all as discord;

use crate::discord::Place;
use crate::model::Snowflake;

/// Discord's type numbers of threads (Discord: "Channel Types").
const THREADS: [u8; 3] = [10, 11, 12];

/// One server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Guild {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) owner: u64,
    /// By id; the one with the server's id is `@everyone`.
    pub(super) roles: BTreeMap<u64, Role>,
    /// The bot's own roles, without `@everyone`.
    pub(super) held: BTreeSet<u64>,
    /// Channels and active threads.
    pub(super) channels: BTreeMap<u64, Channel>,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) name: String,
    /// Permission bits.
    pub(super) grants: u64,
    /// Whether anybody may mention it.
    pub(super) mentionable: bool,
}

/// A channel or thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Channel {
    pub(super) name: String,
    /// Why no message can be posted in it, whatever the permissions: a forum, a category.
    pub(super) unfit: Option<&'static str>,
    /// Of a thread: the channel whose overwrites count.
    pub(super) thread_of: Option<u64>,
    pub(super) overwrites: Vec<Overwrite>,
}

/// What a channel changes for a role or a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overwrite {
    pub(super) whom: Whom,
    /// Permission bits.
    pub(super) allow: u64,
    /// Permission bits.
    pub(super) deny: u64,
}

/// Whom an overwrite is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    Role(u64),
    Member(u64),
}

impl Guild {
    /// From a `GUILD_CREATE`, which always holds the bot's own member.
    pub(super) fn of(guild: &discord::Guild, bot: u64) -> Self {
        let me = guild.members.get(&discord::UserId::new(bot));
        let mut own = Self {
            id: guild.id.get(),
            name: guild.name.clone(),
            owner: guild.owner_id.get(),
            roles: guild.roles.values().map(|role| (role.id.get(), Role::of(role))).collect(),
            held: me.map(|me| me.roles.iter().map(|role| role.get()).collect()).unwrap_or_default(),
            channels: BTreeMap::new(),
        };
        for channel in guild.channels.values().chain(&guild.threads) {
            own.put_channel(channel);
        }
        own
    }

    pub(super) fn put_channel(&mut self, channel: &discord::GuildChannel) {
        self.channels.insert(channel.id.get(), Channel::of(channel));
    }
}

impl Role {
    pub(super) fn of(role: &discord::Role) -> Self {
        Self { name: role.name.clone(), grants: role.permissions.bits(), mentionable: role.mentionable }
    }
}

impl Channel {
    /// As Discord described it when it was asked. Overwrites are known of what a server lists only.
    pub(super) fn found(found: &Place) -> Self {
        let is_thread = THREADS.contains(&found.kind);
        Self {
            name: found.name.clone().unwrap_or_default(),
            unfit: unfit(u64::from(found.kind)),
            thread_of: found.parent_id.filter(|_| is_thread).map(Snowflake::get),
            overwrites: Vec::new(),
        }
    }

    fn of(channel: &discord::GuildChannel) -> Self {
        use discord::ChannelType::{NewsThread, PrivateThread, PublicThread};
        let is_thread = matches!(channel.kind, NewsThread | PrivateThread | PublicThread);
        let overwrites = channel.permission_overwrites.iter().filter_map(|overwrite| {
            let whom = match overwrite.kind {
                discord::PermissionOverwriteType::Role(id) => Whom::Role(id.get()),
                discord::PermissionOverwriteType::Member(id) => Whom::Member(id.get()),
                _ => return None,
            };
            Some(Overwrite { whom, allow: overwrite.allow.bits(), deny: overwrite.deny.bits() })
        });
        Self {
            name: channel.name.clone(),
            unfit: unfit(u64::from(u8::from(channel.kind))),
            thread_of: channel.parent_id.filter(|_| is_thread).map(discord::ChannelId::get),
            overwrites: overwrites.collect(),
        }
    }
}

/// Why a channel of this kind takes no messages; `None` if it does (Discord: "Channel Types").
pub(super) const fn unfit(kind: u64) -> Option<&'static str> {
    match kind {
        4 => Some("is a category, not a channel: put the id of a channel in it into the map"),
        14 => Some("is a server directory, not a channel: put the id of a text channel into the map"),
        15 | 16 => Some(
            "is a forum: it holds posts, not messages. Put the id of a text channel or of a post into the map",
        ),
        _ => None,
    }
}

/// Finds the server that holds `channel`.
pub(super) fn holding(guilds: &BTreeMap<u64, Guild>, channel: Snowflake) -> Option<(&Guild, &Channel)> {
    guilds.values().find_map(|guild| Some((guild, guild.channels.get(&channel.get())?)))
}
