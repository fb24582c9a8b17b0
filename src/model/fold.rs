//! Folding several events about one subject into its current state.
//!
//! The order of arrival does not matter, only when things happened: a late "updated" never reopens a closed subject.

use serde_json::{Map, Value};

use crate::model::{Event, Payload, payload};

/// Fields that describe the change, not the subject: valid for their own event and for no later one.
const OF_THE_CHANGE: [&str; 19] = [
    "changes",
    "changed_fields",
    "changed",
    "diff",
    "previous",
    "old",
    "before",
    "previous_values",
    "old_values",
    "current",
    "new",
    "after",
    "new_values",
    "updated_at",
    "modified_at",
    "closed_at",
    "resolved_at",
    "close_reason",
    "reason",
];
/// Who created a subject stays true of it. Who updated, closed or approved it is true of that change only.
const OF_THE_THING: [&str; 5] = ["created_by", "requested_by", "reported_by", "opened_by", "invited_by"];
const OLD_STATE: [&str; 3] = ["previous_", "prev_", "old_"];
/// Status words that mean the subject is closed.
const DONE: [&str; 6] = ["closed", "resolved", "done", "completed", "cancelled", "canceled"];

/// The state of a subject after `events`, as one event: the newest, plus every field of earlier ones that it lacks.
/// Fields that describe a change come from the newest event or, for a closed subject, from the closing event, so that
/// no person is named for another event's change. `None` if `events` is empty.
#[must_use]
pub fn fold(events: &[Event]) -> Option<Event> {
    let mut order: Vec<&Event> = events.iter().collect();
    order.sort_by_key(|event| (event.occurred_at, event.id));
    let newest = *order.last()?;
    let origin = closing(&order).unwrap_or(newest);
    let mut data = Map::new();
    for event in &order {
        let Value::Object(fields) = &*event.data else { continue };
        let is_origin = event.id == origin.id;
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            if is_origin || !of_the_change(name) {
                data.insert(name.clone(), value.clone());
            }
        }
    }
    // Data that is not an object cannot be folded.
    let data = match data.is_empty() {
        true => newest.data.clone(),
        false => Payload::parsed(newest.source, Value::Object(data)),
    };
    Some(Event {
        id: order.iter().map(|event| event.id).max()?,
        kind: origin.kind.clone(),
        occurred_at: newest.occurred_at,
        received_at: newest.received_at,
        data,
        ..newest.clone()
    })
}

/// Whether an event closes its subject.
#[must_use]
pub fn closes(event: &Event) -> bool {
    event.meaning().closes()
}

/// The event that closed the subject, unless a later one reopened it.
fn closing<'a>(order: &[&'a Event]) -> Option<&'a Event> {
    let closing = order.iter().rev().find(|event| closes(event))?;
    let reopened = order.iter().any(|event| {
        event.occurred_at > closing.occurred_at
            && (event.meaning().reopens()
                || payload::text(&event.data, &["status", "state"])
                    .is_some_and(|status| !DONE.contains(&status.to_ascii_lowercase().as_str())))
    });
    (!reopened).then_some(*closing)
}

fn of_the_change(name: &str) -> bool {
    OF_THE_CHANGE.contains(&name)
        || OLD_STATE.iter().any(|prefix| name.starts_with(prefix))
        || (name.ends_with("_by") && !OF_THE_THING.contains(&name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::clock::{SteadyTime, Timestamp};
    use crate::model::{EventId, Kind, Mint, Source};

    fn event(mint: &Mint, kind: &str, at: i64, data: Value) -> Event {
        Event {
            id: mint.next::<EventId>(SteadyTime::from_millis(1_705_314_600_000)),
            source: Source::XtSystems,
            kind: Kind::new(kind),
            company: String::new(),
            subject: "ticket:7".to_owned(),
            occurred_at: Timestamp::from_secs(at),
            received_at: Timestamp::from_secs(at),
            data: Payload::parsed(Source::XtSystems, data),
            size: 0,
        }
    }

    #[test]
    fn what_earlier_events_said_stays_and_what_changed_is_the_newest_events() {
        let mint = Mint::new();
        let created = json!({"title": "Printer", "priority": "low", "description": "It smokes"});
        let first = json!({"priority": "high", "changes": {"priority": ["low", "high"]}});
        let folded = fold(&[
            event(&mint, "ticket.created", 1, created),
            event(&mint, "ticket.updated", 2, first),
            event(&mint, "ticket.updated", 3, json!({"assigned_to": "bob", "title": null})),
        ])
        .unwrap();
        assert_eq!(folded.kind.as_str(), "ticket.updated");
        assert_eq!(
            *folded.data,
            json!({"title": "Printer", "priority": "high", "description": "It smokes", "assigned_to": "bob"})
        );
    }

    #[test]
    fn only_what_happened_after_the_closing_reopens() {
        let mint = Mint::new();
        let closed = event(&mint, "ticket.closed", 5, json!({"resolution": "switch replaced"}));
        let kind = |at, data| {
            let later = event(&mint, "ticket.updated", at, data);
            fold(&[closed.clone(), later]).unwrap().kind.as_str().to_owned()
        };
        assert_eq!(kind(4, json!({"status": "open"})), "ticket.closed", "it came late");
        assert_eq!(kind(5, json!({"status": "open"})), "ticket.closed", "in the same second closed wins");
        assert_eq!(
            kind(6, json!({"notes": [{"content": "thanks"}]})),
            "ticket.closed",
            "a note opens nothing"
        );
        assert_eq!(kind(6, json!({"status": "resolved"})), "ticket.closed");
        assert_eq!(kind(6, json!({"status": "open"})), "ticket.updated");
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter(order in Just(vec![0, 1, 2, 3]).prop_shuffle()) {
            let mint = Mint::new();
            let events = [
                event(&mint, "ticket.created", 1, json!({"title": "Printer", "status": "open"})),
                event(&mint, "ticket.updated", 2, json!({"status": "in_progress"})),
                event(&mint, "ticket.closed", 4, json!({"status": "closed"})),
                event(&mint, "ticket.updated", 3, json!({"status": "waiting", "changes": {"status": []}})),
            ];
            let shuffled: Vec<Event> = order.into_iter().map(|at: usize| events[at].clone()).collect();
            let (one, other) = (fold(&events).unwrap(), fold(&shuffled).unwrap());
            prop_assert_eq!(&*one.data, &*other.data);
            prop_assert_eq!(one.kind.as_str(), "ticket.closed");
            prop_assert_eq!(other.kind.as_str(), "ticket.closed");
        }
    }
}
