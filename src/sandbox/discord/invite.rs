//! Invites to a second guild: what a bot receives when a user adds it to their own.

use super::Discord;
use super::gateway::{self, Intents};
use super::model::Permissions;
use crate::sandbox::Snowflake;

impl Discord {
    /// Creates a guild owned by `owner` with one text channel, and adds the bot. Returns the ids of the guild and the
    /// channel; `None` if there is no such user.
    pub fn invite(&self, name: &str, owner: &str, channel: &str) -> Option<(Snowflake, Snowflake)> {
        let owner = self.user_id(owner)?;
        self.with(|state, now| {
            let world = &mut state.world;
            let bot = world.bot();
            let id = world.add_guild(name, owner, Permissions::everyone(), now);
            let role = world.add_role(id, "bot", Permissions::invited(), true, now);
            world.add_member(id, bot, vec![role], now);
            let channel = world.add_channel(id, channel, "", now);
            let guild = world.guild(bot, id).ok()?;
            let payload = gateway::guild_create(world, guild, bot, Intents::default());
            world.dispatch("GUILD_CREATE", payload);
            Some((id, channel))
        })
    }

    /// Adds the bot to the first guild again with these permissions, as a user does who opens its invite link.
    pub fn invite_back(&self, permissions: Permissions) {
        self.with(|state, now| {
            let (world, id) = (&mut state.world, self.guild_id());
            let bot = world.bot();
            let role = world.add_role(id, "nuncio", permissions, true, now);
            world.add_member(id, bot, vec![role], now);
            let Ok(guild) = world.guild(bot, id) else { return };
            let payload = gateway::guild_create(world, guild, bot, Intents::default());
            world.dispatch("GUILD_CREATE", payload);
        });
    }
}
