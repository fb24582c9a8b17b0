//! Messages: drafts, stored messages, edits, and their metadata.

use serde_json::{Value, json};

use super::{AllowedMentions, Mentions};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// The flag of ephemeral messages, which only one user sees.
pub const EPHEMERAL: u64 = 1 << 6;
/// The flag of deferred answers: the application "is thinking".
pub(super) const LOADING: u64 = 1 << 7;

/// A message to be sent, validated and trimmed.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The text, at most 2,000 characters.
    pub content: String,
    /// Embeds, in display form.
    pub embeds: Vec<Value>,
    /// Components, in display form.
    pub components: Vec<Value>,
    /// Files, as attachment objects without id and URL.
    pub files: Vec<Value>,
    /// The allowed mentions; `None` uses the default of the sender's kind.
    pub allowed_mentions: Option<AllowedMentions>,
    /// A number, or a string of at most 25 characters.
    pub nonce: Option<Value>,
    /// Whether an earlier message with this nonce is returned instead.
    pub enforce_nonce: bool,
    /// Whether clients read it aloud (text-to-speech).
    pub tts: bool,
    /// Discord's message flags.
    pub flags: u64,
    /// The message that it replies to.
    pub reference: Option<Reference>,
}

/// A reference to the message that a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The channel of the message, if given.
    pub channel: Option<Snowflake>,
    /// The id of the message.
    pub message: Snowflake,
    /// Whether the reply is refused if the message does not exist.
    pub must_exist: bool,
}

/// An edit of a message; `None` leaves a field unchanged.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// The new text.
    pub content: Option<String>,
    /// The new embeds, in display form.
    pub embeds: Option<Vec<Value>>,
    /// The new components, in display form.
    pub components: Option<Vec<Value>>,
    /// The new allowed mentions.
    pub allowed_mentions: Option<AllowedMentions>,
    /// The new message flags.
    pub flags: Option<u64>,
}

/// A stored message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Sorts by creation time.
    pub id: Snowflake,
    /// The user id of the author; of a webhook's message, see [`Byline`].
    pub author: Snowflake,
    /// The content, as it was sent and edited.
    pub draft: Draft,
    /// The users and roles that it pings.
    pub mentions: Mentions,
    /// When it was created.
    pub at: Timestamp,
    /// When it was last edited.
    pub edited: Option<Timestamp>,
    /// Its origin, if it is not simply its author's.
    pub byline: Byline,
    /// Reactions, in the order in which each emoji was first added.
    pub reactions: Vec<Reaction>,
    /// When it was pinned, if it is.
    pub pinned: Option<Timestamp>,
}

/// The origin of a message that did not simply come from its author.
#[derive(Clone, Debug, Default)]
pub struct Byline {
    /// The id of its webhook; for an answer to an interaction the application's, as in Discord.
    pub webhook: Option<Snowflake>,
    /// The name and avatar that the webhook used.
    pub guise: Option<(String, Option<String>)>,
    /// The id of its application.
    pub application: Option<Snowflake>,
    /// The interaction that it answers.
    pub interaction: Option<Origin>,
    /// The only user who sees it (ephemeral).
    pub only_for: Option<Snowflake>,
}

/// The interaction that a message answers.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The id of the interaction.
    pub id: Snowflake,
    /// Discord's type number of the message: 20 after a slash command, 23 after a context menu command, 19 after a
    /// click.
    pub kind: u8,
    /// The older, short form of the metadata; slash commands only.
    pub short: Option<Value>,
    /// Discord's message interaction metadata object.
    pub metadata: Value,
}

/// A reaction: an emoji on a message and its users.
#[derive(Clone, Debug)]
pub struct Reaction {
    /// A Unicode emoji, or `name:id`.
    pub emoji: String,
    /// The ids of the users who added it, in order.
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

    pub(super) fn object(&self) -> Value {
        let count = self.users.len();
        json!({
            "emoji": Self::emoji_object(&self.emoji), "count": count,
            "count_details": {"burst": 0, "normal": count}, "burst_colors": [], "me_burst": false,
            "burst_me": false, "me": false, "burst_count": 0,
        })
    }
}
