//! Cards of a hosting platform's alerts: errors, and nodes that are short of a resource. Repeats share a card.

use super::{DESCRIPTION, custom, line, lines, string};
use crate::model::Severity;
use crate::render::alert::{repeats, sign};
use crate::render::facts::Facts;
use crate::render::text::{literal, short};
use crate::render::{Card, Color, Markdown};

pub(in crate::render) fn system(facts: &Facts<'_>) -> Option<Card> {
    if let Some(card) = custom::event(facts) {
        return Some(card);
    }
    let severity = facts.event.severity().unwrap_or(Severity::Error);
    // The legend of the TypeScript dispatcher: critical is orange.
    let (color, word) = match severity {
        Severity::Info => (Color::Info, "Info"),
        Severity::Warning => (Color::Warning, "Warning"),
        Severity::Error => (Color::Failed, "Error"),
        Severity::Critical => (Color::Look, "Critical"),
    };
    let title = line(facts, "title")?;
    let summary = [literal(word), literal(": "), title.clone()].into();
    let card = Card::new(facts.event, color, [literal(sign(Some(severity))), title].into(), summary)
        .facts([Some(repeats(facts))])
        .text(lines(facts, "error", DESCRIPTION))
        .short_field("Severity", Some(literal(word)));
    Some(card)
}

pub(in crate::render) fn node(facts: &Facts<'_>) -> Option<Card> {
    if let Some(card) = custom::event(facts) {
        return Some(card);
    }
    let (title, resource) = match string(facts, "alert_type")?.as_str() {
        "cpu" => ("⚠️ CPU Usage Alert", "cpu"),
        "memory" => ("⚠️ Memory Usage Alert", "memory"),
        "disk" => ("⚠️ Disk Space Usage Alert", "disk"),
        "network" => ("⚠️ Network Usage Alert", "network"),
        _ => return None,
    };
    let color = match facts.event.severity() {
        Some(Severity::Info | Severity::Warning) | None => Color::Warning,
        Some(Severity::Error | Severity::Critical) => Color::Look,
    };
    let node = line(facts, "node_name")?;
    let percent =
        |name: &str| -> Option<Markdown> { Some([short(&string(facts, name)?, 20), literal("%")].into()) };
    let has_high =
        || -> Markdown { [node.clone(), literal(" has high "), literal(resource), literal(" usage")].into() };
    let usage = percent("usage");
    let of = usage.clone().map(|usage| [literal(": "), usage].into()).unwrap_or_default();
    let card = Card::new(facts.event, color, literal(title), [has_high(), of].into())
        .more(Some(has_high()))
        .more(Some(repeats(facts)))
        .short_field("Node", Some(node.clone()))
        .short_field("Current Usage", usage)
        .short_field("Threshold", percent("threshold"));
    Some(card)
}
