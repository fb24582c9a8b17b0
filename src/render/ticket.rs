//! Ticket cards: created, updated, closed.

use super::change::{self, FieldChange, changes};
use super::facts::{Facts, word};
use super::text::{code, literal, paragraph, short};
use super::{Card, Color, Markdown};

/// Maximum graphemes of a ticket's title in a summary, so that the customer after it stays.
const IN_SUMMARY: usize = 60;

const TITLE: &[&str] = &["title", "subject", "name"];
const NUMBER: &[&str] = &["seq_id", "number", "ticket_number"];
const PRIORITY: &[&str] = &["priority", "severity"];
const STATUS: &[&str] = &["status", "state"];
const TEXT: &[&str] = &["description", "body", "message"];
const UPDATER: &[&str] = &["updated_by", "modified_by", "changed_by"];
const CLOSER: &[&str] = &["closed_by", "resolved_by", "updated_by"];

/// The card of a ticket's event; `None` if the action has no card of its own.
pub(super) fn card(facts: &Facts<'_>, action: &str) -> Option<Card> {
    match action {
        "created" => Some(created(facts)),
        "updated" => Some(updated(facts)),
        "closed" => Some(closed(facts)),
        _ => None,
    }
}

fn created(facts: &Facts<'_>) -> Card {
    let priority = facts.state(PRIORITY).map(|word| [literal(", "), word].into());
    let summary = [
        literal("Ticket"),
        reference(facts, " #"),
        priority.unwrap_or_default(),
        named(facts, ": "),
        facts.of_customer(),
    ];
    Card::new(facts.event, Color::Support, title(facts, "🎫", "New ticket"), summary.into())
        .facts(state_line(facts, &[]).into_iter().chain([facts.by(&["created_by", "author", "requester"])]))
        .text(facts.paragraph(TEXT))
        .link(link(facts))
}

fn updated(facts: &Facts<'_>) -> Card {
    let changes = changes(facts.data());
    let by = facts.by(UPDATER);
    let what = match headline(&changes) {
        Some(what) => [literal(": "), what].into(),
        None => [literal(" updated"), named(facts, ": ")].into(),
    };
    let by_whom = by.clone().map(|by| [literal(", "), by].into()).unwrap_or_default();
    let summary = [subject(facts), what, by_whom, facts.of_customer()];
    Card::new(facts.event, Color::Warning, title(facts, "📝", "Ticket updated"), summary.into())
        .facts([change::list(&changes, " · ")])
        .facts(state_line(facts, &changes).into_iter().chain([by]))
        .field("Latest note", latest_note(facts))
        .link(link(facts))
}

fn closed(facts: &Facts<'_>) -> Card {
    const RESOLUTION: &[&str] = &["resolution", "resolution_notes", "close_reason", "reason"];
    let outcome = facts.word(RESOLUTION).map(|word| [literal(": "), short(&word, IN_SUMMARY)].into());
    let outcome = outcome.unwrap_or_else(|| named(facts, ": "));
    let summary = [subject(facts), literal(" closed"), outcome, facts.of_customer()];
    let by = facts.by(CLOSER).map(|by| [literal("closed "), by].into());
    let when = facts.moment(&["closed_at", "resolved_at"]);
    Card::new(facts.event, Color::Done, title(facts, "🔒", "Ticket closed"), summary.into())
        .facts([facts.customer().map(Markdown::strong), by.or_else(|| Some(literal("closed"))), when])
        .field("Resolution", facts.paragraph(RESOLUTION))
        .link(link(facts))
}

/// A title such as "🎫 #1001 Network Issue".
fn title(facts: &Facts<'_>, sign: &'static str, otherwise: &'static str) -> Markdown {
    let known = [Some(reference(facts, "#")), facts.text(TITLE)];
    let known = Markdown::join(known, " ");
    let words = if known.is_empty() { literal(otherwise) } else { known };
    [literal(sign), literal(" "), words].into()
}

/// `before` and the ticket's number, or nothing.
fn reference(facts: &Facts<'_>, before: &'static str) -> Markdown {
    facts.word(NUMBER).map(|number| [literal(before), short(&number, 20)].into()).unwrap_or_default()
}

/// "#1001", or "Ticket" if it has no number.
fn subject(facts: &Facts<'_>) -> Markdown {
    let reference = reference(facts, "#");
    if reference.is_empty() { literal("Ticket") } else { reference }
}

/// `before` and the ticket's title, or nothing.
fn named(facts: &Facts<'_>, before: &'static str) -> Markdown {
    facts.word(TITLE).map(|title| [literal(before), short(&title, IN_SUMMARY)].into()).unwrap_or_default()
}

/// Customer, priority, status and assignee, except those in `changes`; the id if there is no number.
fn state_line(facts: &Facts<'_>, changes: &[FieldChange]) -> Vec<Option<Markdown>> {
    let unsaid = |names: &[&str]| !changes.iter().any(|change| names.contains(&change.name.as_str()));
    let assignee = facts.person(&["assigned_to", "assignee"]).map(|who| [literal("for "), who].into());
    let id = facts.id(&["id"]).filter(|_| facts.word(NUMBER).is_none());
    vec![
        facts.customer().map(Markdown::strong),
        id.map(|id| code(&id)),
        facts.state(PRIORITY).filter(|_| unsaid(PRIORITY)),
        facts.state(STATUS).filter(|_| unsaid(STATUS)),
        assignee.filter(|_| unsaid(&["assigned_to", "assignee"])),
    ]
}

/// The first two changes in short form: "high → critical" needs no field name.
fn headline(changes: &[FieldChange]) -> Option<Markdown> {
    let plain =
        |change: &FieldChange| ["priority", "severity", "status", "state"].contains(&change.name.as_str());
    let phrase = |change: &FieldChange| {
        if plain(change) && change.is_pair() { change.values() } else { change.described() }
    };
    let mut first: Vec<&FieldChange> = changes.iter().collect();
    first.sort_by_key(|change| !plain(change));
    (!changes.is_empty())
        .then(|| Markdown::join(first.into_iter().take(2).map(|change| Some(phrase(change))), ", "))
}

fn latest_note(facts: &Facts<'_>) -> Option<Markdown> {
    let note = match facts.data().get("notes")? {
        serde_json::Value::Array(notes) => notes.last()?,
        note => note,
    };
    let content = ["content", "text", "body", "note"].iter().find_map(|name| note.get(name)).unwrap_or(note);
    word(content)?;
    Some(paragraph(content.as_str().unwrap_or_default())).filter(|note| !note.is_empty())
}

fn link(facts: &Facts<'_>) -> Option<String> {
    facts.view.links.ticket.as_ref()?.expand(&facts.id(&["id", "ticket_id"])?)
}
