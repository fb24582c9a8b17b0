//! Guilds (Discord's servers) with their roles and members.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Permissions, Refusal, Role, World, iso};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// A guild: a server in Discord's user interface.
#[derive(Clone, Debug)]
pub struct Guild {
    /// The guild's id, which is also the id of its `@everyone` role.
    pub id: Snowflake,
    /// The display name.
    pub name: String,
    /// The user who has all permissions.
    pub owner: Snowflake,
    /// `@everyone` first, then in creation order.
    pub roles: Vec<Role>,
    /// Members by user id.
    pub members: BTreeMap<Snowflake, Member>,
    /// Whether the application was invited with `applications.commands`.
    pub has_commands: bool,
}

/// A user in a guild.
#[derive(Clone, Debug)]
pub struct Member {
    /// The user's id.
    pub user: Snowflake,
    /// Role ids, without `@everyone`.
    pub roles: Vec<Snowflake>,
    /// When the user joined.
    pub joined: Timestamp,
    /// The end of a timeout, during which the member may only read.
    pub timed_out_until: Option<Timestamp>,
}

impl Guild {
    /// Discord's guild object, as REST returns it: without channels and members.
    #[must_use]
    pub fn object(&self) -> Value {
        let mut object = json!({
            "id": self.id, "name": self.name, "icon": null, "description": null, "home_header": null,
            "splash": null, "discovery_splash": null, "features": [], "banner": null, "owner_id": self.owner,
            "application_id": null, "region": "us-central", "afk_channel_id": null, "afk_timeout": 300,
            "system_channel_id": null, "system_channel_flags": 0, "widget_enabled": false,
            "widget_channel_id": null, "verification_level": 1, "default_message_notifications": 0,
        });
        let rest = json!({
            "roles": self.roles.iter().map(Role::object).collect::<Vec<_>>(), "mfa_level": 0,
            "explicit_content_filter": 0, "max_presences": null, "max_members": 500_000,
            "max_stage_video_channel_users": 50, "max_video_channel_users": 25, "vanity_url_code": null,
            "premium_tier": 0, "premium_subscription_count": 0, "preferred_locale": "en-US",
            "rules_channel_id": null, "safety_alerts_channel_id": null, "public_updates_channel_id": null,
            "premium_progress_bar_enabled": false, "nsfw": false, "nsfw_level": 0, "emojis": [], "stickers": [],
            "incidents_data": null,
        });
        if let (Value::Object(object), Value::Object(rest)) = (&mut object, rest) {
            object.extend(rest);
        }
        object
    }
}

impl World {
    /// Creates a guild; `owner` is its first member.
    pub fn add_guild(
        &mut self,
        name: &str,
        owner: Snowflake,
        everyone: Permissions,
        now: Timestamp,
    ) -> Snowflake {
        let id = self.mint(now);
        let everyone = Role {
            id,
            name: "@everyone".to_owned(),
            permissions: everyone,
            mentionable: false,
            managed: false,
            position: 0,
        };
        let guild = Guild {
            id,
            name: name.to_owned(),
            owner,
            roles: vec![everyone],
            members: BTreeMap::new(),
            has_commands: true,
        };
        self.guilds.insert(id, guild);
        self.add_member(id, owner, Vec::new(), now);
        id
    }

    /// Creates a role above the existing ones; `managed` if it is a bot's own.
    pub fn add_role(
        &mut self,
        guild: Snowflake,
        name: &str,
        permissions: Permissions,
        managed: bool,
        now: Timestamp,
    ) -> Snowflake {
        let id = self.mint(now);
        if let Some(guild) = self.guilds.get_mut(&guild) {
            let position = guild.roles.len();
            guild.roles.push(Role {
                id,
                name: name.to_owned(),
                permissions,
                mentionable: false,
                managed,
                position,
            });
        }
        id
    }

