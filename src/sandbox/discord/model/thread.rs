//! Threads: channels within channels, opened from a message, by themselves, or as the posts of a forum.

use serde_json::{Value, json};

use super::channel::{FORUM, REQUIRE_TAG, TEXT};
use super::{Byline, Channel, Draft, Permission, Refusal, World, iso};
use crate::clock::Timestamp;
use crate::model::Snowflake;

/// Discord's type number of a thread that everybody sees.
pub const PUBLIC_THREAD: u8 = 11;
/// Discord's type number of a thread that only its members see.
pub const PRIVATE_THREAD: u8 = 12;
/// Discord's type number of an announcement channel, and of its threads.
const ANNOUNCEMENT: u8 = 5;
const ANNOUNCEMENT_THREAD: u8 = 10;

/// What a thread has beyond other channels.
#[derive(Clone, Debug)]
pub struct Thread {
    /// Who opened it.
    pub owner: Snowflake,
    /// When.
    pub opened: Timestamp,
    /// Whether it is put away. A message brings it back.
    pub archived: bool,
    /// When that changed last.
    pub archived_at: Timestamp,
    /// Whether only moderators may bring it back.
    pub locked: bool,
    /// Minutes of silence after which it is put away (the sandbox never does it by itself).
    pub auto_archive: i64,
    /// Whether everybody may invite to a private one.
    pub invitable: bool,
    /// A forum post's tags.
    pub tags: Vec<Snowflake>,
    /// Who is in it.
    pub members: Vec<Snowflake>,
}

/// What a forum's posts can be marked with.
#[derive(Clone, Debug)]
pub struct Tag {
    /// The id.
    pub id: Snowflake,
    /// The name.
    pub name: String,
}

impl Tag {
    /// Discord's forum tag object.
    #[must_use]
    pub fn object(&self) -> Value {
        json!({"id": self.id, "name": self.name, "moderated": false, "emoji_id": null, "emoji_name": null})
    }
}

/// A thread somebody wants to open, checked.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// The name.
    pub name: String,
    /// Discord's type number, if one was given.
    pub kind: Option<u8>,
    /// Minutes until it is put away.
    pub auto_archive: i64,
    /// Whether everybody may invite to it.
    pub invitable: bool,
    /// A forum post's tags.
    pub tags: Vec<Snowflake>,
    /// A forum post's message.
    pub message: Option<Draft>,
}

impl Thread {
    fn new(owner: Snowflake, opening: &Opening, now: Timestamp) -> Self {
        Self {
            owner,
            opened: now,
            archived: false,
            archived_at: now,
            locked: false,
            auto_archive: opening.auto_archive,
            invitable: opening.invitable,
            tags: opening.tags.clone(),
            members: vec![owner],
        }
    }

    /// What a thread's channel object has that others have not.
    pub(super) fn facts(&self, messages: usize) -> Value {
        json!({
            "owner_id": self.owner,
            "thread_metadata": {
                "archived": self.archived, "archive_timestamp": iso(self.archived_at),
                "auto_archive_duration": self.auto_archive, "locked": self.locked,
                "create_timestamp": iso(self.opened), "invitable": self.invitable,
            },
            "message_count": messages, "member_count": self.members.len(), "total_message_sent": messages,
            "applied_tags": self.tags,
        })
    }
}

impl World {
    /// Opens a thread from a message; it has the message's id (Discord: "Start Thread from Message").
    pub fn open_thread_from(
        &mut self,
        user: Snowflake,
        channel: Snowflake,
        message: Snowflake,
        opening: Opening,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let place = self.channel_with(user, channel, Permission::CreatePublicThreads)?;
        let kind = match place.kind {
            TEXT => PUBLIC_THREAD,
            ANNOUNCEMENT => ANNOUNCEMENT_THREAD,
            _ => return Err(Refusal::WrongChannelKind),
        };
        self.find(channel, message)?;
        if self.channels.contains_key(&message) {
            return Err(Refusal::ThreadExists);
        }
        let object = self.add_thread(user, channel, message, kind, &opening, now)?;
        self.changed(channel, message)?;
        Ok(object)
    }

    /// Opens a thread by itself: private unless another type is asked for (Discord: "Start Thread without Message").
    pub fn open_thread(
        &mut self,
        user: Snowflake,
        channel: Snowflake,
        opening: Opening,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let place = self.channel(user, channel)?;
        let kind = opening.kind.unwrap_or(PRIVATE_THREAD);
        let fits = match place.kind {
            TEXT => matches!(kind, PUBLIC_THREAD | PRIVATE_THREAD),
            ANNOUNCEMENT => kind == ANNOUNCEMENT_THREAD,
            _ => false,
        };
        if !fits {
            return Err(Refusal::WrongChannelKind);
        }
        let private = kind == PRIVATE_THREAD;
        let needed = if private { Permission::CreatePrivateThreads } else { Permission::CreatePublicThreads };
        self.channel_with(user, channel, needed)?;
        let id = self.mint(now);
        self.add_thread(user, channel, id, kind, &opening, now)
    }

