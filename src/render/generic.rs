//! The generic card, for events without a card of their own.

use serde_json::Value;

use super::facts::{Facts, readable, word};
use super::text::{literal, number, short};
use super::{Card, Color, Markdown, text};
use crate::model::payload;

/// Maximum number of fields.
const SHOWN: usize = 5;
/// Maximum graphemes of a value.
const VALUE: usize = 100;

pub(super) fn happened(facts: &Facts<'_>) -> Card {
    let kind = || text(facts.event.kind.as_str());
    let summary = [kind(), facts.of_customer()];
    let customer = facts.customer().map(Markdown::strong);
    let card = Card::new(facts.event, Color::Info, [literal("📨 "), kind()].into(), summary.into());
    scalars(facts.data()).into_iter().fold(card.facts([customer]), |card, line| card.facts([Some(line)]))
}

/// The first scalar fields as `name: value`, and how many fields are left out. Secret fields stay hidden.
fn scalars(data: &Value) -> Vec<Markdown> {
    let fields: Vec<(Option<&String>, &Value)> = match data {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !["company_name", "company_id"].contains(&name.as_str()))
            .map(|(name, value)| (Some(name), value))
            .collect(),
        Value::Array(items) => items.iter().map(|item| (None, item)).collect(),
        scalar => vec![(None, scalar)],
    };
    let full = |value: &Value| value.is_object() || value.is_array() || word(value).is_some();
    let all = fields.iter().filter(|(_, value)| full(value)).count();
    let mut lines: Vec<Markdown> = fields
        .into_iter()
        .filter_map(|(name, value)| {
            let value = match name.is_some_and(|name| payload::is_secret(name)) {
                true => literal(payload::HIDDEN),
                false => short(&word(value)?, VALUE),
            };
            let name = name.map(|name| short(&readable(name), 60)).filter(|name| !name.is_empty());
            Some(name.map_or_else(|| value.clone(), |name| [name, literal(": "), value.clone()].into()))
        })
        .take(SHOWN)
        .collect();
    let more = (all - lines.len()) as u64;
    if more > 0 {
        lines.push([literal("… "), number(more), literal(" more")].into());
    }
    lines
}
