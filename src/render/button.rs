//! Buttons below a card (Discord: "Button"): their labels and actions. Who may click them is decided elsewhere.

use serde::Serialize;

use crate::model::Token;

/// A row of at most five buttons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ButtonRow {
    #[serde(rename = "type")]
    kind: u8,
    components: Vec<Button>,
}

/// One button, with a custom id or a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Button {
    #[serde(rename = "type")]
    kind: u8,
    style: u8,
    label: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<Emoji>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Emoji {
    name: &'static str,
}

/// Discord's limit of a button's `url`.
const MAX_URL: usize = 512;
const MOST: usize = 5;

const PLAIN: u8 = 2;
const GOOD: u8 = 3;
const BAD: u8 = 4;
const LINK: u8 = 5;

impl ButtonRow {
    /// A row of these buttons; `None` if there are none.
    pub(super) fn of(buttons: impl IntoIterator<Item = Option<Button>>) -> Option<Self> {
        let components: Vec<Button> = buttons.into_iter().flatten().take(MOST).collect();
        (!components.is_empty()).then_some(Self { kind: 1, components })
    }
}

/// A button whose click carries only `v1:<what>:<token>` (Discord: `custom_id` ≤ 100).
fn pressed(
    what: &str,
    token: &Token,
    label: &'static str,
    style: u8,
    emoji: Option<&'static str>,
) -> Option<Button> {
    let custom_id = Some(format!("v1:{what}:{}", token.as_str()));
    Some(Button { kind: 2, style, label, emoji: emoji.map(|name| Emoji { name }), custom_id, url: None })
}

pub(super) fn approve(token: &Token) -> Option<Button> {
    pressed("approve", token, "Approve", GOOD, Some("✅"))
}

pub(super) fn deny(token: &Token) -> Option<Button> {
    pressed("deny", token, "Deny", BAD, Some("❌"))
}

pub(super) fn undo(token: &Token) -> Option<Button> {
    pressed("undo", token, "Undo", PLAIN, Some("↩️"))
}

pub(super) fn try_again(token: &Token) -> Option<Button> {
    pressed("again", token, "Try again", GOOD, None)
}

pub(super) fn resend(token: &Token) -> Option<Button> {
    pressed("resend", token, "Try again", GOOD, None)
}

pub(super) fn details(token: &Token) -> Option<Button> {
    pressed("details", token, "Details", PLAIN, None)
}

pub(super) fn take(token: &Token) -> Option<Button> {
    pressed("take", token, "Take", GOOD, None)
}

pub(super) fn note(token: &Token) -> Option<Button> {
    pressed("note", token, "Note…", PLAIN, None)
}

pub(super) fn close(token: &Token) -> Option<Button> {
    pressed("close", token, "Close…", BAD, None)
}

pub(super) fn on_it(token: &Token) -> Option<Button> {
    pressed("onit", token, "On it", GOOD, None)
}

pub(super) fn mute(token: &Token) -> Option<Button> {
    pressed("mute", token, "Mute 1 h", PLAIN, None)
}

/// A link to the subject's page in the platform.
pub(super) fn open(url: Option<&str>) -> Option<Button> {
    let url = url.filter(|url| url.len() <= MAX_URL)?.to_owned();
    Some(Button { kind: 2, style: LINK, label: "Open", emoji: None, custom_id: None, url: Some(url) })
}