    /// Posts into a forum: a thread whose first message has its id (Discord: "Start Thread in Forum"). The answer
    /// is the thread with its `message`.
    pub fn open_post(
        &mut self,
        user: Snowflake,
        channel: Snowflake,
        opening: Opening,
        byline: Byline,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let place = self.channels.get(&channel).ok_or(Refusal::UnknownChannel)?;
        if place.kind != FORUM {
            return Err(Refusal::WrongChannelKind);
        }
        let draft = opening.message.clone().unwrap_or_default();
        if draft.is_empty() {
            return Err(Refusal::EmptyMessage);
        }
        if place.flags & REQUIRE_TAG != 0 && opening.tags.is_empty() {
            return Err(Refusal::TagRequired);
        }
        if opening.tags.iter().any(|tag| place.tags.iter().all(|known| known.id != *tag)) {
            return Err(Refusal::at("applied_tags", "FORUM_TAG_UNKNOWN", "Unknown forum tag"));
        }
        let permissions = self.permissions(user, place);
        let mentions = self.mentions(channel, permissions, &draft, None);
        let message = self.compose(user, draft, mentions, byline, now);
        let id = message.id;
        let mut object = self.add_thread(user, channel, id, PUBLIC_THREAD, &opening, now)?;
        object["message"] = self.put(id, message, now)?;
        if let Some(forum) = self.channels.get_mut(&channel) {
            // A forum's last message is its last thread.
            forum.last_message = Some(id);
        }
        Ok(object)
    }

    fn add_thread(
        &mut self,
        owner: Snowflake,
        parent: Snowflake,
        id: Snowflake,
        kind: u8,
        opening: &Opening,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let guild = self.channels.get(&parent).ok_or(Refusal::UnknownChannel)?.guild;
        let thread = Thread::new(owner, opening, now);
        let channel = Channel {
            parent: Some(parent),
            thread: Some(thread),
            ..Channel::new(id, kind, guild, &opening.name)
        };
        let object = channel.object();
        self.channels.insert(id, channel);
        let mut told = object.clone();
        told["newly_created"] = true.into();
        self.dispatch("THREAD_CREATE", told);
        Ok(object)
    }

    /// What a message of `author` does to the thread it is sent to: it comes back, and they are in it.
    pub(super) fn unarchive(&mut self, channel: Snowflake, author: Snowflake, now: Timestamp) {
        let is_user = self.users.contains_key(&author);
        let Some(thread) = self.channels.get_mut(&channel).and_then(|found| found.thread.as_mut()) else {
            return;
        };
        if is_user && !thread.members.contains(&author) {
            thread.members.push(author);
        }
        if thread.archived {
            // It was found above.
            let _ = self.change_channel(channel, |channel| {
                if let Some(thread) = channel.thread.as_mut() {
                    (thread.archived, thread.archived_at) = (false, now);
                }
            });
        }
    }

    /// What makes a channel a thread, to be changed.
    pub fn thread_mut(&mut self, channel: Snowflake) -> Result<&mut Thread, Refusal> {
        let place = self.channels.get_mut(&channel).ok_or(Refusal::UnknownChannel)?;
        place.thread.as_mut().ok_or(Refusal::WrongChannelKind)
    }

    /// Tells that the members of a thread changed; `count` is how many there are now.
    pub fn tell_thread_members(&mut self, channel: Snowflake, count: Value) {
        let guild = self.channels.get(&channel).map(|channel| channel.guild);
        let told = json!({"id": channel, "guild_id": guild, "member_count": count});
        self.dispatch("THREAD_MEMBERS_UPDATE", told);
    }

    /// Discord's thread member object of somebody who is in the thread.
    pub fn thread_member(&self, thread: Snowflake, user: Snowflake) -> Result<Value, Refusal> {
        let found = self.channels.get(&thread).ok_or(Refusal::UnknownChannel)?;
        let facts = found.thread.as_ref().ok_or(Refusal::WrongChannelKind)?;
        if !facts.members.contains(&user) {
            return Err(Refusal::UnknownMember);
        }
        Ok(json!({"id": thread, "user_id": user, "join_timestamp": iso(facts.opened), "flags": 0}))
    }

    /// Threads that `user` sees, of one guild or in one channel, with that user's memberships.
    #[must_use]
    pub fn list_threads(&self, user: Snowflake, chosen: impl Fn(&Channel, &Thread) -> bool) -> Value {
        let seen = |channel: &&Channel| {
            channel.thread.as_ref().is_some_and(|thread| chosen(channel, thread))
                && self.visible(user, channel.id).is_ok()
        };
        // Newest first, as Discord lists them.
        let mut found: Vec<&Channel> = self.threads().filter(seen).collect();
        found.reverse();
        let members: Vec<Value> =
            found.iter().filter_map(|channel| self.thread_member(channel.id, user).ok()).collect();
        let threads: Vec<Value> = found.iter().map(|channel| channel.object()).collect();
        json!({"threads": threads, "members": members, "has_more": false})
    }
}
