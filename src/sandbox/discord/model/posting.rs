//! Message operations: creating, reading, editing and deleting.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::nonce::Used;
use super::{
    AllowedMentions, Byline, Channel, Draft, Edit, Guild, Mentions, Message, Permission, Permissions,
    Refusal, World,
};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// How many messages a channel keeps; older ones are dropped, as if they had been deleted long ago.
const KEPT: usize = 5_000;
/// The maximum age of messages in a bulk delete.
const BULK_DELETABLE: Duration = Duration::from_secs(14 * 86_400);

/// The result of posting a draft.
#[derive(Clone, Debug, PartialEq)]
pub enum Posted {
    /// A new message was created.
    Made(Value),
    /// The earlier message with this nonce; nothing was created.
    Found(Value),
}

/// Which messages of a channel to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The newest.
    Latest,
    /// Those just before this id.
    Before(Snowflake),
    /// Those just after this id.
    After(Snowflake),
    /// Those around this id, including it.
    Around(Snowflake),
}

impl World {
    /// Posts a message as `author`.
    pub fn post(
        &mut self,
        author: Snowflake,
        channel: Snowflake,
        mut draft: Draft,
        now: Timestamp,
    ) -> Result<Posted, Refusal> {
        let (place, permissions) = self.visible(author, channel)?;
        place.check_may_send(permissions)?;
        self.check_may_show(permissions, &draft)?;
        let nonce = draft.nonce.as_ref().map(|nonce| nonce.as_str().map_or(nonce.to_string(), str::to_owned));
        if let Some(nonce) = nonce.as_deref().filter(|_| draft.enforce_nonce)
            && let Some(used) = self.nonces.find(author, nonce, now)
        {
            let (channel, message) = self.find(used.channel, used.message)?;
            return Ok(Posted::Found(with_nonce(self.message_object(channel, message), &message.draft)));
        }
        let replied = self.replied_to(channel, permissions, &draft)?;
        // A reply to a missing message that need not exist becomes a plain message.
        draft.reference = draft.reference.filter(|_| replied.is_some());
        let mentions = self.mentions(channel, permissions, &draft, replied);
        let message = self.compose(author, draft, mentions, Byline::default(), now);
        if let Some(nonce) = nonce {
            self.nonces.remember(author, nonce, Used { channel, message: message.id, at: now });
        }
        self.put(channel, message, now).map(Posted::Made)
    }

    /// Builds a message with an id, not yet stored.
    pub(super) fn compose(
        &mut self,
        author: Snowflake,
        mut draft: Draft,
        mentions: Mentions,
        byline: Byline,
        now: Timestamp,
    ) -> Message {
        for file in &mut draft.files {
            file["id"] = json!(self.mint(now));
        }
        let id = self.mint(now);
        let (reactions, pinned) = (Vec::new(), None);
        Message { id, author, draft, mentions, at: now, edited: None, byline, reactions, pinned }
    }

    /// Stores a message in its channel; an archived thread is unarchived.
    pub(super) fn put(
        &mut self,
        channel: Snowflake,
        message: Message,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        self.unarchive(channel, message.author, now);
        let id = message.id;
        self.keep(channel, message);
        let (channel, message) = self.find(channel, id)?;
        let answer = with_nonce(self.message_object(channel, message), &message.draft);
        let dispatch = with_nonce(self.dispatched_object(channel, message), &message.draft);
        self.dispatch("MESSAGE_CREATE", dispatch);
        Ok(answer)
    }

    /// Edits a message of the author's own.
    pub fn edit(
        &mut self,
        author: Snowflake,
        channel: Snowflake,
        id: Snowflake,
        edit: Edit,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        let (place, permissions) = self.visible(author, channel)?;
        let (_, message) = self.find(channel, id)?;
        if message.author != author {
            return Err(Refusal::NotTheAuthor);
        }
        place.check_open()?;
        let draft = message.draft.edited(edit)?;
        let mentions = self.mentions(channel, permissions, &draft, None);
        if let Some(message) = self.channels.get_mut(&channel).and_then(|found| found.messages.get_mut(&id)) {
            *message = Message { draft, mentions, edited: Some(now), ..message.clone() };
        }
        self.changed(channel, id)
    }

    /// Dispatches an edited message, and returns its object.
    pub(super) fn changed(&mut self, channel: Snowflake, id: Snowflake) -> Result<Value, Refusal> {
        let (channel, message) = self.find(channel, id)?;
        let (answer, dispatch) =
            (self.message_object(channel, message), self.dispatched_object(channel, message));
        self.dispatch("MESSAGE_UPDATE", dispatch);
        Ok(answer)
    }

