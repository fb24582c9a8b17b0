//! Guilds, channels and roles from the gateway's events, as plain data.

use serenity::all as discord;

use crate::bot::guild::{Channel, Guild, Overwrite, Role, Whom, unfit};
use crate::clock::Timestamp;

/// A guild from a `GUILD_CREATE`, which always includes the bot's own member.
pub(super) fn guild(guild: &discord::Guild, bot: u64) -> Guild {
    let me = guild.members.get(&discord::UserId::new(bot));
    let channels = guild.channels.values().chain(&guild.threads);
    Guild {
        id: guild.id.get(),
        name: guild.name.clone(),
        owner: guild.owner_id.get(),
        roles: guild.roles.values().map(|found| (found.id.get(), role(found))).collect(),
        held: me.map(|me| me.roles.iter().map(|role| role.get()).collect()).unwrap_or_default(),
        timed_out_until: me.and_then(|me| until(me.communication_disabled_until)),
        channels: channels.map(|found| (found.id.get(), channel(found))).collect(),
    }
}

pub(super) fn role(role: &discord::Role) -> Role {
    Role { name: role.name.clone(), grants: role.permissions.bits(), mentionable: role.mentionable }
}

/// A channel or thread.
pub(super) fn channel(channel: &discord::GuildChannel) -> Channel {
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
    Channel {
        name: channel.name.clone(),
        unfit: unfit(u64::from(u8::from(channel.kind))),
        is_locked: channel.thread_metadata.is_some_and(|thread| thread.locked),
        category: channel.parent_id.filter(|_| !is_thread).map(discord::ChannelId::get),
        thread_of: channel.parent_id.filter(|_| is_thread).map(discord::ChannelId::get),
        overwrites: overwrites.collect(),
    }
}

/// When a member's timeout ends.
pub(super) fn until(at: Option<discord::Timestamp>) -> Option<Timestamp> {
    at.map(|until| Timestamp::from_secs(until.unix_timestamp()))
}
