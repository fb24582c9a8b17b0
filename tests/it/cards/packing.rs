//! Several cards in one message, and digests: never over a limit, in order, nothing dropped, nothing shortened to fit.

use nuncio::model::{Event, EventId, Links};
use nuncio::render::{self, Card, Digest, View};
use proptest::prelude::*;

use super::event;
use super::hostile::{broken_limit, config, effect, events, text, texts};

const VIEW: View<'static> =
    View { company_name: None, links: &Links { ticket: None, asset: None, machine: None }, asked: None };

fn numbered(events: &[(String, String, serde_json::Value)]) -> Vec<Event> {
    with_ids(events.iter().map(|(kind, company, data)| event(kind, company, data.clone())))
}

/// Events are known by their ids.
fn with_ids(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let number = |at: usize, one: Event| Event {
        id: format!("evt_018d0cd5f04070008000c0ffee{at:06}").parse::<EventId>().unwrap(),
        ..one
    };
    events.into_iter().enumerate().map(|(at, one)| number(at, one)).collect()
}

/// Sums up as a lane does: all are counted, the first are told.
fn fold_events(events: &[Event], view: &View<'_>) -> Digest {
    let mut digest = Digest::default();
    events.iter().for_each(|event| digest.add(&event.into(), view.company_name));
    let first: Vec<EventId> = digest.first().collect();
    events.iter().filter(|event| first.contains(&event.id)).for_each(|event| digest.tell(event, view));
    digest
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn packs_keep_every_limit_and_the_order_and_drop_nothing(
        some in events(), more in events(), others in events(),
    ) {
        let events = numbered(&[some, more, others].concat());
        let cards: Vec<Card> = events.iter().map(|event| render::card(event, &VIEW)).collect();
        let mut rest = &cards[..];
        let mut footers = Vec::new();
        while !rest.is_empty() {
            let (pack, left) = rest.split_at(render::pack(rest));
            let body = render::message(pack, &[]);
            prop_assert_eq!(body.embeds.len(), pack.len());
            if pack.len() > 1 {
                for (embed, card) in body.embeds.iter().zip(pack) {
                    prop_assert_eq!(embed, &render::message(std::slice::from_ref(card), &[]).embeds[0]);
                }
            }
            footers.extend(body.embeds.iter().map(|embed| embed.footer.text.clone()));
            let body = serde_json::to_value(body).unwrap();
            prop_assert_eq!(broken_limit(&body), None, "{:#}", body);
            rest = left;
        }
        let expected: Vec<String> = cards.iter().map(|card| card.footer.clone()).collect();
        prop_assert_eq!(footers, expected);
    }

    #[test]
    fn a_digest_counts_everything_and_keeps_every_limit(some in events(), more in events(), why in text()) {
        let events = numbered(&[some, more].concat());
        let digest = fold_events(&events, &VIEW);
        prop_assert_eq!(digest.events(), events.len() as u64);
        let late = Some((std::time::Duration::from_secs(90_000), Some(why.as_str())));
        let card = digest.card("msg_018d0cd5f04070008000c0ffee123456".parse().unwrap(), late);
        let body = serde_json::to_value(render::message(&[card], &[])).unwrap();
        prop_assert_eq!(broken_limit(&body), None, "{:#}", body);
        for text in texts(&body) {
            prop_assert_eq!(effect(&text), None, "in {:?}", text);
        }
    }

    /// A folded event is a card like any other, and the line that answers it does nothing either.
    #[test]
    fn folded_events_and_lines_do_nothing(some in events(), more in events()) {
        let (before, all) = (numbered(&some), numbered(&[some, more].concat()));
        let (Some(before), Some(after)) = (nuncio::model::fold(&before), nuncio::model::fold(&all)) else {
            return Ok(());
        };
        let card = render::late(
            render::living(&after, 14, &before, &VIEW),
            std::time::Duration::from_secs(90_000),
            Some("Discord answered 503"),
        );
        let line = render::reply(&before, &after, &[&after], &VIEW);
        let bodies = [render::message(&[card], &[]), render::lines(&line.into_iter().collect::<Vec<_>>())];
        for body in bodies {
            let body = serde_json::to_value(body).unwrap();
            prop_assert_eq!(broken_limit(&body), None, "{:#}", body);
            for text in texts(&body) {
                prop_assert_eq!(effect(&text), None, "in {:?}", text);
            }
        }
    }
}

// Taken away (control): the search for the same subject. Then the alert takes all ten lines.
#[test]
fn of_one_thing_a_digest_looks_at_the_worst_or_the_newest() {
    let about = |subject: &str, kind: &str, data: serde_json::Value| Event {
        subject: subject.to_owned(),
        ..event(kind, "", data)
    };
    let alert = |severity: &str| {
        about(
            "alert:disk",
            "alert.triggered",
            serde_json::json!({"severity": severity, "title": "Disk full"}),
        )
    };
    let ticket = |kind| about("ticket:1", kind, serde_json::json!({"id": 1, "seq_id": 1, "title": "Router"}));
    let alerts = ["warning", "critical"].into_iter().chain(["warning"; 20]).map(alert);
    let events = with_ids(alerts.chain(["ticket.created", "ticket.closed"].map(ticket)));
    let digest = fold_events(&events, &VIEW);
    let card = digest.card("msg_018d0cd5f04070008000c0ffee123456".parse().unwrap(), None);
    let body = render::message(&[card], &[]);
    assert_eq!(
        body.embeds[0].fields[0].value,
        "• 10:30 CRITICAL: Disk full ×22 #ee000001\n• 10:30 #1 closed: Router ×2 #ee000023"
    );
    assert_eq!(digest.events(), 24);
}

// A sender that signs may send ten thousand of these: what a digest keeps of each must not grow with it.
#[test]
fn a_digest_does_not_keep_a_name_a_megabyte_long() {
    let mut digest = Digest::default();
    for number in 0..3 {
        let company = format!("{number}{}", "c".repeat(1 << 20));
        let event = event("printer.jammed", &company, serde_json::json!({}));
        digest.add(&(&event).into(), None);
        digest.add(&(&event).into(), Some(&company));
    }
    let kept = format!("{digest:?}").len();
    assert!(digest.events() == 6 && kept < 10_000, "{kept} bytes");
}
