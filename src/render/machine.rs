//! Machine cards: asking to join, and approved.

use super::facts::Facts;
use super::text::{code, literal, short};
use super::{Card, Color, Markdown};

const NAME: &[&str] = &["hostname", "name", "machine_name"];
const ADDRESS: &[&str] = &["ip_address", "ip"];
const ID: &[&str] = &["id", "asset_id"];

pub(super) fn registered(facts: &Facts<'_>) -> Card {
    let title = [literal("🖥️ "), name(facts, 200), literal(" wants to join")];
    let summary = [name(facts, 60), literal(" asks to join"), facts.of_customer()];
    let asked = facts.moment(&["registered_at", "created_at"]).map(|at| [literal("asked "), at].into());
    Card::new(facts.event, Color::Look, title.into(), summary.into())
        .facts([
            facts.customer().map(Markdown::strong),
            facts.code(ADDRESS),
            facts.text(&["operating_system", "os"]),
            asked,
        ])
        .link(link(facts))
}

pub(super) fn approved(facts: &Facts<'_>) -> Card {
    let title = [literal("✅ "), name(facts, 200), literal(" approved")];
    let summary = [name(facts, 60), literal(" approved"), facts.of_customer()];
    Card::new(facts.event, Color::Done, title.into(), summary.into())
        .facts([
            facts.customer().map(Markdown::strong),
            facts.by(&["approved_by", "updated_by"]),
            facts.code(ADDRESS),
            facts.text(&["location", "site"]),
            facts.moment(&["approved_at", "updated_at"]),
        ])
        .link(link(facts))
}

/// The name; else the address, else the id, else "A machine".
pub(super) fn name(facts: &Facts<'_>, max: usize) -> Markdown {
    let name = facts.word(NAME).map(|name| short(&name, max));
    let other = || facts.word(ADDRESS).or_else(|| facts.id(ID)).map(|id| code(&id));
    name.or_else(other).unwrap_or_else(|| literal("A machine"))
}

fn link(facts: &Facts<'_>) -> Option<String> {
    facts.view.links.machine.as_ref()?.expand(&facts.id(ID)?)
}
