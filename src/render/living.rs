//! Living cards, which cover several events, and the label of late cards.

use std::time::Duration;

use serde_json::{Value, json};

use super::facts::Facts;
use super::{Card, View, card};
use crate::model::{Event, Payload};

/// The minimum age of a late event.
const LATE: Duration = Duration::from_secs(600);

/// The card of a subject in its current state: `event` is its events folded into one, `times` their number, `first` the
/// first of them.
#[must_use]
pub fn living(event: &Event, times: u64, first: &Event, view: &View<'_>) -> Card {
    if event.meaning().repeats() && times > 1 {
        return card(&counted(event, times, first), view);
    }
    let mut card = card(event, view);
    // An "updated" event may lack the subject's description.
    if card.text.is_empty() {
        let text = Facts::new(event, view).paragraph(&["description", "body", "message"]);
        card = card.text(text);
    }
    card
}

/// The alert with its number of occurrences, the first and the last time.
fn counted(event: &Event, times: u64, first: &Event) -> Event {
    let mut data = match &*event.data {
        Value::Object(fields) => fields.clone(),
        _ => serde_json::Map::new(),
    };
    let claimed = ["count", "occurrences", "repeat_count"].iter().find_map(|name| data.get(*name)?.as_u64());
    data.insert("count".to_owned(), json!(times.max(claimed.unwrap_or(0))));
    let known = ["first_seen", "first_seen_at", "first_occurred_at", "started_at"];
    if !known.iter().any(|name| data.contains_key(*name)) {
        data.insert("first_seen".to_owned(), json!(first.occurred_at.as_secs()));
    }
    data.insert("last_seen".to_owned(), json!(event.occurred_at.as_secs()));
    Event { data: Payload::parsed(event.source, Value::Object(data)), ..event.clone() }
}

/// Labels `card` as late if it is sent `age` after its event, with the reason. The end of the footer stays: it
/// identifies the event.
#[must_use]
pub fn late(mut card: Card, age: Duration, why: Option<&str>) -> Card {
    if age < LATE {
        return card;
    }
    let age = lateness(age);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let (before, tag) = card.footer.rsplit_once(" · ").unwrap_or(("", &card.footer));
    // Kinds may be long; the footer keeps its end within Discord's limit and ours.
    let before: String = before.chars().take(80).collect();
    card.footer = format!("{before} · {age}{why} · {tag}");
    card
}

/// A label such as "12 min late".
pub(super) fn lateness(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    match (minutes / 60, minutes / (24 * 60)) {
        (0, _) => format!("{minutes} min late"),
        (hours, 0) => format!("{hours} h {} min late", minutes % 60),
        (hours, days) => format!("{days} d {} h late", hours % 24),
    }
}

/// Whether an event of this age counts as late: its card is labeled, and pings no role.
#[must_use]
pub fn is_late(age: Duration) -> bool {
    age >= LATE
}
