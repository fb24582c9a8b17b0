//! Asset cards: created, updated.

use super::change::{self, FieldChange, changes};
use super::facts::Facts;
use super::text::{literal, short};
use super::{Card, Color, Markdown};

const NAME: &[&str] = &["name", "asset_name", "hostname"];
const TEXT: &[&str] = &["description", "notes"];

/// The card of an asset's event; `None` if the action has no card of its own.
pub(super) fn card(facts: &Facts<'_>, action: &str) -> Option<Card> {
    match action {
        "created" => Some(created(facts)),
        "updated" => Some(updated(facts)),
        _ => None,
    }
}

fn created(facts: &Facts<'_>) -> Card {
    let summary = [literal("New asset"), named(facts), facts.of_customer()];
    let by = facts.by(&["created_by", "author"]);
    Card::new(facts.event, Color::Info, title(facts, "💻", "New asset"), summary.into())
        .facts(state_line(facts).into_iter().chain([by]))
        .text(facts.paragraph(TEXT))
        .link(link(facts))
}

fn updated(facts: &Facts<'_>) -> Card {
    let changes = changes(facts.data());
    let what = match changes.first().map(FieldChange::described) {
        Some(first) => [literal(": "), first].into(),
        None => literal(" updated"),
    };
    let summary = [literal("Asset"), named(facts), what, facts.of_customer()];
    let by = facts.by(&["updated_by", "modified_by"]);
    Card::new(facts.event, Color::Warning, title(facts, "🔧", "Asset updated"), summary.into())
        .facts(state_line(facts).into_iter().chain([by]))
        .text(facts.paragraph(TEXT))
        .field("Changed", change::list(&changes, "\n"))
        .link(link(facts))
}

fn title(facts: &Facts<'_>, sign: &'static str, otherwise: &'static str) -> Markdown {
    [literal(sign), literal(" "), facts.text(NAME).unwrap_or_else(|| literal(otherwise))].into()
}

fn named(facts: &Facts<'_>) -> Markdown {
    facts.word(NAME).map(|name| [literal(" "), short(&name, 60)].into()).unwrap_or_default()
}

fn state_line(facts: &Facts<'_>) -> [Option<Markdown>; 4] {
    [
        facts.customer().map(Markdown::strong),
        facts.state(&["asset_type", "type"]),
        facts.state(&["status"]),
        facts.code(&["ip_address", "ip"]),
    ]
}

fn link(facts: &Facts<'_>) -> Option<String> {
    facts.view.links.asset.as_ref()?.expand(&facts.id(&["id", "asset_id"])?)
}