    /// Adds `user` as a member with these roles, or replaces the roles of an existing member.
    pub fn add_member(&mut self, guild: Snowflake, user: Snowflake, roles: Vec<Snowflake>, now: Timestamp) {
        if let Some(guild) = self.guilds.get_mut(&guild) {
            let known = guild.members.get(&user);
            let joined = known.map_or(now, |member| member.joined);
            let timed_out_until = known.and_then(|member| member.timed_out_until);
            guild.members.insert(user, Member { user, roles, joined, timed_out_until });
        }
    }

    /// Removes a member, as a kick does. The member gets one last event, and no more of this guild.
    pub fn remove_member(&mut self, guild: Snowflake, user: Snowflake) {
        if self.guilds.get(&guild).is_some_and(|found| found.members.contains_key(&user)) {
            self.dispatch("GUILD_DELETE", json!({"id": guild}));
            if let Some(found) = self.guilds.get_mut(&guild) {
                found.members.remove(&user);
            }
        }
    }

    /// Times a member out until then, so that they may only read; `None` ends it (Discord: "Modify Guild Member").
    pub fn time_out(&mut self, guild: Snowflake, user: Snowflake, until: Option<Timestamp>) {
        let member = self.guilds.get_mut(&guild).and_then(|guild| guild.members.get_mut(&user));
        if let Some(member) = member {
            member.timed_out_until = until;
            self.dispatch_member(guild, user);
        }
    }

    /// Ends the timeouts that are over. No event is sent: clients watch the time themselves.
    pub fn end_timeouts(&mut self, now: Timestamp) {
        let members = self.guilds.values_mut().flat_map(|guild| guild.members.values_mut());
        for member in members.filter(|member| member.timed_out_until.is_some_and(|until| until <= now)) {
            member.timed_out_until = None;
        }
    }

    /// Sets whether the application may have commands in a guild.
    pub fn set_commands_scope(&mut self, guild: Snowflake, has_commands: bool) {
        if let Some(guild) = self.guilds.get_mut(&guild) {
            guild.has_commands = has_commands;
        }
    }

    /// Dispatches a change of a member.
    pub fn dispatch_member(&mut self, guild: Snowflake, user: Snowflake) {
        let member = self.guilds.get(&guild).and_then(|guild| guild.members.get(&user));
        let Some(mut payload) = member.map(|member| self.member_object(member)) else { return };
        payload["guild_id"] = json!(guild);
        self.dispatch("GUILD_MEMBER_UPDATE", payload);
    }

    /// The id of the first guild; an id that nothing has if there is no guild.
    #[must_use]
    pub fn first_guild(&self) -> Snowflake {
        self.guilds.keys().next().copied().unwrap_or(self.application)
    }

    /// All guilds, by id.
    pub fn guilds(&self) -> impl Iterator<Item = &Guild> {
        self.guilds.values()
    }

    /// The guild, if `user` is in it: otherwise unknown, or 50001 for users who are not members.
    pub fn guild(&self, user: Snowflake, guild: Snowflake) -> Result<&Guild, Refusal> {
        let guild = self.guilds.get(&guild).ok_or(Refusal::UnknownGuild)?;
        if guild.members.contains_key(&user) { Ok(guild) } else { Err(Refusal::MissingAccess) }
    }

    /// Discord's guild member object, with its user.
    #[must_use]
    pub fn member_object(&self, member: &Member) -> Value {
        let mut object = member.partial_object();
        object["user"] = self.users.get(&member.user).map_or(Value::Null, super::User::object);
        object
    }
}

impl Member {
    /// Discord's guild member object without its user, as messages in a dispatch carry it.
    #[must_use]
    pub fn partial_object(&self) -> Value {
        json!({
            "avatar": null, "banner": null, "communication_disabled_until": self.timed_out_until.map(iso), "flags": 0,
            "joined_at": iso(self.joined), "nick": null, "pending": false, "premium_since": null,
            "roles": self.roles, "mute": false, "deaf": false,
        })
    }
}
