//! Alert cards, and an alert's line in a digest.

use serde_json::Value;

use super::facts::{Facts, readable, word};
use super::text::{block, literal, number, short};
use super::{Card, Color, Markdown};
use crate::model::{Severity, payload};

const HOST: &[&str] = &["host", "hostname", "source", "machine_name", "asset_name"];

/// One line, such as "CRITICAL WEB-01: Disk full (Acme)".
pub(super) fn line(facts: &Facts<'_>) -> Markdown {
    let (_, word) = severity(facts);
    let host = facts.word(HOST).map(|host| [literal(" "), short(&host, 40)].into()).unwrap_or_default();
    let what = name(facts).or_else(|| facts.word(&["message", "description"]));
    let what = what.map(|what| [literal(": "), short(&what, 60)].into()).unwrap_or_default();
    [word, host, what, facts.of_customer()].into()
}

/// The severity, and the word to show for it.
fn severity(facts: &Facts<'_>) -> (Option<Severity>, Markdown) {
    let given = facts.word(&["severity", "level", "priority"]);
    let severity = given.as_deref().and_then(Severity::from_word);
    let word = severity.map(|severity| severity.as_str().to_owned()).or(given);
    (severity, word.map_or_else(|| literal("ALERT"), |word| short(&word.to_uppercase(), 20)))
}

/// The card of a triggered alert; `None` for any other action.
pub(super) fn card(facts: &Facts<'_>, action: &str) -> Option<Card> {
    (action == "triggered").then(|| triggered(facts))
}

fn triggered(facts: &Facts<'_>) -> Card {
    let (severity, word) = severity(facts);
    let what = name(facts);
    let host = facts.word(HOST);

    let named = what.as_ref().map(|what| [literal(" · "), super::text(what)].into()).unwrap_or_default();
    let title = [literal(sign(severity)), word.clone(), named];
    let message = facts.word(&["message", "description"]);
    let problem = what.or(message).map(|what| [literal(": "), short(&what, 60)].into()).unwrap_or_default();
    let on = host.as_ref().map(|host| [literal(" on "), short(host, 40)].into()).unwrap_or_default();
    let summary = [word, problem, on, facts.of_customer()];

    let repeats = Some(repeats(facts));
    Card::new(facts.event, Color::of(severity), title.into(), summary.into())
        .facts([host.map(|host| super::text(&host).strong()), facts.customer(), repeats])
        .text(facts.paragraph(&["message", "description"]))
        .field("Details", details(facts))
}

/// "first 3 minutes ago, ×14, last a minute ago", as far as it is known.
pub(super) fn repeats(facts: &Facts<'_>) -> Markdown {
    let first = facts.moment(&["first_seen", "first_seen_at", "first_occurred_at", "started_at"]);
    let first: Option<Markdown> = first.map(|at| [literal("first "), at].into());
    let times: Option<Markdown> = times(facts).map(|times| [literal("×"), number(times)].into());
    let last = facts.moment(&["last_seen", "last_seen_at"]).map(|at| [literal("last "), at].into());
    Markdown::join([first, times, last], ", ")
}

/// An emoji that shows the severity at a glance.
pub(super) const fn sign(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Info) => "ℹ️ ",
        Some(Severity::Warning) => "⚠️ ",
        Some(Severity::Error | Severity::Critical) | None => "🚨 ",
    }
}

/// The alert's title; else its type in readable words: `disk_full` becomes "Disk full".
fn name(facts: &Facts<'_>) -> Option<String> {
    facts.word(&["title", "name", "alert_name"]).or_else(|| {
        let kind = readable(&facts.word(&["alert_type", "type"])?);
        let mut chars = kind.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect())
    })
}

/// The number of occurrences, if the payload has it and it is more than one.
fn times(facts: &Facts<'_>) -> Option<u64> {
    facts.word(&["count", "occurrences", "repeat_count"])?.parse().ok().filter(|times| *times > 1)
}

/// The details in a readable form: the text, or one line for each entry.
fn details(facts: &Facts<'_>) -> Option<Markdown> {
    let line = |value: &Value| word(value).unwrap_or_else(|| value.to_string());
    let (visible, _) = payload::without_secrets(facts.data().get("details")?);
    let text = match &visible {
        Value::String(text) => text.clone(),
        Value::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| !is_empty(value));
            entries.map(|(name, value)| format!("{name}: {}\n", line(value))).collect()
        }
        Value::Array(entries) => entries.iter().map(|value| line(value) + "\n").collect(),
        Value::Null => return None,
        scalar => word(scalar)?,
    };
    super::facts::known(&text)?;
    Some(block(&text))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(entries) => entries.is_empty(),
        Value::Array(entries) => entries.is_empty(),
        scalar => word(scalar).is_none(),
    }
}
