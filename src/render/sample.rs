//! Sample events: cards that show what real ones look like, and cannot be taken for one.

use super::button::{self, Row};
use super::text::literal;
use super::{Card, Markdown};
use crate::model::{DecisionKind, Token};

/// What a sample calls its customer.
pub(super) const CUSTOMER: &str = "Sample";

/// `card` with the mark in the summary, the title and the footer. The end of the footer stays: it says which event this is.
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

/// `card` with the buttons that a real one begins with. All of them lead to one answer.
pub(super) fn with_buttons(mut card: Card, matter: DecisionKind) -> Card {
    let token = Token::sample();
    card.buttons = match matter {
        DecisionKind::Machine => Row::of([button::approve(&token), button::deny(&token)]),
        DecisionKind::Alert => Row::of([button::on_it(&token), button::mute(&token)]),
        _ => Row::of([button::take(&token), button::note(&token), button::close(&token)]),
    };
    card
}
