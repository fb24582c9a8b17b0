//! The test that a platform sends when somebody presses its button.

use super::card::source_name;
use super::escape::{literal, number};
use super::facts::Facts;
use super::{Card, Color};

pub(super) fn arrived(facts: &Facts<'_>) -> Card {
    let took = facts.event.received_at.since(facts.event.occurred_at).as_millis();
    let way = [literal(source_name(facts.event.source)), literal(" → here "), number(took), literal(" ms")];
    Card::new(facts.event, Color::Done, literal("🧪 Test arrived"), literal("Test arrived"))
        .facts([Some(way.into())])
        .text(facts.paragraph(&["message"]))
}
