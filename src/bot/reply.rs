//! The bodies of responses to interactions (Discord: "Receiving and Responding to Interactions").
//!
//! No body mentions anyone, whatever its text: that is not for a caller to choose.

use std::ops::RangeInclusive;

use serde::Serialize;
use serde_json::{Value, json};

use crate::render;

/// Discord: "Message Flags", visible to the person only.
const EPHEMERAL: u64 = 1 << 6;

/// The first response to an interaction; Discord waits three seconds for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FirstResponse {
    /// A message.
    Message(ReplyBody),
    /// "Thinking…": the person sees a message later, and no one else does.
    Deferred,
    /// Nothing changes for now, after a click.
    Acknowledged,
    /// The clicked message changes.
    Updated(ReplyBody),
    /// Suggestions for an option, at most 25.
    Choices(Vec<Choice>),
    /// A dialog opens.
    Dialog(Dialog),
}

impl FirstResponse {
    /// The response as JSON: the body of Discord's callback, or of the answer to Discord's HTTP request.
    pub(super) fn body(&self) -> Value {
        match self {
            Self::Message(reply) => json!({"type": 4, "data": reply}),
            Self::Deferred => json!({"type": 5, "data": ReplyBody::default().ephemeral()}),
            Self::Acknowledged => json!({"type": 6}),
            Self::Updated(reply) => json!({"type": 7, "data": reply}),
            Self::Choices(choices) => json!({"type": 8, "data": {"choices": choices}}),
            Self::Dialog(dialog) => json!({"type": 9, "data": dialog}),
        }
    }
}

/// A message to the person, or a change to one: what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct ReplyBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embeds: Option<Vec<ReplyEmbed>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Vec<ReplyRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment>,
    allowed_mentions: NoMentions,
    #[serde(skip)]
    file: Option<Vec<u8>>,
}

/// Whom Discord may notify: no one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct NoMentions {
    parse: [&'static str; 0],
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Attachment {
    id: u8,
    filename: &'static str,
}

impl ReplyBody {
    /// A sentence that only this person sees.
    pub(super) fn whisper(sentence: impl Into<String>) -> Self {
        Self::default().content(sentence).ephemeral()
    }

    pub(super) fn content(self, content: impl Into<String>) -> Self {
        Self { content: Some(content.into()), ..self }
    }

    pub(super) fn embed(self, embed: ReplyEmbed) -> Self {
        self.embeds(vec![embed])
    }

    /// At most ten.
    pub(super) fn embeds(self, embeds: Vec<ReplyEmbed>) -> Self {
        Self { embeds: Some(embeds), ..self }
    }

    /// At most five rows.
    pub(super) fn components(self, rows: Vec<ReplyRow>) -> Self {
        Self { components: Some(rows), ..self }
    }

    /// Makes it visible to this person only.
    pub(super) fn ephemeral(self) -> Self {
        Self { flags: Some(EPHEMERAL), ..self }
    }

    pub(super) fn attachment(self, filename: &'static str, bytes: Vec<u8>) -> Self {
        Self { attachments: vec![Attachment { id: 0, filename }], file: Some(bytes), ..self }
    }

    /// Name and content of the attachment.
    pub(super) fn file(&self) -> Option<(&'static str, &[u8])> {
        Some((self.attachments.first()?.filename, self.file.as_deref()?))
    }
}

/// An embed. Unlike a card's, it needs neither a time nor a color.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ReplyEmbed {
    /// Always "rich". Discord ignores it; Spacebar drops embeds without it.
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<ReplyField>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<render::EmbedFooter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ReplyField {
    name: String,
    value: String,
    inline: bool,
}

impl ReplyEmbed {
    pub(super) fn new(title: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            kind: "rich",
            title: title.into(),
            description: description.into(),
            color: None,
            fields: Vec::new(),
            footer: None,
            timestamp: None,
        }
    }

    pub(super) fn color(self, color: u32) -> Self {
        Self { color: Some(color), ..self }
    }

    /// Triples of name, value, and whether it may stand beside others.
    pub(super) fn fields(
        self,
        fields: impl IntoIterator<Item = (impl Into<String>, impl Into<String>, bool)>,
    ) -> Self {
        let fields = fields.into_iter().map(|(name, value, inline)| ReplyField {
            name: name.into(),
            value: value.into(),
            inline,
        });
        Self { fields: fields.collect(), ..self }
    }

    pub(super) fn footer(self, text: impl Into<String>) -> Self {
        Self { footer: Some(render::EmbedFooter { text: text.into() }), ..self }
    }

    /// A time in RFC 3339, shown beside the footer.
    pub(super) fn timestamp(self, at: String) -> Self {
        Self { timestamp: Some(at), ..self }
    }
}

