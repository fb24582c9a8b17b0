//! Message objects: messages as Discord's JSON.

use serde_json::{Value, json};

use super::{Channel, Message, Reaction, World, iso};
use crate::sandbox::Snowflake;

/// The flag of messages that a thread was opened from.
const HAS_THREAD: u64 = 1 << 5;

impl Message {
    /// Discord's type number: 0 for a plain message, 19 for a reply, otherwise from its interaction.
    fn kind(&self) -> u8 {
        let plain = if self.draft.reference.is_some() { 19 } else { 0 };
        self.byline.interaction.as_ref().map_or(plain, |origin| origin.kind)
    }
}

impl World {
    /// Discord's message object, as REST returns it. The nonce is only in the answer to the creation and in its
    /// dispatch, not in later reads.
    #[must_use]
    pub fn message_object(&self, channel: &Channel, message: &Message) -> Value {
        let mut object = self.plain_object(channel, message);
        if let Some(reference) = message.draft.reference {
            object["message_reference"] = json!({
                "type": 0, "channel_id": channel.id, "message_id": reference.message, "guild_id": channel.guild,
            });
            let referenced = channel.messages.get(&reference.message);
            object["referenced_message"] =
                referenced.map_or(Value::Null, |referenced| self.plain_object(channel, referenced));
        }
        object
    }

    /// A message object as `MESSAGE_CREATE` and `MESSAGE_UPDATE` carry it: with the guild and the author's member.
    pub(super) fn dispatched_object(&self, channel: &Channel, message: &Message) -> Value {
        let mut object = self.message_object(channel, message);
        object["guild_id"] = json!(channel.guild);
        let guild = self.guilds.get(&channel.guild);
        if let Some(member) = guild.and_then(|guild| guild.members.get(&message.author)) {
            object["member"] = member.partial_object();
        }
        object["channel_type"] = channel.kind.into();
        object
    }

    fn plain_object(&self, channel: &Channel, message: &Message) -> Value {
        let user = |id: &Snowflake| self.users.get(id).map(super::User::object);
        let (draft, byline) = (&message.draft, &message.byline);
        // The first message of a forum post shares the post's id and is inside that thread.
        let thread = self.channels.get(&message.id).filter(|thread| thread.id != channel.id);
        let flags = draft.flags | if thread.is_some() { HAS_THREAD } else { 0 };
        let mut object = json!({
            "id": message.id, "channel_id": channel.id, "type": message.kind(), "content": draft.content,
            "author": self.author_object(message), "timestamp": iso(message.at),
            "edited_timestamp": message.edited.map(iso), "tts": draft.tts, "pinned": message.pinned.is_some(),
            "flags": flags,
            "mentions": message.mentions.users.iter().filter_map(user).collect::<Vec<_>>(),
            "mention_roles": message.mentions.roles, "mention_everyone": message.mentions.everyone,
            "attachments": draft.files, "embeds": draft.embeds, "components": draft.components,
        });
        let mut with = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                object[key] = value;
            }
        };
        with("webhook_id", byline.webhook.map(|id| json!(id)));
        with("application_id", byline.application.map(|id| json!(id)));
        with("interaction", byline.interaction.as_ref().and_then(|origin| origin.short.clone()));
        with("interaction_metadata", byline.interaction.as_ref().map(|origin| origin.metadata.clone()));
        let reactions: Value = message.reactions.iter().map(Reaction::object).collect();
        with("reactions", Some(reactions).filter(|_| !message.reactions.is_empty()));
        with("thread", thread.map(Channel::object));
        object
    }

    /// The author: a user, or the name and avatar that a webhook used.
    fn author_object(&self, message: &Message) -> Value {
        let guise = message.byline.guise.as_ref().map(|(name, picture)| {
            json!({
                "id": message.author, "username": name, "avatar": picture, "discriminator": "0000",
                "public_flags": 0, "flags": 0, "bot": true, "global_name": null, "primary_guild": null,
            })
        });
        guise.or_else(|| self.users.get(&message.author).map(super::User::object)).unwrap_or(Value::Null)
    }
}
