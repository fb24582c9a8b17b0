//! What is over is removed after `RETENTION_DAYS`, little by little; what waits stays.
//!
//! | protection | control: taken away, and seen red |
//! | --- | --- |
//! | what waits is never removed | `status IN (…)` left out of the choice |
//! | what a mute silenced waits for its sum | the look at `mutes` left out |
//! | an open question keeps its card | the look at `decisions` left out |
//! | a unit is at most 100 rows | its room not counted |
//! | a person's redelivery in between wins | the check left out of the unit |

use std::time::{Duration, Instant};

use nuncio::hub::Tidied;
use nuncio::model::{DeliveryFilter, DeliveryId, Revived};
use nuncio::sandbox::discord::{Fault, RateLimits};
use nuncio::store::RetentionTable;
use serde_json::{Value, json};
use tracing::Level;

use crate::database::Database;
use crate::harness::{Harness, at_shell, by, within};

const DAY: Duration = Duration::from_secs(86_400);

fn ticket(number: usize, title: &str) -> Value {
    json!({"event_type": "ticket.created", "data": {"id": number, "seq_id": number, "title": title}, "timestamp": 1_705_314_600})
}

/// A nuncio that keeps everything for a century: tests tidy up by hand.
async fn by_hand() -> Harness {
    Harness::with(|variables| drop(variables.insert("RETENTION_DAYS".to_owned(), "36525".to_owned()))).await
}

/// How many rows a table holds.
async fn rows(t: &Harness, table: &'static str) -> i64 {
    let database = Database::open(t.store().path()).await.unwrap();
    database.value(format!("SELECT COUNT(*) FROM {table}")).await.unwrap()
}

/// Hours go by until this stands in the log. The hour before the next look begins when the last look has ended, and
/// nobody sees that: it may be later than the test thinks.
async fn seen_some_hour(t: &Harness, text: &str) {
    let seen = t.log.seen(Level::INFO, text);
    tokio::pin!(seen);
    loop {
        tokio::select! {
            biased;
            () = &mut seen => break,
            // The clock waits for the database, as the look does.
            _ = t.store().backlog() => t.clock.advance(Duration::from_secs(3600)),
        }
    }
}

#[tokio::test]
async fn what_is_over_goes_with_all_that_belongs_to_it_and_what_waits_stays() {
    let mut t = Harness::plain().await;
    let id = |name: &str| t.discord.channel_id(name).unwrap().to_string();
    let map = json!({"ticket.*": [id("tickets")], "asset.*": [id("assets")]});
    t.set("DISCORD_WEBHOOK_CHANNELS", map.to_string());
    t.restart().await;
    // One arrives, one dies, one has no route, one cannot be read, one waits.
    t.sends_body(ticket(1, "Printer")).await;
    t.channel("tickets").next_message().await;
    t.discord.faults().next_about("/messages", "Poison", 2, Fault::refusal(400, 50035, "Invalid Form Body"));
    t.sends_body(ticket(2, "Poison")).await;
    t.settle().await;
    t.log.expect(Level::ERROR, "refused a message for good");
    t.sends_body(json!({"event_type": "printer.jammed", "data": {}})).await;
    let now = t.clock.now().as_secs().to_string();
    assert_eq!(t.platform().post(&now, "{\"event_type\":").await.unwrap().status, 400);
    t.discord.faults().next_on("/messages", usize::MAX, Fault::status(503));
    t.sends("asset_created.json").await;

    t.clock.advance(29 * DAY);
    assert_eq!(t.hub().run_retention(t.clock.now().minus(30 * DAY)).await.unwrap(), Tidied::default());
    let signed =
        t.platform().post(&t.clock.now().as_secs().to_string(), ticket_bytes(&t).await).await.unwrap();
    assert_eq!(signed.body["duplicate"], true, "known as long as the event is kept");

    t.clock.advance(2 * DAY);
    seen_some_hour(&t, "removed 2 events").await;
    assert_eq!(rows(&t, "quarantine").await, 0);
    let left = t.store().delivery_details_of(DeliveryFilter::All, 10).await.unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0].kind.as_str(), "asset.created");
    assert_eq!(t.store().backlog().await.unwrap().unrouted, 1, "what has no route waits");
    assert_eq!(rows(&t, "events").await, 2);

    t.discord.faults().clear();
    t.clock.advance(Duration::from_secs(400));
    t.channel("assets").next_message().await;
    t.settle().await;
    t.clock.advance(31 * DAY);
    seen_some_hour(&t, "removed 1 events").await;
    for table in ["deliveries", "messages", "attempts", "earlier_messages", "cards"] {
        assert_eq!(rows(&t, table).await, 0, "{table}");
    }
    t.finish().await;
}