/// A row of at most five buttons, or of one menu or input (Discord: "Action Row").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ReplyRow {
    #[serde(rename = "type")]
    kind: u8,
    components: Vec<ReplyComponent>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum ReplyComponent {
    Button(ReplyButton),
    Menu(SelectMenu),
    Input(TextInput),
}

impl ReplyRow {
    pub(super) fn buttons(buttons: impl IntoIterator<Item = ReplyButton>) -> Self {
        Self { kind: 1, components: buttons.into_iter().map(ReplyComponent::Button).collect() }
    }

    pub(super) fn menu(menu: SelectMenu) -> Self {
        Self { kind: 1, components: vec![ReplyComponent::Menu(menu)] }
    }

    pub(super) fn input(input: TextInput) -> Self {
        Self { kind: 1, components: vec![ReplyComponent::Input(input)] }
    }
}

/// A button below a reply (Discord: "Button").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ReplyButton {
    #[serde(rename = "type")]
    kind: u8,
    style: u8,
    label: &'static str,
    custom_id: String,
    disabled: bool,
}

impl ReplyButton {
    /// The button for the next step.
    pub(super) fn primary(custom_id: impl Into<String>, label: &'static str) -> Self {
        Self { kind: 2, style: 1, label, custom_id: custom_id.into(), disabled: false }
    }

    pub(super) fn secondary(custom_id: impl Into<String>, label: &'static str) -> Self {
        Self { style: 2, ..Self::primary(custom_id, label) }
    }

    pub(super) fn disabled(self, is_disabled: bool) -> Self {
        Self { disabled: is_disabled, ..self }
    }
}

/// A menu from which one entry is chosen (Discord: "String Select", "Channel Select").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct SelectMenu {
    #[serde(rename = "type")]
    kind: u8,
    custom_id: String,
    placeholder: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<MenuOption>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    channel_types: Vec<u8>,
}

impl SelectMenu {
    /// A menu of texts, at most 25.
    pub(super) fn texts(
        custom_id: impl Into<String>,
        placeholder: &'static str,
        options: Vec<MenuOption>,
    ) -> Self {
        Self { kind: 3, custom_id: custom_id.into(), placeholder, options, channel_types: Vec::new() }
    }

    /// A menu of the guild's channels of these types (Discord: "Channel Types").
    pub(super) fn channels(
        custom_id: impl Into<String>,
        placeholder: &'static str,
        channel_types: Vec<u8>,
    ) -> Self {
        Self { kind: 8, custom_id: custom_id.into(), placeholder, options: Vec::new(), channel_types }
    }
}

/// An entry of a menu; each text has at most 100 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct MenuOption {
    label: String,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl MenuOption {
    pub(super) fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), description: None }
    }

    pub(super) fn description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }
}

/// A dialog with one text input (Discord: "Modal").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Dialog {
    custom_id: String,
    title: &'static str,
    components: [ReplyRow; 1],
}

impl Dialog {
    pub(super) fn new(custom_id: impl Into<String>, title: &'static str, input: TextInput) -> Self {
        Self { custom_id: custom_id.into(), title, components: [ReplyRow::input(input)] }
    }
}

/// A required text input of a dialog (Discord: "Text Input").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct TextInput {
    #[serde(rename = "type")]
    kind: u8,
    custom_id: &'static str,
    style: u8,
    label: &'static str,
    placeholder: &'static str,
    min_length: usize,
    max_length: usize,
    required: bool,
}

impl TextInput {
    /// One line.
    pub(super) fn line(
        label: &'static str,
        placeholder: &'static str,
        length: RangeInclusive<usize>,
    ) -> Self {
        Self {
            kind: 4,
            custom_id: "text",
            style: 1,
            label,
            placeholder,
            min_length: *length.start(),
            max_length: *length.end(),
            required: true,
        }
    }

    /// Several lines.
    pub(super) fn paragraph(
        label: &'static str,
        placeholder: &'static str,
        length: RangeInclusive<usize>,
    ) -> Self {
        Self { style: 2, ..Self::line(label, placeholder, length) }
    }
}

/// A suggestion; name and value have at most 100 characters each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Choice {
    /// What the person sees.
    pub(super) name: String,
    /// What the option becomes.
    pub(super) value: String,
}

impl Choice {
    pub(super) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}
