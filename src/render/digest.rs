//! The digest: what is sent when so much waits that a card each would take hours.

use std::collections::HashMap;

use super::card::Card;
use super::escape::{literal, number, short};
use super::{Color, Markdown, Surface, View, card};
use crate::clock::Timestamp;
use crate::model::{Event, EventId, MessageId, Severity, Source, Summand};

/// How many events stand under "Look first".
const LOOK_FIRST: usize = 10;
/// Units of a line there; ten of them stay below a field's 1024.
const LINE: usize = 90;
/// How many kinds and customers are named.
const NAMED: usize = 12;
/// How much of such a name is told.
const NAME: usize = 60;
const DAY: i64 = 24 * 3600;

/// Many events in few words. Taken in one by one, so that they need not be in memory together; only the bodies of the
/// [`first`](Self::first) are ever read.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    events: u64,
    span: Option<(Timestamp, Timestamp)>,
    kinds: HashMap<String, u64>,
    customers: HashMap<String, u64>,
    /// The most important ones, the most important first; of one thing only one.
    first: Vec<Line>,
}

/// One event in a line.
#[derive(Clone, Debug)]
struct Line {
    weight: u8,
    id: EventId,
    source: Source,
    subject: String,
    /// What it says, once it has been told.
    line: Option<Markdown>,
}

impl Digest {
    /// Takes an event in.
    pub fn add(&mut self, event: &Summand, company_name: Option<&str>) {
        self.events += 1;
        let (from, to) = self.span.unwrap_or((event.occurred_at, event.occurred_at));
        self.span = Some((from.min(event.occurred_at), to.max(event.occurred_at)));
        count(&mut self.kinds, &event.kind.canonical());
        count(&mut self.customers, beginning(company_name.unwrap_or(&event.company)));
        let weight = importance(event);
        let same = |line: &Line| {
            !event.subject.is_empty() && (line.source, &line.subject) == (event.source, &event.subject)
        };
        if let Some(at) = self.first.iter().position(same) {
            // Of an alert the worst counts, of anything else how it stands now.
            if event.subject.starts_with("alert:") && self.first[at].weight > weight {
                return;
            }
            self.first.remove(at);
        }
        let place = self.place(weight);
        if place < LOOK_FIRST {
            let (id, source, subject) = (event.id, event.source, event.subject.clone());
            self.first.insert(place, Line { weight, id, source, subject, line: None });
            self.first.truncate(LOOK_FIRST);
        }
    }

    /// The most important ones, each of which should be [told](Self::tell).
    pub fn first(&self) -> impl Iterator<Item = EventId> {
        self.first.iter().map(|line| line.id)
    }

    /// Says in a line what one of the first is.
    pub fn tell(&mut self, event: &Event, view: &View<'_>) {
        let told = card(event, view).summary.cut(LINE, Surface::Embed);
        if let Some(line) = self.first.iter_mut().find(|line| line.id == event.id) {
            line.line = Some(told);
        }
    }

    /// Where an event of this weight stands among the first.
    fn place(&self, weight: u8) -> usize {
        self.first.partition_point(|line| line.weight >= weight)
    }

    /// How many events it has taken in.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// When the first of them happened.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        self.span.map(|(from, _)| from)
    }

    /// Its card. `why` says in a few words what kept the events, if that is known.
    #[must_use]
    pub fn card(&self, message: MessageId, why: Option<&str>) -> Card {
        let (from, to) = self.span.unwrap_or_default();
        let count = [number(self.events), literal(if self.events == 1 { " event" } else { " events" })];
        let title = [literal("📦 "), Markdown::from(count.clone()), literal(", "), span(from, to)];
        let summary = [literal("📦 "), count.into(), literal(" in one message: "), counts(&self.kinds, 3)];
        let mut customers: HashMap<String, u64> = HashMap::new();
        for (customer, events) in &self.customers {
            if let Some(customer) = super::line(customer, NAME) {
                *customers.entry(customer).or_default() += events;
            }
        }
        let lines = self.first.iter().map(|first| Some([literal("• "), first.line.clone()?].into()));
        Card {
            summary: summary.into(),
            title: title.into(),
            url: None,
            description: Markdown::join(
                [
                    Some(counts(&self.kinds, NAMED)),
                    Some(counts(&customers, NAMED)),
                    why.map(|why| short(why, 100)),
                ],
                "\n",
            ),
            text: literal("Nothing was lost: every event is kept. `nuncio events` lists them."),
            fields: Vec::new(),
            buttons: None,
            color: Color::Look,
            timestamp: to,
            footer: format!("nuncio · digest · {}", message.short()),
        }
        .field("Look first", Some(Markdown::join(lines, "\n")))
    }
}

fn count(counts: &mut HashMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}

/// As much of a name as may be looked at: a sender may give one a megabyte long.
fn beginning(name: &str) -> &str {
    name.char_indices().nth(10 * NAME).map_or(name, |(end, _)| &name[..end])
}

/// The higher, the sooner somebody should look.
fn importance(event: &Summand) -> u8 {
    let severity = match event.severity {
        Some(Severity::Critical) => 40,
        Some(Severity::Error) => 30,
        Some(Severity::Warning) => 20,
        Some(Severity::Info) | None => 10,
    };
    let kind = event.kind.canonical();
    let done = ["ticket.closed", "machine.approved", "webhook.test"].contains(&&*kind);
    let family = match kind.split('.').next().unwrap_or_default() {
        _ if done => 0,
        "machine" | "alert" => 9,
        "ticket" => 6,
        _ => 3,
    };
    severity + family
}

/// "120 ticket.created · 80 alert.triggered · 3 more kinds"
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

/// "02:10–02:14 UTC", with the days if they are not one.
fn span(from: Timestamp, to: Timestamp) -> Markdown {
    // 2024-01-15T10:30:00.000Z
    let (first, last) = (from.to_rfc3339(), to.to_rfc3339());
    let time = |text: &str| text.get(11..16).unwrap_or_default().to_owned();
    let day = |text: &str| text.get(..10).unwrap_or_default().to_owned();
    let text = if from.as_secs().div_euclid(DAY) == to.as_secs().div_euclid(DAY) {
        format!("{}–{} UTC", time(&first), time(&last))
    } else {
        format!("{} {} – {} {} UTC", day(&first), time(&first), day(&last), time(&last))
    };
    short(&text, 60)
}