    /// The flags of a message that `author` wants to edit: they decide what an edit may contain.
    pub fn flags(&self, author: Snowflake, channel: Snowflake, id: Snowflake) -> Result<u64, Refusal> {
        self.visible(author, channel)?;
        self.find(channel, id).map(|(_, message)| message.draft.flags)
    }

    /// Deletes a message: the user's own, or with Manage Messages any.
    pub fn delete(&mut self, user: Snowflake, channel: Snowflake, id: Snowflake) -> Result<(), Refusal> {
        let (_, permissions) = self.visible(user, channel)?;
        let (_, message) = self.find(channel, id)?;
        if message.author != user && !permissions.has(Permission::ManageMessages) {
            return Err(Refusal::MissingPermissions);
        }
        self.remove(channel, id);
        Ok(())
    }

    /// Bulk delete; messages that do not exist are skipped (Discord: "Bulk Delete Messages").
    pub fn delete_all(
        &mut self,
        user: Snowflake,
        channel: Snowflake,
        mut ids: Vec<Snowflake>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let (place, permissions) = self.visible(user, channel)?;
        if !permissions.has(Permission::ManageMessages) {
            return Err(Refusal::MissingPermissions);
        }
        let guild = place.guild;
        if ids.iter().any(|id| now.since(id.created_at()) > BULK_DELETABLE) {
            return Err(Refusal::TooOldToDelete);
        }
        if let Some(channel) = self.channels.get_mut(&channel) {
            ids.retain(|id| channel.messages.remove(id).is_some());
        }
        self.dispatch("MESSAGE_DELETE_BULK", json!({"ids": ids, "channel_id": channel, "guild_id": guild}));
        Ok(())
    }

    /// Removes a message.
    pub(super) fn remove(&mut self, channel: Snowflake, id: Snowflake) {
        let guild = self.channels.get_mut(&channel).map(|found| {
            found.messages.remove(&id);
            found.guild
        });
        self.dispatch("MESSAGE_DELETE", json!({"id": id, "channel_id": channel, "guild_id": guild}));
    }

    /// One message, if `user` may read it.
    pub fn message(&self, user: Snowflake, channel: Snowflake, id: Snowflake) -> Result<Value, Refusal> {
        let (_, permissions) = self.visible(user, channel)?;
        if !permissions.has(Permission::ReadMessageHistory) {
            return Err(Refusal::MissingAccess);
        }
        let (channel, message) = self.find(channel, id)?;
        Ok(self.message_object(channel, message))
    }

    /// At most `limit` messages, newest first; none without Read Message History (Discord: "Get Channel Messages").
    pub fn page(
        &self,
        user: Snowflake,
        channel: Snowflake,
        page: Page,
        limit: usize,
    ) -> Result<Vec<Value>, Refusal> {
        let (channel, permissions) = self.visible(user, channel)?;
        if !permissions.has(Permission::ReadMessageHistory) {
            return Ok(Vec::new());
        }
        let next = |id: Snowflake| Snowflake::new(id.get().saturating_add(1));
        let mut ids: Vec<Snowflake> = match page {
            Page::Latest => channel.messages.keys().rev().take(limit).copied().collect(),
            Page::Before(id) => channel.messages.range(..id).rev().take(limit).map(|(id, _)| *id).collect(),
            Page::After(id) => channel.messages.range(next(id)..).take(limit).map(|(id, _)| *id).collect(),
            Page::Around(id) => {
                let before = channel.messages.range(..=id).rev().take(limit / 2 + 1);
                let after = channel.messages.range(next(id)..).take(limit / 2);
                before.chain(after).map(|(id, _)| *id).take(limit).collect()
            }
        };
        ids.sort_unstable_by(|a, b| b.cmp(a));
        let found = ids.iter().filter_map(|id| channel.messages.get(id));
        Ok(found.map(|message| self.message_object(channel, message)).collect())
    }

    /// How many messages a channel holds, without a permission check.
    #[must_use]
    pub fn message_count(&self, channel: Snowflake) -> usize {
        self.channels.get(&channel).map_or(0, |channel| channel.messages.len())
    }

