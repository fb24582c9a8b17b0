//! The one-line reply to a living card: what changed, for members who only see the push notification.

use super::facts::{Facts, readable, word};
use super::{Markdown, View, card, text};
use crate::model::{Event, closes, payload};

use text::{literal, short};

/// Maximum graphemes of a value and of a note.
const VALUE: usize = 40;
const NOTE: usize = 60;
const PRIORITY: &[&str] = &["priority", "severity"];
const STATUS: &[&str] = &["status", "state"];
const ASSIGNEE: &[&str] = &["assigned_to", "assignee"];
const UPDATER: &[&str] = &["updated_by", "modified_by", "changed_by"];

/// Summarizes what `changes` changed between two states of a subject, if it is worth a push: status, priority or
/// assignee, a note, or that it was closed. A person is named only if every one of the events names that person.
#[must_use]
pub fn reply(before: &Event, after: &Event, changes: &[&Event], view: &View<'_>) -> Option<Markdown> {
    if closes(after) && !closes(before) {
        return Some([literal("🔒 "), card(after, view).summary].into());
    }
    let (old, new) = (Facts::new(before, view), Facts::new(after, view));
    let changed = |name: &'static str, names: &[&str]| {
        let (old, new) = (old.word(names), new.word(names)?);
        (old.as_ref() != Some(&new)).then_some((name, old, new))
    };
    let (priority, status) = (changed("priority ", PRIORITY), changed("status ", STATUS));
    let assignee = || {
        let who = new.person(ASSIGNEE)?;
        (old.person(ASSIGNEE) != Some(who.clone())).then(|| [literal("for "), who].into())
    };
    let note = || {
        let content = last_note(after)?;
        (last_note(before) != Some(content.clone()))
            .then(|| [literal("note: "), short(&content, NOTE)].into())
    };
    let (assignee, note) = (assignee(), note());
    let by = one_person(changes, view).map(|by| [literal("by "), by].into());
    // "SRV-2 is offline": only the current state is known.
    if let (Some((_, None, now)), None, None, None) = (&status, &priority, &assignee, &note) {
        let now = [name(&new), literal(" is "), short(&readable(now), VALUE)].into();
        return Some([literal("📝 "), Markdown::join([Some(now), by], ", "), new.of_customer()].into());
    }
    let parts = [priority.map(values), status.map(values), assignee, note];
    if parts.iter().all(Option::is_none) {
        return None;
    }
    let what = Markdown::join(parts.into_iter().chain([by]), ", ");
    Some([literal("📝 "), name(&new), literal(": "), what, new.of_customer()].into())
}

/// The person named by all of `changes`, if it is one and the same.
fn one_person(changes: &[&Event], view: &View<'_>) -> Option<Markdown> {
    let mut people = changes.iter().map(|event| Facts::new(event, view).person(UPDATER));
    let first = people.next()??;
    people.all(|person| person.as_ref() == Some(&first)).then_some(first)
}

/// The label above lines that may already be in the channel.
const MAYBE_TWICE: &str = "(may be a duplicate)";

/// The label above lines that may already be in the channel.
#[must_use]
pub fn mark_possible_duplicate() -> Markdown {
    literal(MAYBE_TWICE)
}

/// Removes the label of possible duplicates.
#[must_use]
pub fn without_label(lines: &str) -> &str {
    lines.strip_prefix(MAYBE_TWICE).and_then(|rest| rest.strip_prefix('\n')).unwrap_or(lines)
}

/// "#1001", else the name or title, else "Changed".
fn name(facts: &Facts<'_>) -> Markdown {
    let number = facts.word(&["seq_id", "number", "ticket_number"]);
    let number = number.map(|number| [literal("#"), short(&number, 20)].into());
    let called = || facts.word(&["name", "title", "subject", "hostname"]).map(|name| short(&name, VALUE));
    number.or_else(called).unwrap_or_else(|| literal("Changed"))
}

/// "high → low"; "priority low" if only the new value is known.
fn values((name, old, new): (&'static str, Option<String>, String)) -> Markdown {
    let shown = |value: &str| short(&readable(value), VALUE);
    match old {
        Some(old) => [shown(&old), literal(" → "), shown(&new)].into(),
        None => [literal(name), shown(&new)].into(),
    }
}

/// The text of the newest note.
fn last_note(event: &Event) -> Option<String> {
    let note = match event.data.get("notes")? {
        serde_json::Value::Array(notes) => notes.last()?,
        note => note,
    };
    word(note).or_else(|| payload::text(note, &["content", "text", "body", "note"]))
}
