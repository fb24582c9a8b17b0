//! Messages: what was asked for, what became of it, and how it is shown.

use serde_json::{Value, json};

use super::{AllowedMentions, Mentions};
use crate::clock::Timestamp;
use crate::model::Snowflake;

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

    pub(super) fn object(&self) -> Value {
        let count = self.users.len();
        json!({
            "emoji": Self::emoji_object(&self.emoji), "count": count,
            "count_details": {"burst": 0, "normal": count}, "burst_colors": [], "me_burst": false,
            "burst_me": false, "me": false, "burst_count": 0,
        })
    }
}
