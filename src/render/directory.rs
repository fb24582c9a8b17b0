//! User and customer cards: created.

use super::facts::Facts;
use super::text::{literal, short};
use super::{Card, Color, Markdown};

const EMAIL: &[&str] = &["email", "email_address", "mail"];
const NAME: &[&str] = &["name", "full_name", "display_name", "username"];

/// The card of a user's event; `None` if the action has no card of its own.
pub(super) fn user_card(facts: &Facts<'_>, action: &str) -> Option<Card> {
    (action == "created").then(|| user_created(facts))
}

/// The card of a customer's event; `None` if the action has no card of its own.
pub(super) fn company_card(facts: &Facts<'_>, action: &str) -> Option<Card> {
    (action == "created").then(|| company_created(facts))
}

fn user_created(facts: &Facts<'_>) -> Card {
    let parts = [facts.text(&["first_name"]), facts.text(&["last_name"])];
    let full = Some(Markdown::join(parts, " ")).filter(|name| !name.is_empty());
    let email = facts.text(EMAIL);
    let name = facts.text(NAME).or(full).or_else(|| email.clone());
    let who = facts.word(EMAIL).map(|email| short(&email, 60)).or_else(|| name.clone());
    let who = who.map(|who| [literal(" "), who].into()).unwrap_or_default();
    let title = [literal("👤 "), name.unwrap_or_else(|| literal("New user"))];
    let summary = [literal("New user"), who, facts.of_customer()];
    Card::new(facts.event, Color::Info, title.into(), summary.into()).facts([
        email,
        facts.customer().map(Markdown::strong),
        facts.state(&["role", "user_role"]),
        facts.by(&["created_by", "invited_by"]),
    ])
}

fn company_created(facts: &Facts<'_>) -> Card {
    let name = facts.word(&["name", "company_name"]).or_else(|| facts.customer_name());
    let summary = name.as_ref().map(|name| [literal(" "), short(name, 80)].into()).unwrap_or_default();
    let title = name.as_ref().map_or_else(|| literal("New company"), |name| super::text(name));
    // The title already has the name: the line identifies the customer again only if there is just an id.
    let id = facts.customer().filter(|_| name.is_none());
    Card::new(
        facts.event,
        Color::Info,
        [literal("🏢 "), title].into(),
        [literal("New company"), summary].into(),
    )
    .facts([
        id,
        facts.text(EMAIL),
        facts.code(&["website", "domain", "url"]),
        facts.text(&["phone", "phone_number"]),
        facts.by(&["created_by"]),
    ])
    .text(facts.paragraph(&["description"]))
}
