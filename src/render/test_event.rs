//! Test cards: a platform's test event, and nuncio's own test messages.

use super::card::source_name;
use super::facts::Facts;
use super::text::{literal, number};
use super::{Body, Card, Color, Markdown, message, text};
use crate::clock::Timestamp;
use crate::model::Source;

/// The card of a platform's test event. Timestamps have whole seconds, so they give only an upper bound of the delay,
/// and nothing if the sender's clock is ahead of ours.
pub(super) fn arrived(facts: &Facts<'_>) -> Card {
    let took = facts.event.received_at.as_millis() - facts.event.occurred_at.as_millis();
    let bound = u64::try_from(took).ok().map(|millis| millis.div_ceil(1000).max(1));
    let bound = bound.map(|secs| [literal(" within "), number(secs), literal(" s")].into());
    let way = [literal(source_name(facts.event.source)), literal(" → here"), bound.unwrap_or_default()];
    Card::new(facts.event, Color::Done, literal("🧪 Test arrived"), literal("Test arrived"))
        .facts([Some(way.into())])
        .text(facts.paragraph(&["message"]))
}

/// The test message that an operator sends through a stored webhook.
#[must_use]
pub fn webhook(name: &str, now: Timestamp) -> Body {
    let sentence = [literal("This webhook works. nuncio calls it "), text(name), literal(".")].into();
    test("Webhook Test", sentence, now)
}

/// The test message that `nuncio doctor` posts in a channel of the map.
#[must_use]
pub fn channel(now: Timestamp) -> Body {
    test(
        "Channel Test",
        literal("nuncio may write here. Sent by `nuncio doctor --send`: nothing happened."),
        now,
    )
}

fn test(title: &'static str, sentence: Markdown, now: Timestamp) -> Body {
    let card = Card {
        summary: literal(title),
        title: [literal("🧪 "), literal(title)].into(),
        url: None,
        description: sentence,
        text: Markdown::default(),
        fields: Vec::new(),
        buttons: None,
        color: Color::Done,
        timestamp: now,
        footer: format!("{} · test", source_name(Source::Nuncio)),
    };
    message(&[card], &[])
}
