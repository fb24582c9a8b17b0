//! The message body as JSON for Discord (Discord: "Create Message").

use serde::Serialize;

use super::button::ButtonRow;
use crate::model::Snowflake;

/// The body of a message. The functions that build one ([`message`](super::message), [`plain`](super::plain)) enforce
/// all of Discord's limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Body {
    /// The text above the embeds, at most 2000 characters, never empty.
    pub content: String,
    /// One per card; at most ten.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub embeds: Vec<Embed>,
    /// The rows of buttons: at most five. `None` on an edit leaves the existing ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<Vec<ButtonRow>>,
    /// Whom Discord may notify.
    pub allowed_mentions: AllowedMentions,
    /// The message to which it replies, without notifying that message's author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_reference: Option<Reference>,
    /// The author's name, of a message through a webhook; `None`: the webhook's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The author's picture, of a message through a webhook; `None`: the webhook's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
}

/// One card as a Discord embed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Embed {
    /// Always "rich". Discord ignores it; Spacebar drops embeds without it.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// At most 256 characters, never empty.
    pub title: String,
    /// http(s), at most 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// At most 4096 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// At most 25.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<EmbedField>,
    /// RGB, 0 to 16777215.
    pub color: u32,
    /// In RFC 3339 format.
    pub timestamp: String,
    /// The line at the bottom.
    pub footer: EmbedFooter,
}

/// A field of an embed; neither part is ever empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmbedField {
    /// At most 256 characters.
    pub name: String,
    /// At most 1024 characters.
    pub value: String,
    /// Whether others may stand beside it.
    #[serde(skip_serializing_if = "is_false")]
    pub inline: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The footer of an embed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmbedFooter {
    /// At most 2048 characters, shown without markdown.
    pub text: String,
}

/// The target of a reply (Discord: "Message Reference Structure").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    message_id: Snowflake,
    fail_if_not_exists: bool,
}

impl Reference {
    /// The message to which it replies.
    #[must_use]
    pub const fn message(&self) -> Snowflake {
        self.message_id
    }

    /// A reply to `message_id`; if that message is gone, Discord posts an ordinary message.
    #[must_use]
    pub const fn to(message_id: Snowflake) -> Self {
        Self { message_id, fail_if_not_exists: false }
    }
}

/// Whom Discord may notify: only the listed roles, and no one named in the text (Discord: "Allowed Mentions Object").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AllowedMentions {
    /// Always empty, so that Discord parses no mentions in the text.
    pub parse: [&'static str; 0],
    /// The roles to ping, at most 100, without duplicates.
    pub roles: Vec<Snowflake>,
}