/// The bytes of the first ticket, as they were sent.
async fn ticket_bytes(t: &Harness) -> Vec<u8> {
    let database = Database::open(t.store().path()).await.unwrap();
    database.value("SELECT body FROM events ORDER BY id LIMIT 1").await.unwrap()
}

#[tokio::test]
async fn a_card_that_still_changes_keeps_what_it_is_made_of() {
    let t = by_hand().await;
    t.sends_body(
        json!({"event_type": "ticket.created", "data": {"id": 1, "title": "Printer", "status": "open"}}),
    )
    .await;
    t.channel("tickets").next_message().await;
    t.settle().await;
    t.clock.advance(20 * DAY);
    t.sends_body(json!({"event_type": "ticket.updated", "data": {"id": 1, "priority": "high"}})).await;
    t.settle().await;
    let living = rows(&t, "cards").await > 0;
    let told = t.channel("tickets").unread().len();
    t.channel("tickets").next_messages(told).await;
    t.clock.advance(20 * DAY);
    let done = t.hub().run_retention(t.clock.now().minus(30 * DAY)).await.unwrap();
    assert_eq!(done.events, u64::from(!living), "{done:?}");
    t.clock.advance(20 * DAY);
    t.hub().run_retention(t.clock.now().minus(30 * DAY)).await.unwrap();
    assert_eq!(rows(&t, "events").await, 0, "over in the end");
    t.finish().await;
}

/// A month and ten days go by, and it is tidied up as every hour.
async fn forty_days_on(t: &Harness) -> Tidied {
    t.clock.advance(40 * DAY);
    t.hub().run_retention(t.clock.now().minus(30 * DAY)).await.unwrap()
}

#[tokio::test]
async fn what_a_mute_silenced_stays_until_it_is_summed_up() {
    let t = by_hand().await;
    t.hub().mute("alert.*", 30 * DAY, "", &by("Alice")).await.unwrap();
    t.sends("alert_triggered.json").await;
    t.settle().await;
    // RETENTION_DAYS may be shorter than a mute.
    t.clock.advance(10 * DAY);
    assert_eq!(t.hub().run_retention(t.clock.now().minus(5 * DAY)).await.unwrap(), Tidied::default());
    t.clock.advance(21 * DAY);
    assert!(t.channel("alerts").next_message().await.title().starts_with("🔔 The mute of"));
    t.settle().await;
    assert_eq!(forty_days_on(&t).await.events, 2, "over in the end");
    t.finish().await;
}

#[tokio::test]
async fn what_an_open_question_hangs_on_stays() {
    let t = Harness::with(|variables| {
        variables.insert("RETENTION_DAYS".to_owned(), "36525".to_owned());
        variables.insert("XTSYSTEMS_API_KEY".to_owned(), "a-key".to_owned());
    })
    .await;
    t.sends("machine_registered.json").await;
    let card = t.channel("machines").next_message().await;
    t.settle().await;
    assert_eq!(forty_days_on(&t).await, Tidied::default());
    assert_eq!((rows(&t, "events").await, rows(&t, "cards").await), (1, 1));
    // It is still the card that changes.
    t.sends("machine_approved.json").await;
    t.settle().await;
    t.channel("machines").becomes(card.id(), "approved", |now| now.title().contains("approved")).await;
    assert_eq!(rows(&t, "cards").await, 1);
    forty_days_on(&t).await;
    assert_eq!(rows(&t, "events").await, 0, "over in the end");
    t.finish().await;
}

