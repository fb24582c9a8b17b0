//! Sample cards: they look like real ones, and cannot be mistaken for one.

use super::button::{self, ButtonRow};
use super::text::literal;
use super::{Card, Markdown};
use crate::model::{DecisionKind, Token};

/// The customer's name in a sample.
pub(super) const CUSTOMER: &str = "Sample";

/// Marks `card` in the summary, the title and the footer. The end of the footer stays: it identifies the event.
pub(super) fn marked(mut card: Card) -> Card {
    card.summary = [literal("Sample: "), card.summary].into();
    card.title = [literal("🧪 Sample · "), card.title].into();
    let (before, tag) = card.footer.rsplit_once(" · ").unwrap_or(("", &card.footer));
    card.footer = format!("{before} · sample · {tag}");
    card.description = Markdown::join(
        [Some(card.description), Some(literal("Sent by `nuncio send`: nothing happened."))],
        "\n",
    );
    card
}

/// Adds the initial buttons of a real card. All of them give one and the same answer.
pub(super) fn with_buttons(mut card: Card, kind: DecisionKind) -> Card {
    let token = Token::sample();
    card.buttons = match kind {
        DecisionKind::Machine => ButtonRow::of([button::approve(&token), button::deny(&token)]),
        DecisionKind::Alert => ButtonRow::of([button::on_it(&token), button::mute(&token)]),
        _ => ButtonRow::of([button::take(&token), button::note(&token), button::close(&token)]),
    };
    card
}
