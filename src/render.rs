//! Rendering: event → card → message body. All of it is pure: no I/O, no clock, no configuration other than its
//! arguments.
//!
//! Owns what members see. It must not know where a message goes, how it is sent, or which roles it pings. The
//! invariants: any JSON in any field gives a card; external text is escaped by type ([`Markdown`]); the results of
//! [`message`] and [`plain`] are within all of Discord's limits.

mod action_buttons;
mod alert;
mod asked;
mod asset;
mod body;
mod button;
mod card;
mod change;
mod clean;
mod color;
mod decided;
mod details;
mod digest;
mod directory;
mod dispatch;
mod escape;
mod facts;
mod fit;
mod generic;
mod living;
mod machine;
mod markdown;
mod mute;
mod notice;
mod reply;
mod sample;
mod test_event;
mod text;
mod ticket;

pub use asked::DecisionContext;
pub use body::{AllowedMentions, Body, Embed, EmbedField, EmbedFooter, Reference};
pub use button::{Button, ButtonRow};
pub use card::{Card, Field};
pub use color::Color;
pub use decided::late as late_word;
pub use details::details;
pub use digest::Digest;
pub use escape::Surface;
pub use fit::{lines, message, pack, plain};
pub use living::{is_late, late, living};
pub use markdown::Markdown;
pub use reply::{mark_possible_duplicate, reply, without_label};
pub use test_event::{channel as channel_test, webhook as webhook_test};
pub use text::{block, code, day, listing, literal, moment, number, paragraph, short, text};

pub use crate::model::{LinkTemplate, Links};

use crate::model::{DecisionKind, Event, Family};
use facts::Facts;

/// The context of a card besides its event.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The customer's name, learned from earlier events.
    pub company_name: Option<&'a str>,
    /// The templates of the links in titles.
    pub links: &'a Links,
    /// The decision about the event; `None` if it is not known.
    pub asked: Option<&'a DecisionContext>,
}

/// Draws the card of `event`.
#[must_use]
pub fn card(event: &Event, view: &View<'_>) -> Card {
    let card = of_kind(event, view);
    if event.is_sample() { sample::marked(card) } else { card }
}

fn of_kind(event: &Event, view: &View<'_>) -> Card {
    let facts = Facts::new(event, view);
    let meaning = event.meaning();
    let drawn = match meaning.family {
        Family::Ticket => ticket::card(&facts, meaning.action()),
        Family::Asset => asset::card(&facts, meaning.action()),
        Family::Machine => decided::card(&facts, meaning.action(), view.asked),
        Family::Alert => alert::card(&facts, meaning.action()),
        Family::User => directory::user_card(&facts, meaning.action()),
        Family::Company => directory::company_card(&facts, meaning.action()),
        Family::Test => Some(test_event::arrived(&facts)),
        Family::Settings => dispatch::operations::settings(&facts),
        Family::Server => dispatch::operations::server(&facts),
        Family::Sync => dispatch::operations::sync(&facts, meaning.action()),
        Family::System => dispatch::alerts::system(&facts),
        Family::Node => dispatch::alerts::node(&facts),
        Family::Support => dispatch::customers::support(&facts, meaning.action()),
        Family::Billing => dispatch::customers::billing(&facts, meaning.action()),
        Family::Custom => dispatch::custom::card(&facts),
        Family::Notice => notice::card(&facts, event.kind.as_str()),
        Family::Decision | Family::Other => None,
    };
    drawn.unwrap_or_else(|| generic::happened(&facts))
}

/// Adds the buttons of the decision to `card`, and the results of clicks; or why there are no buttons.
#[must_use]
pub fn with_buttons(card: Card, asked: &DecisionContext) -> Card {
    if let Some(kind) = asked.sample {
        return sample::with_buttons(card, kind);
    }
    let card = match asked.decision.as_ref().map(|decision| decision.kind) {
        Some(DecisionKind::Ticket) => action_buttons::ticket(card, asked),
        Some(DecisionKind::Alert) => action_buttons::alert(card, asked),
        Some(_) => return card,
        None => card,
    };
    match asked.no_buttons {
        Some(why) => Card { buttons: None, ..card.more(Some([literal("⚠️ "), literal(why)].into())) },
        None => card,
    }
}

/// Cleans `text` to one line of at most `max` graphemes, for storage; `None` if nothing visible remains.
#[must_use]
pub fn line(text: &str, max: usize) -> Option<String> {
    clean::line(text, max)
}

/// The fallback card, for an event whose own card could not be drawn. It reads nothing from the payload.
#[must_use]
pub fn unreadable(event: &Event) -> Card {
    let kind = || text(event.kind.as_str());
    let title = [literal("📨 "), kind()].into();
    let summary = [kind(), literal(" arrived, but could not be shown")].into();
    let mut card = Card::new(event, Color::Look, title, summary);
    card.description = [
        literal("This event could not be shown; it is kept: "),
        code(&format!("nuncio events show {}", event.id)),
    ]
    .into();
    card
}