    /// The last `limit` messages of a channel, oldest first, without a permission check.
    #[must_use]
    pub fn history(&self, channel: Snowflake, limit: usize) -> Vec<Value> {
        let Some(channel) = self.channels.get(&channel) else { return Vec::new() };
        let skipped = channel.messages.len().saturating_sub(limit);
        channel.messages.values().skip(skipped).map(|message| self.message_object(channel, message)).collect()
    }

    /// Checks whether a user with `permissions` may send the content of `draft`, and whether it is not empty.
    pub(super) fn check_may_show(&self, permissions: Permissions, draft: &Draft) -> Result<(), Refusal> {
        let may = |permission| permissions.has(permission);
        if (!draft.embeds.is_empty() && !may(Permission::EmbedLinks))
            || (!draft.files.is_empty() && !may(Permission::AttachFiles))
        {
            return Err(Refusal::MissingPermissions);
        }
        if draft.is_empty() { Err(Refusal::EmptyMessage) } else { Ok(()) }
    }

    /// The author of the message that `draft` replies to. A reply to a missing message is refused, unless it need not
    /// exist.
    fn replied_to(
        &self,
        channel: Snowflake,
        permissions: Permissions,
        draft: &Draft,
    ) -> Result<Option<Snowflake>, Refusal> {
        let Some(reference) = draft.reference else { return Ok(None) };
        if !permissions.has(Permission::ReadMessageHistory) {
            return Err(Refusal::NoReplyWithoutHistory);
        }
        if reference.channel.is_some_and(|named| named != channel) {
            return Err(reply_refused(
                "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL",
                "Cannot reply to a message in a different channel",
            ));
        }
        match self.find(channel, reference.message) {
            Ok((_, message)) => Ok(Some(message.author)),
            Err(_) if !reference.must_exist => Ok(None),
            Err(_) => Err(reply_refused("REPLIES_UNKNOWN_MESSAGE", "Unknown message")),
        }
    }

    /// The mentions that `draft` pings when sent with `permissions`; all of them by default.
    pub(super) fn mentions(
        &self,
        channel: Snowflake,
        permissions: Permissions,
        draft: &Draft,
        replied: Option<Snowflake>,
    ) -> Mentions {
        let allowed = draft.allowed_mentions.clone().unwrap_or_else(AllowedMentions::all);
        let guild = self.channels.get(&channel).and_then(|found| self.guilds.get(&found.guild));
        guild.map_or_else(Mentions::default, |guild: &Guild| {
            Mentions::resolve(&draft.content, &allowed, guild, permissions, replied)
        })
    }

    fn keep(&mut self, channel: Snowflake, message: Message) {
        let Some(channel) = self.channels.get_mut(&channel) else { return };
        channel.last_message = Some(message.id);
        channel.messages.insert(message.id, message);
        if channel.messages.len() > KEPT {
            channel.messages.pop_first();
        }
    }

    /// A message of a channel, with the channel.
    pub(in crate::sandbox::discord) fn find(
        &self,
        channel: Snowflake,
        id: Snowflake,
    ) -> Result<(&Channel, &Message), Refusal> {
        let channel = self.channels.get(&channel).ok_or(Refusal::UnknownMessage)?;
        channel.messages.get(&id).map(|message| (channel, message)).ok_or(Refusal::UnknownMessage)
    }
}

impl Draft {
    /// The draft after `edit`; refused with 50006 if nothing would be left.
    pub(super) fn edited(&self, edit: Edit) -> Result<Self, Refusal> {
        let mut draft = self.clone();
        draft.content = edit.content.unwrap_or(draft.content);
        draft.embeds = edit.embeds.unwrap_or(draft.embeds);
        draft.components = edit.components.unwrap_or(draft.components);
        draft.flags = edit.flags.unwrap_or(draft.flags);
        draft.allowed_mentions = edit.allowed_mentions;
        if draft.is_empty() { Err(Refusal::EmptyMessage) } else { Ok(draft) }
    }

    /// Whether it has no content at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.content.is_empty()
            && self.embeds.is_empty()
            && self.components.is_empty()
            && self.files.is_empty()
    }
}

fn with_nonce(mut object: Value, draft: &Draft) -> Value {
    if let Some(nonce) = &draft.nonce {
        object["nonce"] = nonce.clone();
    }
    object
}

fn reply_refused(code: &str, message: &str) -> Refusal {
    let errors = json!({"_errors": [{"code": code, "message": message}]});
    Refusal::Form(Map::from_iter([("message_reference".to_owned(), errors)]))
}
