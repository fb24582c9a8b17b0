//! Messages: what was asked for, what became of it, and how it is shown.

use serde_json::{Value, json};

use super::{AllowedMentions, Channel, Mentions, World, iso};
use crate::clock::Timestamp;
use crate::model::Snowflake;

/// A message somebody wants to send, checked and trimmed.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The text, at most 2,000 characters.
    pub content: String,
    /// Embeds, in the form they are shown in.
    pub embeds: Vec<Value>,
    /// Components, in the form they are shown in.
    pub components: Vec<Value>,
    /// Files, as attachment objects without id and address.
    pub files: Vec<Value>,
    /// Who may be pinged; everybody if nothing is said.
    pub allowed_mentions: Option<AllowedMentions>,
    /// A number or a text of at most 25 characters.
    pub nonce: Option<Value>,
    /// Whether an earlier message with the nonce is to be returned instead.
    pub enforce_nonce: bool,
    /// Read aloud.
    pub tts: bool,
    /// Discord's message flags.
    pub flags: u64,
    /// What it replies to.
    pub reference: Option<Reference>,
}

/// The message that a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its channel, if it was named.
    pub channel: Option<Snowflake>,
    /// Its id.
    pub message: Snowflake,
    /// Whether the reply is refused when it is not there.
    pub must_exist: bool,
}

/// A change somebody wants to make to a message; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The text.
    pub content: Option<String>,
    /// The embeds.
    pub embeds: Option<Vec<Value>>,
    /// The components.
    pub components: Option<Vec<Value>>,
    /// Who may be pinged.
    pub allowed_mentions: Option<AllowedMentions>,
    /// The flags.
    pub flags: Option<u64>,
}

/// A message in a channel.
#[derive(Clone, Debug)]
pub struct Message {
    /// The id.
    pub id: Snowflake,
    /// The author.
    pub author: Snowflake,
    /// What it says.
    pub draft: Draft,
    /// Whom it pings.
    pub mentions: Mentions,
    /// When it was made.
    pub at: Timestamp,
    /// When it was changed last.
    pub edited: Option<Timestamp>,
}

impl Message {
    /// Discord's type number: 0 for a plain message, 19 for a reply.
    fn kind(&self) -> u8 {
        if self.draft.reference.is_some() { 19 } else { 0 }
    }
}

impl World {
    /// Discord's message object, as REST answers it. The nonce is echoed in the answer to its making and in the
    /// dispatch, not to later readers.
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
        let draft = &message.draft;
        json!({
            "id": message.id, "channel_id": channel.id, "type": message.kind(), "content": draft.content,
            "author": user(&message.author), "timestamp": iso(message.at),
            "edited_timestamp": message.edited.map(iso), "tts": draft.tts, "pinned": false, "flags": draft.flags,
            "mentions": message.mentions.users.iter().filter_map(user).collect::<Vec<_>>(),
            "mention_roles": message.mentions.roles, "mention_everyone": message.mentions.everyone,
            "attachments": draft.files, "embeds": draft.embeds, "components": draft.components,
        })
    }
}
