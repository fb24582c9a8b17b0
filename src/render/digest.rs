//! The digest: one message for many events, sent when one card for each would take hours.

mod line;

use std::collections::HashMap;
use std::time::Duration;

use super::card::Card;
use super::living::lateness;
use super::text::{literal, number, short};
use super::{Color, Markdown, Surface, View};
use crate::clock::{SteadyTime, Timestamp};
use crate::model::{Event, EventHeader, EventId, Family, MessageId, Severity};
use line::Line;

/// How many events are listed under "Look first".
const LOOK_FIRST: usize = 10;
/// Maximum number of lines in a digest that names each of its events.
const LINES: usize = 50;
/// How many lines one field holds: ten stay below its 1024 units.
const IN_FIELD: usize = 10;
/// How many kinds and customers are named; only a few if fifty lines must fit below.
const NAMED: usize = 12;
const FEW: usize = 3;
/// Maximum units of a description above fifty lines: together they stay below a message's 6000.
const ABOVE: usize = 450;
/// Maximum graphemes of a kind's or customer's name.
const NAME: usize = 60;
const DAY: i64 = 24 * 3600;

/// An aggregate of many events: one line for each if they are few enough, else lines for the most important ones.
/// Events are added one by one, so they need not be in memory together; only the bodies of the [`first`](Self::first)
/// are ever read.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    events: u64,
    /// How many of the events are urgent alerts.
    urgent: u64,
    span: Option<(Timestamp, Timestamp)>,
    /// The first and the last received event.
    came: Option<(EventId, EventId)>,
    kinds: HashMap<String, u64>,
    severities: HashMap<String, u64>,
    worst: Option<Severity>,
    customers: HashMap<String, u64>,
    /// The most important events, the most important first; only one for each subject.
    lines: Vec<Line>,
    /// Whether there were more than fit.
    more: bool,
}

impl Digest {
    /// Adds an event to the aggregate.
    pub fn add(&mut self, event: &EventHeader, company_name: Option<&str>) {
        self.events += 1;
        self.urgent += u64::from(event.meaning().is_urgent(event.severity));
        let (from, to) = self.span.unwrap_or((event.occurred_at, event.occurred_at));
        self.span = Some((from.min(event.occurred_at), to.max(event.occurred_at)));
        let (first, last) = self.came.unwrap_or((event.id, event.id));
        self.came = Some((first.min(event.id), last.max(event.id)));
        count(&mut self.kinds, &event.kind.canonical());
        count(&mut self.severities, event.severity.map_or("unknown", Severity::as_str));
        self.worst = self.worst.max(event.severity);
        count(&mut self.customers, beginning(company_name.unwrap_or(&event.company)));
        let mut new = Line::of(event, event.meaning().importance(event.severity));
        if let Some(at) = self.lines.iter().position(|line| line.is_of(event)) {
            let known = &mut self.lines[at];
            // For an alert the worst event counts, for any other subject the newest state.
            if Family::of_subject(&event.subject) == Family::Alert && known.weight >= new.weight {
                known.times += 1;
                return;
            }
            new.times += known.times;
            self.lines.remove(at);
        }
        let place = self.lines.partition_point(|line| line.weight >= new.weight);
        self.more |= self.lines.len() == LINES;
        if place < LINES {
            self.lines.truncate(LINES - 1);
            self.lines.insert(place, new);
        }
    }

    /// Adds an event only if each one can still have a line. Returns whether it was added.
    pub fn names_too(&mut self, event: &EventHeader) -> bool {
        let fits = self.lines.len() < LINES || self.lines.iter().any(|line| line.is_of(event));
        if fits {
            self.add(event, None);
        }
        fits
    }

    /// The events with a line, each of which must be [rendered](Self::tell).
    pub fn first(&self) -> impl Iterator<Item = EventId> {
        self.lines.iter().map(|line| line.id)
    }

