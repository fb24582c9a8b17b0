//! Channels and their permission overwrites for roles and members.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Message, Permission, Permissions, Refusal, Tag, Thread, World};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// Discord's type number of a text channel.
pub const TEXT: u8 = 0;
/// Discord's type number of a category, which groups channels.
const CATEGORY: u8 = 4;
/// Discord's type number of a forum, which holds threads only.
pub const FORUM: u8 = 15;
/// The flag of forums whose posts require a tag.
pub const REQUIRE_TAG: u64 = 1 << 4;

/// A channel of any kind, threads included.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Unique over all guilds; a post's id is also its first message's.
    pub id: Snowflake,
    /// Discord's channel type number.
    pub kind: u8,
    /// The id of its guild.
    pub guild: Snowflake,
    /// The id of its category; for a thread, of its channel.
    pub parent: Option<Snowflake>,
    /// The name, without `#`.
    pub name: String,
    /// The topic line, if set.
    pub topic: Option<String>,
    /// The sort position among the guild's channels, from 0.
    pub position: usize,
    /// Differences from the guild's permissions.
    pub overwrites: Vec<Overwrite>,
    /// Discord's channel flags, a bit set.
    pub flags: u64,
    /// The tags that a forum's posts may have.
    pub tags: Vec<Tag>,
    /// The thread data, if it is a thread.
    pub thread: Option<Thread>,
    /// By id, so oldest first; bounded.
    pub(super) messages: BTreeMap<Snowflake, Message>,
    /// The id of the latest message ever sent, even if it was deleted.
    pub(super) last_message: Option<Snowflake>,
}

/// A permission overwrite of one role or one member in one channel.
#[derive(Clone, Copy, Debug)]
pub struct Overwrite {
    /// The id of the role or user.
    pub id: Snowflake,
    /// Whether it applies to a member, not to a role.
    pub member: bool,
    /// Permissions allowed in the channel.
    pub allow: Permissions,
    /// Permissions denied in the channel.
    pub deny: Permissions,
}

impl Channel {
    /// A new empty channel of this kind.
    #[must_use]
    pub fn new(id: Snowflake, kind: u8, guild: Snowflake, name: &str) -> Self {
        Self {
            id,
            kind,
            guild,
            parent: None,
            name: name.to_owned(),
            topic: None,
            position: 0,
            overwrites: Vec::new(),
            flags: 0,
            tags: Vec::new(),
            thread: None,
            messages: BTreeMap::new(),
            last_message: None,
        }
    }

    /// Discord's channel object.
    #[must_use]
    pub fn object(&self) -> Value {
        let overwrites: Vec<Value> = self
            .overwrites
            .iter()
            .map(|one| json!({"id": one.id, "type": u8::from(one.member), "allow": one.allow, "deny": one.deny}))
            .collect();
        let mut object = json!({
            "id": self.id, "type": self.kind, "last_message_id": self.last_message, "flags": self.flags,
            "last_pin_timestamp": null, "guild_id": self.guild, "name": self.name, "parent_id": self.parent,
            "rate_limit_per_user": 0,
        });
        let rest = match &self.thread {
            Some(thread) => thread.facts(self.messages.len()),
            None => json!({
                "topic": self.topic, "position": self.position, "permission_overwrites": overwrites,
                "nsfw": false,
            }),
        };
        let forum = json!({
            "available_tags": self.tags.iter().map(Tag::object).collect::<Vec<_>>(),
            "default_reaction_emoji": null, "default_sort_order": null, "default_forum_layout": 0,
        });
        let forum = if self.kind == FORUM { forum } else { json!({}) };
        for (key, value) in [rest, forum].iter().filter_map(Value::as_object).flatten() {
            object[key] = value.clone();
        }
        object
    }

    /// Checks whether a user with `permissions` here may send a message at all.
    pub(super) fn check_may_send(&self, permissions: Permissions) -> Result<(), Refusal> {
        let needed = match &self.thread {
            Some(thread) if thread.locked && !permissions.has(Permission::ManageThreads) => {
                return Err(Refusal::ThreadLocked);
            }
            Some(_) => Permission::SendMessagesInThreads,
            None => Permission::SendMessages,
        };
        if !permissions.has(needed) {
            Err(Refusal::MissingPermissions)
        } else if self.kind == FORUM {
            Err(Refusal::ForumNeedsThread)
        } else if matches!(self.kind, TEXT | 2 | 5 | 10..=13) {
            Ok(())
        } else {
            Err(Refusal::NotText)
        }
    }

    /// Checks whether its content may be changed: not in an archived thread.
    pub(super) fn check_open(&self) -> Result<(), Refusal> {
        let archived = self.thread.as_ref().is_some_and(|thread| thread.archived);
        if archived { Err(Refusal::ThreadArchived) } else { Ok(()) }
    }
}

