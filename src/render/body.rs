//! A message's body in Discord's words (Discord: "Create Message").

use serde::Serialize;

use super::button::Row;
use crate::model::Snowflake;

/// The body of a message. Every limit of Discord's is kept by whoever makes one ([`message`](super::message),
/// [`plain`](super::plain)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Body {
    /// The text above the embeds, at most 2000 characters, never empty.
    pub content: String,
    /// At most ten.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub embeds: Vec<Embed>,
    /// The buttons below: at most five rows. `None` on an edit leaves those that are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<Vec<Row>>,
    /// Who may be notified.
    pub allowed_mentions: AllowedMentions,
    /// The message it answers, whose author is not notified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_reference: Option<Reference>,
}

/// One card in Discord's form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Embed {
    /// "rich", whatever is sent, to Discord; Spacebar takes away what does not say so itself.
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
    /// 0 to 16777215.
    pub color: u32,
    /// RFC 3339.
    pub timestamp: String,
    /// What stands at the bottom.
    pub footer: EmbedFooter,
}

/// A field of an embed; neither part is ever empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmbedField {
    /// At most 256 characters.
    pub name: String,
    /// At most 1024 characters.
    pub value: String,
}

/// The footer of an embed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmbedFooter {
    /// At most 2048 characters, shown without markdown.
    pub text: String,
}

/// The message that another one answers (Discord: "Message Reference Structure").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    message_id: Snowflake,
    fail_if_not_exists: bool,
}

impl Reference {
    /// The message that it answers.
    #[must_use]
    pub const fn message(&self) -> Snowflake {
        self.message_id
    }

    /// An answer to `message_id`; should that be gone, a message like any other.
    #[must_use]
    pub const fn to(message_id: Snowflake) -> Self {
        Self { message_id, fail_if_not_exists: false }
    }
}

/// Who may be notified: nobody that a text names, only the listed roles (Discord: "Allowed Mentions Object").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AllowedMentions {
    /// Always empty: nothing is looked for in the text.
    pub parse: [&'static str; 0],
    /// The roles that are pinged, at most 100, each once.
    pub roles: Vec<Snowflake>,
}