    /// Renders the line of one of the first events.
    pub fn tell(&mut self, event: &Event, view: &View<'_>) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.id == event.id) {
            line.tell(event, view);
        }
    }

    /// How many events were added.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// When the first of them was received.
    #[must_use]
    pub fn oldest(&self) -> Option<SteadyTime> {
        self.came.map(|(first, _)| first.minted_at())
    }

    /// When the last of them was received.
    #[must_use]
    pub fn newest(&self) -> Option<SteadyTime> {
        self.came.map(|(_, last)| last.minted_at())
    }

    /// The digest's card. `late`: how late it is sent, and a short reason for the delay, if one is known.
    #[must_use]
    pub fn card(&self, message: MessageId, late: Option<(Duration, Option<&str>)>) -> Card {
        let (from, to) = self.span.unwrap_or_default();
        let urgent = self.urgent == self.events;
        let (sign, one, many) = if urgent {
            ("🚨 ", " urgent alert", " urgent alerts")
        } else {
            ("📦 ", " event", " events")
        };
        let count = [number(self.events), literal(if self.events == 1 { one } else { many })];
        let title = [literal(sign), Markdown::from(count.clone()), literal(", "), span(from, to)];
        let named = if self.is_long() { FEW } else { NAMED };
        let sorts = |most| counts(if urgent { &self.severities } else { &self.kinds }, most);
        let summary = [literal(sign), count.into(), literal(" in one message: "), sorts(FEW)];
        let late = late.map(|(age, why)| {
            let why = why.map(|why| [literal(": "), short(why, 100)].into()).unwrap_or_default();
            [short(&lateness(age), 40), why, literal(".")].into()
        });
        let description =
            Markdown::join([Some(sorts(named)), Some(counts(&self.customers(), named)), late], "\n");
        let command = format!("nuncio events --digest {}", message.short());
        let card = Card {
            summary: summary.into(),
            title: title.into(),
            url: None,
            description: if self.is_long() { description.cut(ABOVE, Surface::Embed) } else { description },
            text: [
                literal("Nothing was lost: every event is kept. "),
                super::code(&command),
                literal(if self.events == 1 { " shows it." } else { " lists exactly these." }),
            ]
            .into(),
            fields: Vec::new(),
            buttons: None,
            color: if urgent { Color::of(self.worst) } else { Color::Look },
            timestamp: to,
            footer: format!("nuncio · digest · {}", message.short()),
        };
        self.with_lines(card, from, to)
    }

    /// Whether every event has a line, and they are many.
    fn is_long(&self) -> bool {
        !self.more && self.lines.len() > LOOK_FIRST
    }

    fn with_lines(&self, mut card: Card, from: Timestamp, to: Timestamp) -> Card {
        let mut lines = line::merged(&self.lines);
        if self.more {
            lines.truncate(LOOK_FIRST);
        }
        let dated = day(from) != day(to);
        let total = lines.len();
        for (at, some) in lines.chunks(IN_FIELD).enumerate() {
            let first = at * IN_FIELD;
            let name = match (self.more, total <= IN_FIELD) {
                (true, _) => literal("Look first"),
                (false, true) => literal("All of them"),
                (false, false) => short(&format!("{}–{} of {total}", first + 1, first + some.len()), 20),
            };
            let value = Markdown::join(some.iter().map(|line| Some(line.write(dated, self.more))), "\n");
            card = card.named_field(name, value);
        }
        card
    }

    /// The customers by their displayed names.
    fn customers(&self) -> HashMap<String, u64> {
        let mut customers: HashMap<String, u64> = HashMap::new();
        for (customer, events) in &self.customers {
            if let Some(customer) = super::line(customer, NAME) {
                *customers.entry(customer).or_default() += events;
            }
        }
        customers
    }
}

const fn day(at: Timestamp) -> i64 {
    at.as_secs().div_euclid(DAY)
}

fn count(counts: &mut HashMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}

/// The part of a name that is processed: a sender may use a name of a megabyte.
fn beginning(name: &str) -> &str {
    name.char_indices().nth(10 * NAME).map_or(name, |(end, _)| &name[..end])
}

/// A list such as "120 ticket.created · 80 alert.triggered · and 3 more".
fn counts(counts: &HashMap<String, u64>, most: usize) -> Markdown {
    let mut sorted: Vec<(&String, &u64)> = counts.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let more = sorted.len().saturating_sub(most);
    let more = (more > 0).then(|| [literal("and "), number(more as u64), literal(" more")].into());
    let named = sorted
        .iter()
        .take(most)
        .map(|(name, count)| Some([number(**count), literal(" "), short(name, NAME)].into()));
    Markdown::join(named.chain([more]), " · ")
}

/// A time span such as "02:10–02:14 UTC", with the dates if they differ.
fn span(from: Timestamp, to: Timestamp) -> Markdown {
    // 2024-01-15T10:30:00.000Z
    let (first, last) = (from.to_rfc3339(), to.to_rfc3339());
    let time = |text: &str| text.get(11..16).unwrap_or_default().to_owned();
    let date = |text: &str| text.get(..10).unwrap_or_default().to_owned();
    let text = if day(from) == day(to) {
        format!("{}–{} UTC", time(&first), time(&last))
    } else {
        format!("{} {} – {} {} UTC", date(&first), time(&first), date(&last), time(&last))
    };
    short(&text, 60)
}
