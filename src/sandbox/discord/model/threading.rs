//! Opening, changing and listing threads.

use serde_json::{Value, json};

use super::channel::{FORUM, REQUIRE_TAG, TEXT};
use super::{
    Byline, Channel, Opening, PRIVATE_THREAD, PUBLIC_THREAD, Permission, Refusal, Thread, World, iso,
};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// Discord's type numbers of an announcement channel and of its threads.
const ANNOUNCEMENT: u8 = 5;
const ANNOUNCEMENT_THREAD: u8 = 10;

impl World {
    /// Opens a thread from a message; it gets the message's id (Discord: "Start Thread from Message").
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

    /// Opens a thread without a message: private unless another type is given (Discord: "Start Thread without
    /// Message").
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

    /// Posts into a forum: opens a thread whose first message has its id (Discord: "Start Thread in Forum"). Returns
    /// the thread with its `message`.
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
            // A forum's last message is its newest thread.
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
        let mut payload = object.clone();
        payload["newly_created"] = true.into();
        self.dispatch("THREAD_CREATE", payload);
        Ok(object)
    }

    /// Applies a message of `author` to its thread: the thread is unarchived, and the author joins it.
    pub(super) fn unarchive(&mut self, channel: Snowflake, author: Snowflake, now: Timestamp) {
        let is_user = self.users.contains_key(&author);
        let Some(thread) = self.channels.get_mut(&channel).and_then(|found| found.thread.as_mut()) else {
            return;
        };
        if is_user && !thread.members.contains(&author) {
            thread.members.push(author);
        }
        if thread.archived {
            // The channel was found above.
            let _ = self.change_channel(channel, |channel| {
                if let Some(thread) = channel.thread.as_mut() {
                    (thread.archived, thread.archived_at) = (false, now);
                }
            });
        }
    }

    /// The thread data of a channel, to be changed.
    pub fn thread_mut(&mut self, channel: Snowflake) -> Result<&mut Thread, Refusal> {
        let place = self.channels.get_mut(&channel).ok_or(Refusal::UnknownChannel)?;
        place.thread.as_mut().ok_or(Refusal::WrongChannelKind)
    }

    /// Dispatches a change of a thread's members; `count` is their new number.
    pub fn dispatch_thread_members(&mut self, channel: Snowflake, count: Value) {
        let guild = self.channels.get(&channel).map(|channel| channel.guild);
        let payload = json!({"id": channel, "guild_id": guild, "member_count": count});
        self.dispatch("THREAD_MEMBERS_UPDATE", payload);
    }

    /// Discord's thread member object of a member of the thread.
    pub fn thread_member(&self, thread: Snowflake, user: Snowflake) -> Result<Value, Refusal> {
        let found = self.channels.get(&thread).ok_or(Refusal::UnknownChannel)?;
        let facts = found.thread.as_ref().ok_or(Refusal::WrongChannelKind)?;
        if !facts.members.contains(&user) {
            return Err(Refusal::UnknownMember);
        }
        Ok(json!({"id": thread, "user_id": user, "join_timestamp": iso(facts.opened), "flags": 0}))
    }

    /// Threads visible to `user` that `chosen` accepts, with that user's memberships.
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
