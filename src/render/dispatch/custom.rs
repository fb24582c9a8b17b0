//! Cards that the caller composes, and those of generic events.
//!
//! The description of a custom embed is its caller's own Markdown, links included: it is written as code of the platform,
//! by somebody with a key, as prose around values; formatting it is what the function is for. Everything else, its title
//! and fields too, is where values of customers usually stand, and shows literally. Nothing of it mentions anybody.

use serde_json::Value;

use super::DESCRIPTION;
use crate::model::payload;
use crate::render::facts::{Facts, readable, word};
use crate::render::text::{formatted, literal, long, short};
use crate::render::{Card, Color, Field, Markdown};

/// Maximum graphemes of a description, as Discord has it.
const EMBED_DESCRIPTION: usize = 4096;
/// Fields beyond this number are not even counted: Discord shows 25.
const EMBED_FIELDS: usize = 100;
/// Maximum graphemes of a field's heading and of its value, as Discord has them.
const EMBED_NAME: usize = 256;
const EMBED_VALUE: usize = 1024;
/// Maximum fields of a generic event.
const SHOWN: usize = 10;
/// Names in which an event says what happened.
const TEXTS: [&str; 3] = ["message", "description", "details"];

pub(in crate::render) fn card(facts: &Facts<'_>) -> Option<Card> {
    if let Some(card) = event(facts) {
        return Some(card);
    }
    let embed = facts.data().get("embed")?;
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let title = short(&text(embed, "title")?, EMBED_NAME);
    let color = embed.get("color").and_then(Value::as_u64).and_then(|color| u32::try_from(color).ok());
    let color = color.map_or(Color::Info, Color::Given);
    let mut card = Card::new(facts.event, color, title.clone(), title)
        .text(text(embed, "description").map(|text| formatted(&text, EMBED_DESCRIPTION)));
    for field in embed.get("fields").and_then(Value::as_array).into_iter().flatten().take(EMBED_FIELDS) {
        card.fields.push(Field {
            name: short(&text(field, "name").unwrap_or_default(), EMBED_NAME),
            value: long(&text(field, "value").unwrap_or_default(), EMBED_VALUE),
            inline: field.get("inline").and_then(Value::as_bool).unwrap_or(false),
        });
    }
    Some(card)
}

/// The card of a generic event; `None` if it is none.
pub(super) fn event(facts: &Facts<'_>) -> Option<Card> {
    let name = facts.data().get("event")?.as_str()?;
    let (title, color) = match name {
        "sync.started" => ("🔄 Sync Started", Color::Warning),
        "sync.completed" => ("✅ Sync Completed", Color::Done),
        "sync.failed" => ("❌ Sync Failed", Color::Failed),
        "user.registered" => ("👤 User Registered", Color::Info),
        "server.created" => ("🖥️ Server Created", Color::Done),
        "server.suspended" => ("⛔ Server Suspended", Color::Look),
        "support.ticket_created" => ("🎫 Support Ticket Created", Color::Support),
        _ => ("📢 Notification", Color::Info),
    };
    let empty = Value::Null;
    let data = facts.data().get("data").unwrap_or(&empty);
    let sentence = TEXTS.iter().find_map(|name| Some((*name, data.get(name)?.as_str()?)));
    let is_known = title != "📢 Notification";
    let detail = sentence.map(|(_, text)| [literal(": "), short(text, 100)].into());
    let what = if is_known { literal(title) } else { short(&readable(name), 100) };
    let card = Card::new(facts.event, color, literal(title), [what, detail.unwrap_or_default()].into());
    let card = match sentence {
        Some((_, text)) => card.text(Some(long(text, DESCRIPTION))),
        None if is_known => card,
        None => card.more(Some(short(&readable(name), 200))),
    };
    let fields = data.as_object().into_iter().flatten();
    let mut card = fields
        .filter(|(name, _)| sentence.is_none_or(|(sentence, _)| sentence != name.as_str()))
        .filter_map(|(name, value)| Some((name, shown(name, value)?)))
        .take(SHOWN)
        .fold(card, |mut card, (name, value)| {
            card.fields.push(Field { name: short(&heading(name), EMBED_NAME), value, inline: true });
            card
        });
    card.fields.retain(|field| !field.name.is_empty());
    Some(card)
}

/// A scalar as shown; nothing of a secret.
fn shown(name: &str, value: &Value) -> Option<Markdown> {
    if payload::is_secret(name) && !value.is_null() {
        return Some(literal(payload::HIDDEN));
    }
    word(value).map(|word| short(&word, 200))
}

/// `serverName` and `server_name` become "Server name".
fn heading(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && words.chars().next_back().is_some_and(char::is_lowercase) {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    super::capital(&readable(&words))
}
