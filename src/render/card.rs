//! What one event looks like, whatever carries it.

use super::button::Row;
use super::color::Color;
use super::markdown::Markdown;
use super::text::literal;
use crate::clock::Timestamp;
use crate::model::{Decision, Event, Source, Tag};

/// A name and a value below the description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: Markdown,
    /// Its value; a field without one is left out.
    pub value: Markdown,
}

/// What one event looks like. Text in it is escaped by type; lengths are settled when a message is made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The event in one line: all that push notifications and screen readers give.
    pub summary: Markdown,
    /// The fact.
    pub title: Markdown,
    /// Where the title leads to. Never from the event: from the operator's templates.
    pub url: Option<String>,
    /// The fact line and what belongs to it.
    pub description: Markdown,
    /// The long text below it: the first thing to be shortened where room is short.
    pub text: Markdown,
    /// At most two, by custom.
    pub fields: Vec<Field>,
    /// The buttons below it; only a card that travels alone has them.
    pub buttons: Option<Row>,
    /// What the legend says about it.
    pub color: Color,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Where it is from, what it is, which one it is. Discord shows a footer without any markdown.
    pub footer: String,
}

impl Card {
    /// A card that says no more than what and when.
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
            footer: format!("{} · {} · {}", source_name(event.source), event.kind, event.id.short()),
        }
    }

    /// A card about a decision whose event may be forgotten.
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

    /// With a fact line: the facts that are known, "·" between.
    pub(super) fn facts(mut self, facts: impl IntoIterator<Item = Option<Markdown>>) -> Self {
        let line = Markdown::join(facts, " · ");
        self.description = Markdown::join([Some(self.description), Some(line)], "\n");
        self
    }

    /// With another line below the fact line, if there is one.
    pub(super) fn more(mut self, line: Option<Markdown>) -> Self {
        self.description = Markdown::join([Some(self.description), line], "\n");
        self
    }

    /// With a long text, if there is one.
    pub(super) fn text(mut self, text: Option<Markdown>) -> Self {
        self.text = text.unwrap_or_default();
        self
    }

    /// With a field, if it has a value.
    pub(super) fn field(mut self, name: &'static str, value: Option<Markdown>) -> Self {
        self.fields.extend(value.map(|value| Field { name: literal(name), value }));
        self
    }

    /// The card after its event was redelivered so many times: from the second generation on its tag says so.
    #[must_use]
    pub fn redelivered(mut self, times: u32) -> Self {
        if let Some((before, id)) = self.footer.rsplit_once(' ').filter(|_| times > 0) {
            self.footer = format!("{before} {}", Tag::new(id.to_owned(), times));
        }
        self
    }

    /// Which event it shows.
    #[must_use]
    pub fn tag(&self) -> Option<Tag> {
        Tag::last_in(&self.footer)
    }

    /// With a field whose name is made for it.
    pub(super) fn named_field(mut self, name: Markdown, value: Markdown) -> Self {
        self.fields.push(Field { name, value });
        self
    }

    /// With the word that the same message may stand in the channel already.
    #[must_use]
    pub fn maybe_twice(mut self) -> Self {
        self.footer.push_str(" · may be a duplicate");
        self
    }

    /// With a title that links.
    pub(super) fn link(mut self, url: Option<String>) -> Self {
        self.url = url;
        self
    }
}

/// What people call a source.
pub(super) const fn source_name(source: Source) -> &'static str {
    match source {
        Source::XtSystems => "XTSystems",
        Source::Nuncio => "nuncio",
    }
}
