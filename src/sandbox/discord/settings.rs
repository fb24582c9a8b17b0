//! What an operator sets in the Developer Portal and in a server's settings, and what befalls the bot there.

use super::Discord;
use super::gateway::{self, Intents};
use super::model::{Overwrite, Permission, Permissions};
use crate::clock::Timestamp;
use crate::model::Snowflake;

/// Where an invite link leads.
const AUTHORIZE: &str = "https://discord.com/oauth2/authorize?";

impl Discord {
    /// The guild's owner opens an invite link and chooses the first guild. Whether the link invites this bot.
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
                    let told = gateway::guild_create(world, found, bot, Intents::default());
                    world.dispatch("GUILD_CREATE", told);
                }
            }
        });
        true
    }

    /// Throws the bot out of the first guild.
    pub fn kick_bot(&self) {
        let guild = self.guild_id();
        self.change(|world, _| world.remove_member(guild, world.bot()));
    }

    /// Takes `applications.commands` away, as if the bot had been invited without it.
    pub fn forbid_commands(&self) {
        let guild = self.guild_id();
        self.change(|world, _| world.set_commands_scope(guild, false));
    }

    /// Times the bot out in the first guild; `None` ends it.
    pub fn time_bot_out(&self, until: Option<Timestamp>) {
        let guild = self.guild_id();
        self.change(|world, _| world.time_out(guild, world.bot(), until));
    }

    /// Sets the application's Interactions Endpoint URL, or empties it.
    pub fn set_interactions_endpoint(&self, url: Option<&str>) {
        self.change(|world, _| world.interactions_endpoint = url.map(str::to_owned));
    }

    /// From now on another program with the bot's token answers every interaction before anybody else, or none.
    pub fn share_token(&self, is_shared: bool) {
        self.change(|world, _| world.is_shared = is_shared);
    }

    /// Leaves the bot so many logins within the next 24 hours.
    pub fn leave_logins(&self, remaining: u32) {
        self.with(|state, now| state.gateway.starts.leave(remaining, now));
    }

    /// Denies a permission to a role, or to everybody by the guild's own id, in a category and in a channel that is put into
    /// it and follows it; or takes that back.
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
                // A channel that is gone follows nothing.
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
