//! Cards about a hosting platform's operation: settings, servers, syncs.

use serde_json::Value;

use super::{DESCRIPTION, DETAILS, capital, custom, line, lines, string};
use crate::model::dispatch::SYNC_COUNTS;
use crate::render::facts::Facts;
use crate::render::text::{literal, long, number, short, text};
use crate::render::{Card, Color, Markdown};

/// How many changed fields the summary names.
const NAMED: usize = 3;

pub(in crate::render) fn settings(facts: &Facts<'_>) -> Option<Card> {
    if let Some(card) = custom::event(facts) {
        return Some(card);
    }
    let names = facts.data().get("changed_fields").and_then(Value::as_array).into_iter().flatten();
    let names: Vec<&str> = names.filter_map(Value::as_str).filter(|name| !name.trim().is_empty()).collect();
    let changed = if names.is_empty() { "Unknown".to_owned() } else { names.join(", ") };
    let first: Vec<&str> = names.iter().take(NAMED).copied().collect();
    let more = if names.len() > NAMED { ", …" } else { "" };
    let named = match first.is_empty() {
        true => Markdown::default(),
        false => [literal(": "), short(&first.join(", "), 80), literal(more)].into(),
    };
    let title = literal("⚙️ System Settings Updated");
    let card = Card::new(facts.event, Color::Warning, title, [literal("Settings updated"), named].into());
    let card = card
        .more(Some(literal("Settings have been modified")))
        .field("Changed Fields", Some(long(&changed, DETAILS)))
        .short_field("Updated By", line(facts, "updated_by"));
    Some(card)
}

pub(in crate::render) fn server(facts: &Facts<'_>) -> Option<Card> {
    if let Some(card) = custom::event(facts) {
        return Some(card);
    }
    let (title, color, state) = match string(facts, "new_state")?.as_str() {
        "online" => ("🟢 Server Online", Color::Done, "online"),
        "offline" => ("🔴 Server Offline", Color::Failed, "offline"),
        "crashed" => ("💥 Server Crashed", Color::Look, "crashed"),
        _ => return None,
    };
    let name = line(facts, "server_name")?;
    let sentence = || -> Markdown { [name.clone(), literal(" is now "), literal(state)].into() };
    let card = Card::new(facts.event, color, literal(title), sentence())
        .more(Some(sentence()))
        .short_field("Server", Some(name.clone()))
        .short_field("Status", Some(text(&capital(state))))
        .short_field("Node", line(facts, "node_id"));
    Some(card)
}

pub(in crate::render) fn sync(facts: &Facts<'_>, action: &str) -> Option<Card> {
    if let Some(card) = custom::event(facts) {
        return Some(card);
    }
    let (title, color, status, default) = match action {
        "completed" => ("✅ Sync Completed", Color::Done, "Success", "The sync has completed"),
        "failed" => ("❌ Sync Failed", Color::Failed, "Failed", "The sync has failed"),
        "cancelled" => ("🚫 Sync Cancelled", Color::Warning, "Cancelled", "The sync was cancelled"),
        _ => return None,
    };
    let duration = line(facts, "duration");
    let took = duration.clone().map(|took| [literal(" after "), took].into()).unwrap_or_default();
    let card = Card::new(facts.event, color, literal(title), [literal(default), took].into());
    let card = match lines(facts, "details", DESCRIPTION) {
        Some(details) => card.text(Some(details)),
        None => card.more(Some(literal(default))),
    };
    let card = card.short_field("Status", Some(literal(status))).short_field("Duration", duration);
    let count = |name: &str| facts.data().get("summary")?.get(name)?.as_u64();
    let card = SYNC_COUNTS
        .into_iter()
        .fold(card, |card, name| card.short_field(heading(name), count(name).map(number)));
    Some(card.field("Failed Operations", failed(facts)))
}

fn heading(count: &str) -> &'static str {
    match count {
        "locations" => "Locations",
        "nodes" => "Nodes",
        "allocations" => "Allocations",
        "servers" => "Servers",
        _ => "Databases",
    }
}

/// The operations that failed, a line each, with their errors.
fn failed(facts: &Facts<'_>) -> Option<Markdown> {
    let operations = facts.data().get("operations")?.as_array()?.iter();
    let failed = operations.filter(|one| one.get("ok").and_then(Value::as_bool) == Some(false));
    let line = |one: &Value| {
        let text = |name: &str| one.get(name).and_then(Value::as_str).map(|text| short(text, 120));
        let error = text("error").map(|error| [literal(": "), error].into()).unwrap_or_default();
        Some(Markdown::from([literal("• "), text("name").unwrap_or_default(), error]))
    };
    Some(Markdown::join(failed.map(line), "\n")).filter(|lines| !lines.is_empty())
}
