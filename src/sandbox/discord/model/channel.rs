//! Channels, and what is overwritten in them for roles and members.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Message, Permission, Permissions, Refusal, World};
use crate::clock::Timestamp;
use crate::model::Snowflake;

/// Discord's type number of a text channel.
const TEXT: u8 = 0;

/// A place for messages.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The id.
    pub id: Snowflake,
    /// Discord's type number.
    pub kind: u8,
    /// The guild it is in.
    pub guild: Snowflake,
    /// The category, or a thread's channel.
    pub parent: Option<Snowflake>,
    /// The name, without `#`.
    pub name: String,
    /// What it is about.
    pub topic: Option<String>,
    /// Its place among the others.
    pub position: usize,
    /// What differs here from the guild's permissions.
    pub overwrites: Vec<Overwrite>,
    /// By id, that is oldest first; bounded.
    pub(super) messages: BTreeMap<Snowflake, Message>,
    /// The latest message there ever was.
    pub(super) last_message: Option<Snowflake>,
}

/// Permissions of one role or one member in one channel.
#[derive(Clone, Copy, Debug)]
pub struct Overwrite {
    /// The role's or the user's id.
    pub id: Snowflake,
    /// Whether it is a member's, not a role's.
    pub member: bool,
    /// Allowed here.
    pub allow: Permissions,
    /// Denied here.
    pub deny: Permissions,
}

impl Channel {
    /// Discord's channel object.
    #[must_use]
    pub fn object(&self) -> Value {
        let overwrites: Vec<Value> = self
            .overwrites
            .iter()
            .map(|one| json!({"id": one.id, "type": u8::from(one.member), "allow": one.allow, "deny": one.deny}))
            .collect();
        json!({
            "id": self.id, "type": self.kind, "last_message_id": self.last_message, "flags": 0,
            "last_pin_timestamp": null, "guild_id": self.guild, "name": self.name, "parent_id": self.parent,
            "rate_limit_per_user": 0, "topic": self.topic, "position": self.position,
            "permission_overwrites": overwrites, "nsfw": false,
        })
    }
}

impl World {
    /// A new text channel below those there are.
    pub fn add_channel(&mut self, guild: Snowflake, name: &str, topic: &str, now: Timestamp) -> Snowflake {
        let id = self.mint(now);
        let position = self.channels.values().filter(|channel| channel.guild == guild).count();
        let channel = Channel {
            id,
            kind: TEXT,
            guild,
            parent: None,
            name: name.to_owned(),
            topic: Some(topic.to_owned()).filter(|topic| !topic.is_empty()),
            position,
            overwrites: Vec::new(),
            messages: BTreeMap::new(),
            last_message: None,
        };
        self.dispatch("CHANNEL_CREATE", channel.object());
        self.channels.insert(id, channel);
        id
    }

    /// All channels, in the order they were made, which is the order they are shown in.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    /// The first channel of this name.
    #[must_use]
    pub fn channel_named(&self, name: &str) -> Option<Snowflake> {
        self.channels.values().find(|channel| channel.name == name).map(|channel| channel.id)
    }

    /// A channel as `user` may see it.
    pub fn channel(&self, user: Snowflake, channel: Snowflake) -> Result<&Channel, Refusal> {
        self.visible(user, channel).map(|(channel, _)| channel)
    }

    /// Whether `user` may type in `channel`.
    pub fn may_type(&self, user: Snowflake, channel: Snowflake) -> Result<(), Refusal> {
        let (_, permissions) = self.visible(user, channel)?;
        permissions.has(Permission::SendMessages).then_some(()).ok_or(Refusal::MissingPermissions)
    }

    /// Takes a channel away with all that is in it.
    pub fn delete_channel(&mut self, channel: Snowflake) -> Result<(), Refusal> {
        let channel = self.channels.remove(&channel).ok_or(Refusal::UnknownChannel)?;
        self.dispatch("CHANNEL_DELETE", channel.object());
        Ok(())
    }

    /// Denies `user` a permission in a channel, by an overwrite of the member's own.
    pub fn deny(&mut self, channel: Snowflake, user: Snowflake, permission: Permission) {
        let one = Permissions::of(&[permission]);
        self.overwrite(channel, user, |found| {
            found.deny = found.deny.with(one);
            found.allow = found.allow.without(one);
        });
    }

    /// Takes back what [`World::deny`] did.
    pub fn undeny(&mut self, channel: Snowflake, user: Snowflake, permission: Permission) {
        self.overwrite(channel, user, |found| {
            found.deny = found.deny.without(Permissions::of(&[permission]))
        });
    }

    fn overwrite(&mut self, channel: Snowflake, user: Snowflake, change: impl FnOnce(&mut Overwrite)) {
        let Some(channel) = self.channels.get_mut(&channel) else { return };
        let at = channel.overwrites.iter().position(|one| one.id == user).unwrap_or_else(|| {
            let none = Permissions::default();
            channel.overwrites.push(Overwrite { id: user, member: true, allow: none, deny: none });
            channel.overwrites.len() - 1
        });
        change(&mut channel.overwrites[at]);
        let object = channel.object();
        self.dispatch("CHANNEL_UPDATE", object);
    }
}
