//! Settings in the Developer Portal and in a guild, and moderation of the bot.

use super::Discord;
use super::gateway::{self, Intents};
use super::model::{Overwrite, Permission, Permissions};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// The address of invite links, up to the query.
const AUTHORIZE: &str = "https://discord.com/oauth2/authorize?";

impl Discord {
    /// The guild's owner opens an invite link and chooses the first guild. Returns whether the link invites this bot.
    pub fn opens_invite(&self, link: &str) -> bool {
        let Some(query) = link.strip_prefix(AUTHORIZE) else { return false };
        let value = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        let scopes: Vec<&str> = value("scope").unwrap_or_default().split('+').collect();
        let permissions = value("permissions").and_then(|bits| bits.parse().ok()).unwrap_or(0);
        if value("client_id") != Some(self.application_id().to_string().as_str()) || !scopes.contains(&"bot")
        {
            return false;
        }
        let guild = self.guild_id();
        self.with(|state, now| {
            let world = &mut state.world;
            let bot = world.bot();
            world.set_commands_scope(guild, scopes.contains(&"applications.commands"));
            let is_member = world.guild(bot, guild).is_ok();
            if !is_member {
                let role = world.add_role(guild, "nuncio", Permissions::from_bits(permissions), true, now);
                world.add_member(guild, bot, vec![role], now);
                if let Ok(found) = world.guild(bot, guild) {
                    let payload = gateway::guild_create(world, found, bot, Intents::default());
                    world.dispatch("GUILD_CREATE", payload);
                }
            }
        });
        true
    }

    /// Kicks the bot from the first guild.
    pub fn kick_bot(&self) {
        let guild = self.guild_id();
        self.change(|world, _| world.remove_member(guild, world.bot()));
    }

    /// Removes `applications.commands`, as if the bot had been invited without it.
    pub fn forbid_commands(&self) {
        let guild = self.guild_id();
        self.change(|world, _| world.set_commands_scope(guild, false));
    }

    /// Times the bot out in the first guild; `None` ends it.
    pub fn time_bot_out(&self, until: Option<Timestamp>) {
        let guild = self.guild_id();
        self.change(|world, _| world.time_out(guild, world.bot(), until));
    }

    /// Sets the application's Interactions Endpoint URL; `None` clears it.
    pub fn set_interactions_endpoint(&self, url: Option<&str>) {
        self.change(|world, _| world.interactions_endpoint = url.map(str::to_owned));
    }

    /// Sets whether another program with the bot's token answers every interaction before any other does.
    pub fn share_token(&self, is_shared: bool) {
        self.change(|world, _| world.is_shared = is_shared);
    }

    /// Limits the bot to this many logins within the next 24 hours.
    pub fn leave_logins(&self, remaining: u32) {
        self.with(|state, now| state.gateway.starts.leave(remaining, now));
    }

    /// Denies a permission to a role (or to everybody, with the guild's own id) in a category and in a channel that
    /// is moved into it and synced with it; or reverts that.
    pub fn deny_in_category(
        &self,
        category: &str,
        channel: Snowflake,
        role: Snowflake,
        denied: Option<Permission>,
    ) {
        let overwrites: Vec<Overwrite> = denied
            .map(|denied| Overwrite {
                id: role,
                member: false,
                allow: Permissions::default(),
                deny: Permissions::of(&[denied]),
            })
            .into_iter()
            .collect();
        let guild = self.guild_id();
        self.change(|world, now| {
            let id = world.category(guild, category, now);
            for place in [id, channel] {
                // A deleted channel has nothing to sync.
                let _ = world.change_channel(place, |place| {
                    place.overwrites.clone_from(&overwrites);
                    if place.id != id {
                        place.parent = Some(id);
                    }
                });
            }
        });
    }
}
