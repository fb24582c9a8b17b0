//! Channels, and what is overwritten in them for roles and members.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Message, Permission, Permissions, Refusal, Tag, Thread, World};
use crate::clock::Timestamp;
use crate::model::Snowflake;

/// Discord's type number of a text channel.
pub const TEXT: u8 = 0;
/// Discord's type number of a category: a place for channels.
const CATEGORY: u8 = 4;
/// Discord's type number of a forum: a place for threads alone.
pub const FORUM: u8 = 15;
/// The flag of forums whose posts need a tag.
pub const REQUIRE_TAG: u64 = 1 << 4;

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
    /// Discord's channel flags.
    pub flags: u64,
    /// A forum's tags.
    pub tags: Vec<Tag>,
    /// What makes it a thread, if it is one.
    pub thread: Option<Thread>,
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
    /// An empty channel of this kind.
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

    /// Whether somebody with `permissions` here may send a message at all.
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

    /// Whether what is in it may be changed: not in an archived thread.
    pub(super) fn check_open(&self) -> Result<(), Refusal> {
        let archived = self.thread.as_ref().is_some_and(|thread| thread.archived);
        if archived { Err(Refusal::ThreadArchived) } else { Ok(()) }
    }
}

impl World {
    /// A new text channel below those there are.
    pub fn add_channel(&mut self, guild: Snowflake, name: &str, topic: &str, now: Timestamp) -> Snowflake {
        let id = self.mint(now);
        let topic = Some(topic.to_owned()).filter(|topic| !topic.is_empty());
        self.add_place(Channel { topic, ..Channel::new(id, TEXT, guild, name) })
    }

    /// A new channel of whatever kind, below those there are.
    pub fn add_place(&mut self, mut channel: Channel) -> Snowflake {
        let id = channel.id;
        channel.position = self.channels().filter(|known| known.guild == channel.guild).count();
        self.dispatch("CHANNEL_CREATE", channel.object());
        self.channels.insert(id, channel);
        id
    }

    /// The category of this name, which is made if it is not there.
    pub fn category(&mut self, guild: Snowflake, name: &str, now: Timestamp) -> Snowflake {
        let known = self.channels().find(|known| known.kind == CATEGORY && known.name == name);
        if let Some(id) = known.map(|known| known.id) {
            return id;
        }
        let id = self.mint(now);
        self.add_place(Channel::new(id, CATEGORY, guild, name))
    }

    /// All channels but threads, in the order they were made, which is the order they are shown in.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values().filter(|channel| channel.thread.is_none())
    }

    /// All threads, in the order of their ids.
    pub fn threads(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values().filter(|channel| channel.thread.is_some())
    }

    /// Changes a channel and tells everybody.
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
        let (channel, permissions) = self.visible(user, channel)?;
        channel.check_may_send(permissions)
    }

    /// A channel in which `user` has `permission`.
    pub fn channel_with(
        &self,
        user: Snowflake,
        channel: Snowflake,
        permission: Permission,
    ) -> Result<&Channel, Refusal> {
        let (channel, permissions) = self.visible(user, channel)?;
        if permissions.has(permission) { Ok(channel) } else { Err(Refusal::MissingPermissions) }
    }

    /// Takes a channel away with all that is in it: its messages, webhooks and threads.
    pub fn delete_channel(&mut self, id: Snowflake) -> Result<Value, Refusal> {
        let channel = self.channels.remove(&id).ok_or(Refusal::UnknownChannel)?;
        let object = channel.object();
        if channel.thread.is_some() {
            let told = json!({
                "id": id, "guild_id": channel.guild, "parent_id": channel.parent, "type": channel.kind,
            });
            self.dispatch("THREAD_DELETE", told);
        } else {
            self.channels.retain(|_, thread| thread.thread.is_none() || thread.parent != Some(id));
            self.webhooks.retain(|_, webhook| webhook.channel != id);
            self.dispatch("CHANNEL_DELETE", object.clone());
        }
        Ok(object)
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
        // A channel that is gone has nothing to overwrite.
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