impl World {
    /// Creates a text channel below the existing ones.
    pub fn add_channel(&mut self, guild: Snowflake, name: &str, topic: &str, now: Timestamp) -> Snowflake {
        let id = self.mint(now);
        let topic = Some(topic.to_owned()).filter(|topic| !topic.is_empty());
        self.add_place(Channel { topic, ..Channel::new(id, TEXT, guild, name) })
    }

    /// Adds a channel of any kind below the existing ones.
    pub fn add_place(&mut self, mut channel: Channel) -> Snowflake {
        let id = channel.id;
        channel.position = self.channels().filter(|known| known.guild == channel.guild).count();
        self.dispatch("CHANNEL_CREATE", channel.object());
        self.channels.insert(id, channel);
        id
    }

    /// The category with this name, created if it does not exist.
    pub fn category(&mut self, guild: Snowflake, name: &str, now: Timestamp) -> Snowflake {
        let known = self.channels().find(|known| known.kind == CATEGORY && known.name == name);
        if let Some(id) = known.map(|known| known.id) {
            return id;
        }
        let id = self.mint(now);
        self.add_place(Channel::new(id, CATEGORY, guild, name))
    }

    /// All channels except threads, in creation order, which is display order.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values().filter(|channel| channel.thread.is_none())
    }

    /// All threads, by id.
    pub fn threads(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values().filter(|channel| channel.thread.is_some())
    }

    /// Changes a channel and dispatches the change.
    pub fn change_channel(
        &mut self,
        channel: Snowflake,
        change: impl FnOnce(&mut Channel),
    ) -> Result<Value, Refusal> {
        let channel = self.channels.get_mut(&channel).ok_or(Refusal::UnknownChannel)?;
        change(channel);
        let object = channel.object();
        let name = if channel.thread.is_some() { "THREAD_UPDATE" } else { "CHANNEL_UPDATE" };
        self.dispatch(name, object.clone());
        Ok(object)
    }

    /// The id of the first channel with this name.
    #[must_use]
    pub fn channel_named(&self, name: &str) -> Option<Snowflake> {
        self.channels.values().find(|channel| channel.name == name).map(|channel| channel.id)
    }

    /// The channel, if `user` can see it.
    pub fn channel(&self, user: Snowflake, channel: Snowflake) -> Result<&Channel, Refusal> {
        self.visible(user, channel).map(|(channel, _)| channel)
    }

    /// Checks whether `user` may show as typing in `channel`.
    pub fn may_type(&self, user: Snowflake, channel: Snowflake) -> Result<(), Refusal> {
        let (channel, permissions) = self.visible(user, channel)?;
        channel.check_may_send(permissions)
    }

    /// The channel, if `user` has `permission` in it.
    pub fn channel_with(
        &self,
        user: Snowflake,
        channel: Snowflake,
        permission: Permission,
    ) -> Result<&Channel, Refusal> {
        let (channel, permissions) = self.visible(user, channel)?;
        if permissions.has(permission) { Ok(channel) } else { Err(Refusal::MissingPermissions) }
    }

    /// Deletes a channel with its messages, webhooks and threads.
    pub fn delete_channel(&mut self, id: Snowflake) -> Result<Value, Refusal> {
        let channel = self.channels.remove(&id).ok_or(Refusal::UnknownChannel)?;
        let object = channel.object();
        if channel.thread.is_some() {
            let payload = json!({
                "id": id, "guild_id": channel.guild, "parent_id": channel.parent, "type": channel.kind,
            });
            self.dispatch("THREAD_DELETE", payload);
        } else {
            self.channels.retain(|_, thread| thread.thread.is_none() || thread.parent != Some(id));
            self.webhooks.retain(|_, webhook| webhook.channel != id);
            self.dispatch("CHANNEL_DELETE", object.clone());
        }
        Ok(object)
    }

    /// Denies `user` a permission in a channel, with an overwrite of the member's own.
    pub fn deny(&mut self, channel: Snowflake, user: Snowflake, permission: Permission) {
        let one = Permissions::of(&[permission]);
        self.overwrite(channel, user, |found| {
            found.deny = found.deny.with(one);
            found.allow = found.allow.without(one);
        });
    }

    /// Reverts [`World::deny`].
    pub fn undeny(&mut self, channel: Snowflake, user: Snowflake, permission: Permission) {
        self.overwrite(channel, user, |found| {
            found.deny = found.deny.without(Permissions::of(&[permission]))
        });
    }

    fn overwrite(&mut self, channel: Snowflake, user: Snowflake, change: impl FnOnce(&mut Overwrite)) {
        // A deleted channel has no overwrites.
        let _ = self.change_channel(channel, |channel| {
            let at = channel.overwrites.iter().position(|one| one.id == user).unwrap_or_else(|| {
                let none = Permissions::default();
                channel.overwrites.push(Overwrite { id: user, member: true, allow: none, deny: none });
                channel.overwrites.len() - 1
            });
            change(&mut channel.overwrites[at]);
        });
    }
}
