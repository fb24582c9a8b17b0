//! Messages: what was asked for, what became of it, and how it is shown.

use serde_json::{Value, json};

use super::{AllowedMentions, Channel, Mentions, World, iso};
use crate::clock::Timestamp;
use crate::model::Snowflake;

/// The flag of messages that a thread was opened from.
const HAS_THREAD: u64 = 1 << 5;
/// The flag of messages that only the one who asked for them sees.
pub const EPHEMERAL: u64 = 1 << 6;
/// The flag of answers that are still to come: the application "is thinking".
pub(super) const LOADING: u64 = 1 << 7;

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
    /// How it came to be, if not simply by its author.
    pub byline: Byline,
    /// What people put under it: the emoji and who did, in the order of the first of each.
    pub reactions: Vec<Reaction>,
    /// Since when it has been pinned.
    pub pinned: Option<Timestamp>,
}

/// How a message came to be that did not simply come from its author.
#[derive(Clone, Debug, Default)]
pub struct Byline {
    /// The webhook it came through; for an answer to an interaction the application, as Discord has it.
    pub webhook: Option<Snowflake>,
    /// The name and picture that the webhook showed itself with.
    pub guise: Option<(String, Option<String>)>,
    /// The application it belongs to.
    pub application: Option<Snowflake>,
    /// The interaction it answers.
    pub interaction: Option<Origin>,
    /// The only one who may see it.
    pub only_for: Option<Snowflake>,
}

/// The interaction that a message answers.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Its id.
    pub id: Snowflake,
    /// Discord's type number of the message: 20 after a slash command, 23 after one of a context menu, 19 after a
    /// click.
    pub kind: u8,
    /// The older, short form; slash commands only.
    pub short: Option<Value>,
    /// Discord's message interaction metadata object.
    pub metadata: Value,
}

/// An emoji under a message.
#[derive(Clone, Debug)]
pub struct Reaction {
    /// A unicode emoji, or `name:id`.
    pub emoji: String,
    /// Who put it there, in their order.
    pub users: Vec<Snowflake>,
}

impl Reaction {
    /// Discord's partial emoji object.
    #[must_use]
    pub fn emoji_object(emoji: &str) -> Value {
        match emoji.split_once(':') {
            Some((name, id)) => json!({"id": id, "name": name}),
            None => json!({"id": null, "name": emoji}),
        }
    }

    fn object(&self) -> Value {
        let count = self.users.len();
        json!({
            "emoji": Self::emoji_object(&self.emoji), "count": count,
            "count_details": {"burst": 0, "normal": count}, "burst_colors": [], "me_burst": false,
            "burst_me": false, "me": false, "burst_count": 0,
        })
    }
}

impl Message {
    /// Discord's type number: 0 for a plain message, 19 for a reply, else what its interaction makes it.
    fn kind(&self) -> u8 {
        let plain = if self.draft.reference.is_some() { 19 } else { 0 };
        self.byline.interaction.as_ref().map_or(plain, |origin| origin.kind)
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
        let (draft, byline) = (&message.draft, &message.byline);
        // The first message of a forum's post has the post's id too, and is in it.
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

    /// The author: a user, or what a webhook gave itself out to be.
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