#[tokio::test]
async fn a_unit_is_at_most_a_hundred_rows_and_a_redelivery_in_between_wins() {
    let t = by_hand().await;
    t.discord.set_rate_limits(RateLimits::unlimited());
    for number in 0..130 {
        t.sends_body(ticket(number, "Printer")).await;
    }
    t.settle().await;
    let told = t.channel("tickets").unread().len();
    t.channel("tickets").next_messages(told).await;
    t.clock.advance(31 * DAY);
    let before = t.clock.now().minus(30 * DAY);
    let first = t.store().outdated(RetentionTable::Deliveries, None, before).await.unwrap();
    let again = DeliveryId::from(first.last().unwrap());
    assert!(matches!(t.hub().redeliver(again, &at_shell()).await.unwrap().unwrap(), Revived::Pending { .. }));
    assert_eq!(t.store().remove(first).await.unwrap(), 99, "a hundred, but for the one");
    t.settle().await;
    let told = t.channel("tickets").unread().len();
    t.channel("tickets").next_messages(told).await;

    t.clock.advance(31 * DAY);
    let before = t.clock.now().minus(30 * DAY);
    for shelf in RetentionTable::ALL {
        let mut after = None;
        loop {
            let some = t.store().outdated(shelf, after, before).await.unwrap();
            let Some(last) = some.last() else { break };
            // A message goes with its attempts, a delivery with its links to earlier messages.
            assert!((1..=100).contains(&some.rows()), "{shelf:?}: {}", some.rows());
            after = Some(last);
            t.store().remove(some).await.unwrap();
        }
    }
    assert_eq!(rows(&t, "deliveries").await + rows(&t, "attempts").await + rows(&t, "events").await, 0);
    t.finish().await;
}

#[tokio::test]
async fn what_waited_for_a_closed_channel_for_too_long_is_given_up_and_told() {
    let t = by_hand().await;
    t.discord.delete_channel(t.discord.channel_id("tickets").unwrap());
    t.sends_body(ticket(1, "Printer")).await;
    t.log.seen(Level::ERROR, "is closed").await;
    t.log.expect(Level::ERROR, "is closed");
    let told = t.channel("general").next_message().await;
    assert!(told.content().ends_with("is closed"), "{told:?}");
    within("the word about it to be written down", async {
        while (t.store().backlog().await.unwrap().sending, t.store().backlog().await.unwrap().pending)
            != (0, 1)
        {}
    })
    .await;
    t.clock.advance(29 * DAY);
    t.hub().run_retention(t.clock.now().minus(30 * DAY)).await.unwrap();
    assert_eq!(t.store().backlog().await.unwrap().dead, 0);
    t.clock.advance(2 * DAY);
    let done = t.hub().run_retention(t.clock.now().minus(30 * DAY)).await.unwrap();
    assert_eq!(done.expired, 1);
    t.log.expect(Level::ERROR, "1 deliveries were given up");
    let told = t.channel("general").next_message().await;
    assert!(told.content().contains("given up"), "{told:?}");
    t.settle().await;
    let dead = t.store().delivery_details_of(DeliveryFilter::Dead, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert!(dead[0].reason.as_deref().unwrap().starts_with("expired"), "{dead:?}");
    t.finish().await;
}

/// Not a matter of passing: what a look costs those who send meanwhile.
#[tokio::test]
async fn nobody_waits_for_the_work() {
    let mut t = by_hand().await;
    t.set("DISCORD_WEBHOOK_CHANNELS", json!({"default": []}).to_string());
    t.restart().await;
    let store = |range: std::ops::Range<usize>| {
        let t = &t;
        async move {
            let mut took = Vec::new();
            for number in range {
                let began = Instant::now();
                t.store().accept(crate::storage::incoming(number, 1000)).await.unwrap();
                took.push(began.elapsed());
            }
            took.sort_unstable();
            took
        }
    };
    let all = futures_util::future::join_all((0..40).map(|lot| store(lot * 100..(lot + 1) * 100)));
    all.await;
    let alone = store(4000..4300).await;
    t.clock.advance(31 * DAY);
    let before = t.clock.now().minus(30 * DAY);
    let (done, beside) = tokio::join!(t.hub().run_retention(before), store(5000..5300));
    let told =
        |took: &[Duration]| format!("p50 {:?}, p99 {:?}", took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("accepting alone: {}; while 4,300 events go: {}", told(&alone), told(&beside));
    assert_eq!((done.unwrap().events, rows(&t, "events").await), (4300, 300));
    t.finish().await;
}
