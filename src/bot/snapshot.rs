//! A snapshot of the bot's guilds, from REST, with the facts that other modules need.
//!
//! The gateway's [`watch`](super::watch) and this snapshot use the same functions to judge guilds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::bot::guild::{self, Guild};
use crate::bot::{lenient, permission};
use crate::discord;
use crate::hub::{ChannelObstacle, GuildRole, Guilds};
use crate::model::Snowflake;

/// The bot's guilds as REST describes them.
#[derive(Debug)]
pub struct Snapshot {
    guilds: BTreeMap<u64, Guild>,
    bot: u64,
}

/// A channel, and what prevents the bot from writing there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelState {
    /// Guild and channel, as in "Acme NOC / #tickets".
    pub name: String,
    /// Why no message can be posted in it, whatever the permissions: a forum, a locked thread.
    pub unfit: Option<ChannelObstacle>,
    /// Missing permissions, each with its fix.
    pub missing: Vec<ChannelObstacle>,
}

impl Snapshot {
    /// An empty snapshot for the bot with this id.
    #[must_use]
    pub fn new(bot: Snowflake) -> Self {
        Self { guilds: BTreeMap::new(), bot: bot.get() }
    }

    /// Adds a guild as [`discord::Client::server`] describes it.
    pub fn add(&mut self, server: &Value) {
        if let Some(guild) = lenient::guild(server, self.bot) {
            self.guilds.insert(guild.id, guild);
        }
    }

    /// Adds a channel that no list contains, such as an archived thread.
    pub fn add_channel(&mut self, id: Snowflake, found: &discord::ChannelObject) {
        let guild = found.guild_id.and_then(|guild| self.guilds.get_mut(&guild.get()));
        if let Some(guild) = guild {
            guild.channels.insert(id.get(), guild::Channel::found(found));
        }
    }

    /// The bot's access to a channel; `None` if none of the guilds contains it.
    #[must_use]
    pub fn channel(&self, id: Snowflake) -> Option<ChannelState> {
        let (guild, channel) = guild::holding(&self.guilds, id)?;
        let missing = permission::missing(guild, channel, self.bot);
        Some(ChannelState {
            name: format!("{} / #{}", guild.name, channel.name),
            unfit: permission::unfit(guild, channel, self.bot),
            missing: missing.iter().map(permission::Missing::obstacle).collect(),
        })
    }

    /// Whether the bot may create channels in a guild.
    #[must_use]
    pub fn may_make_channels(&self, server: Snowflake) -> bool {
        let guild = self.guilds.get(&server.get());
        guild.is_some_and(|guild| permission::may_make_channels(guild, self.bot))
    }

    /// The guilds in the form that the configuration checks use. `channels` are those of the route map.
    #[must_use]
    pub fn servers(&self, channels: &BTreeSet<Snowflake>, application: Option<Snowflake>) -> Guilds {
        Guilds { application, ..servers(&self.guilds, channels, self.bot) }
    }
}

/// Summarizes `guilds` for the configuration checks; some of them contain the route map's `channels`.
pub(super) fn servers(guilds: &BTreeMap<u64, Guild>, channels: &BTreeSet<Snowflake>, bot: u64) -> Guilds {
    let holding: Vec<_> = channels.iter().filter_map(|id| guild::holding(guilds, *id)).collect();
    let mut roles = BTreeMap::new();
    for guild in guilds.values() {
        let mut mapped = holding.iter().filter(|(holder, _)| holder.id == guild.id).peekable();
        let may_mention_all = mapped.peek().is_some()
            && mapped.all(|(guild, channel)| permission::may_mention_all(guild, channel, bot));
        for (id, role) in guild.roles.iter().filter(|(id, _)| **id != guild.id) {
            let can_be_pinged = role.mentionable || may_mention_all;
            let (guild, name) = (Snowflake::new(guild.id), role.name.clone());
            roles.insert(Snowflake::new(*id), GuildRole { guild, name, can_be_pinged });
        }
    }
    Guilds {
        all: guilds.values().map(|guild| (Snowflake::new(guild.id), Some(guild.name.clone()))).collect(),
        mapped: holding.iter().map(|(guild, _)| Snowflake::new(guild.id)).collect(),
        application: None,
        roles,
        timed_out: guilds
            .values()
            .filter_map(|guild| Some((Snowflake::new(guild.id), guild.timed_out_until?)))
            .collect(),
    }
}
