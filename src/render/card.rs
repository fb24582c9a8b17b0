//! The card: the presentation of one event, independent of the message that carries it.

use super::button::ButtonRow;
use super::clean;
use super::color::Color;
use super::markdown::Markdown;
use super::text::literal;
use crate::clock::Timestamp;
use crate::model::{Decision, Event, Source, Tag};

/// A name and a value below the description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The heading.
    pub name: Markdown,
    /// The value; a field without one is left out.
    pub value: Markdown,
    /// Whether others may stand beside it, where there is room.
    pub inline: bool,
}

/// The presentation of one event. Text in it is escaped by type; its length is limited when a message is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The event in one line: the only part in push notifications and for screen readers.
    pub summary: Markdown,
    /// The main fact.
    pub title: Markdown,
    /// The title's link. Never from the event: from the operator's templates.
    pub url: Option<String>,
    /// The fact line and the lines that belong to it.
    pub description: Markdown,
    /// The long text below it: the first part to be shortened when space is short.
    pub text: Markdown,
    /// At most two, by convention.
    pub fields: Vec<Field>,
    /// The buttons below it; only a card that is alone in its message has them.
    pub buttons: Option<ButtonRow>,
    /// The meaning of the color bar.
    pub color: Color,
    /// When the event happened.
    pub timestamp: Timestamp,
    /// Source, kind and short id. Discord shows a footer without any markdown.
    pub footer: String,
}

impl Card {
    /// A minimal card: what and when.
    pub(super) fn new(event: &Event, color: Color, title: Markdown, summary: Markdown) -> Self {
        Self {
            summary,
            title,
            url: None,
            description: Markdown::default(),
            text: Markdown::default(),
            fields: Vec::new(),
            buttons: None,
            color,
            timestamp: event.occurred_at,
            footer: footer(event),
        }
    }

    /// A card about a decision whose event may no longer be stored.
    pub(super) fn about(decision: &Decision, event: Option<&Event>, color: Color, title: Markdown) -> Self {
        Self {
            summary: title.clone(),
            title,
            url: None,
            description: Markdown::default(),
            text: Markdown::default(),
            fields: Vec::new(),
            buttons: None,
            color,
            timestamp: event.map_or(decision.created_at, |event| event.occurred_at),
            footer: format!("{} · {}", source_name(decision.source), decision.id.short()),
        }
    }

    /// Adds a fact line: the known facts, separated by "·".
    pub(super) fn facts(mut self, facts: impl IntoIterator<Item = Option<Markdown>>) -> Self {
        let line = Markdown::join(facts, " · ");
        self.description = Markdown::join([Some(self.description), Some(line)], "\n");
        self
    }

    /// Adds a line below the fact line, if there is one.
    pub(super) fn more(mut self, line: Option<Markdown>) -> Self {
        self.description = Markdown::join([Some(self.description), line], "\n");
        self
    }

    /// Sets the long text, if there is one.
    pub(super) fn text(mut self, text: Option<Markdown>) -> Self {
        self.text = text.unwrap_or_default();
        self
    }

    /// Adds a field, if it has a value.
    pub(super) fn field(mut self, name: &'static str, value: Option<Markdown>) -> Self {
        self.fields.extend(value.map(|value| Field { name: literal(name), value, inline: false }));
        self
    }

    /// Adds a short field, if it has a value: others may stand beside it.
    pub(super) fn short_field(mut self, name: &'static str, value: Option<Markdown>) -> Self {
        self.fields.extend(value.map(|value| Field { name: literal(name), value, inline: true }));
        self
    }

    /// Signs the card with `brand` instead of the source; the event's tag stays.
    #[must_use]
    pub fn branded(mut self, brand: &str) -> Self {
        if let (Some(brand), Some((_, tag))) = (clean::line(brand, BRAND), self.footer.rsplit_once(" · ")) {
            self.footer = format!("{brand} · {tag}");
        }
        self
    }

    /// Marks the card as redelivered `times` times: from the second generation on its tag shows it.
    #[must_use]
    pub fn redelivered(mut self, times: u32) -> Self {
        if let Some((before, id)) = self.footer.rsplit_once(' ').filter(|_| times > 0) {
            self.footer = format!("{before} {}", Tag::new(id.to_owned(), times));
        }
        self
    }

    /// The tag of the event that it shows.
    #[must_use]
    pub fn tag(&self) -> Option<Tag> {
        Tag::last_in(&self.footer)
    }

    /// Adds a field with a computed name.
    pub(super) fn named_field(mut self, name: Markdown, value: Markdown) -> Self {
        self.fields.push(Field { name, value, inline: false });
        self
    }

    /// Marks the card as a possible duplicate: the same message may already be in the channel.
    #[must_use]
    pub fn mark_possible_duplicate(mut self) -> Self {
        self.footer.push_str(" · may be a duplicate");
        self
    }

    /// Links the title.
    pub(super) fn link(mut self, url: Option<String>) -> Self {
        self.url = url;
        self
    }
}

/// Maximum graphemes of a brand in a footer.
const BRAND: usize = 80;

/// Source, kind and tag; a dispatch shows its brand instead, because it may be for the platform's customers.
fn footer(event: &Event) -> String {
    let (name, tag) = (source_name(event.source), event.id.short());
    match event.source {
        Source::Dispatch => format!("{name} · {tag}"),
        Source::XtSystems | Source::Nuncio => format!("{name} · {} · {tag}", event.kind),
    }
}

/// The display name of a source.
pub(super) const fn source_name(source: Source) -> &'static str {
    match source {
        Source::XtSystems => "XTSystems",
        Source::Nuncio | Source::Dispatch => "nuncio",
    }
}
