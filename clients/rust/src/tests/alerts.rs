//! Errors become alerts once, and hold nobody up.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::fake::Fake;
use super::{KEY, TestClock};
use crate::Dispatcher;
use crate::alerts::{FOLD, FOLDED_ALERTS, QUEUE};

const SOON: Duration = Duration::from_secs(30);

fn yes() -> Value {
    json!({ "status": 202, "body": { "event_id": "evt_1", "deliveries": 1 } })
}

async fn started() -> (Fake, Arc<TestClock>, Dispatcher) {
    let (fake, clock) = (Fake::start().await, TestClock::new(0.0));
    let nuncio = Dispatcher::with_clock(&fake.url, KEY, clock.clone());
    (fake, clock, nuncio)
}

fn fail(nuncio: &Dispatcher, text: &str) {
    assert_eq!(nuncio.alert_on_err("Sync", Err::<(), _>(text)), Err(text));
}

fn errors(fake: &Fake) -> Vec<String> {
    fake.requests().iter().map(super::fake::Request::error).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_passed_on_and_an_error_becomes_an_alert() {
    let (fake, _, nuncio) = started().await;
    assert_eq!(nuncio.alert_on_err("Sync", Ok::<_, String>(412)), Ok(412));
    assert!(nuncio.flush(SOON));
    assert!(fake.requests().is_empty());

    fake.next([yes()]);
    // From a thread that knows nothing of Tokio.
    let given = nuncio.clone();
    let error =
        std::thread::spawn(move || given.alert_on_err("Sync", Err::<(), _>(std::fmt::Error))).join().unwrap();
    assert_eq!(error, Err(std::fmt::Error));
    assert!(nuncio.flush(SOON));
    assert_eq!(
        fake.requests()[0].body(),
        json!({ "title": "Sync", "error": std::fmt::Error.to_string(), "severity": "error" })
    );
}

// Control: without the fold a broken loop sends a message at each turn.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_error_is_sent_once_and_later_with_its_repeats() {
    let (fake, clock, nuncio) = started().await;
    fake.next([yes(), yes(), yes(), yes()]);
    for _ in 0..4 {
        fail(&nuncio, "one");
    }
    fail(&nuncio, "two");
    // An answer is a part of the fold: what nuncio did not take is not folded.
    assert!(nuncio.flush(SOON));
    clock.advance(FOLD - Duration::from_millis(1));
    fail(&nuncio, "one");
    clock.advance(Duration::from_millis(1));
    fail(&nuncio, "one");
    assert!(nuncio.flush(SOON));
    clock.advance(FOLD);
    fail(&nuncio, "one");
    assert!(nuncio.flush(SOON));
    assert_eq!(errors(&fake), ["one", "two", "one\n(4 more since the last alert)", "one"]);
}

// Control: keep what was not accepted, and an outage of nuncio of a second silences an error for 15 minutes.
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_nuncio_did_not_take_folds_nothing_and_is_counted() {
    let (fake, _, nuncio) = started().await;
    fake.next([json!({ "status": 500, "text": "" }), yes(), yes()]);
    fail(&nuncio, "one");
    assert!(nuncio.flush(SOON));
    fail(&nuncio, "one");
    fail(&nuncio, "two");
    assert!(nuncio.flush(SOON));
    assert_eq!(errors(&fake), ["one", "one\n(alerts before this one that did not reach nuncio: 1)", "two"]);
}

// Control: a list without a bound grows with every new text (ids in messages).
#[tokio::test(flavor = "multi_thread")]
async fn as_many_alerts_are_remembered_as_the_bound_says() {
    let (fake, _, nuncio) = started().await;
    for i in 0..=FOLDED_ALERTS {
        fake.next([yes()]);
        fail(&nuncio, &format!("e{i}"));
        assert!(nuncio.flush(SOON));
    }
    fail(&nuncio, "e1");
    fake.next([yes()]);
    fail(&nuncio, "e0");
    assert!(nuncio.flush(SOON));
    let sent = errors(&fake);
    assert_eq!((sent.len(), &*sent[FOLDED_ALERTS + 1]), (FOLDED_ALERTS + 2, "e0"));
}

// Controls: an unbounded queue: nothing is lost; a send in the caller's thread: the test hangs.
#[tokio::test(flavor = "multi_thread")]
async fn a_nuncio_that_hangs_holds_nobody_up_and_what_is_too_much_is_counted() {
    let (fake, clock, nuncio) = started().await;
    fake.next([json!({ "fault": "hang" })]);
    fail(&nuncio, "first");
    fake.asked.notified().await;
    assert!(!nuncio.flush(Duration::ZERO));
    fake.next((0..QUEUE).map(|_| yes()));
    for i in 0..QUEUE + 5 {
        fail(&nuncio, &format!("e{i}"));
    }
    clock.due.notify_one();
    assert!(nuncio.flush(SOON));
    let sent = errors(&fake);
    assert_eq!(sent.len(), QUEUE + 1);
    // Five too many, and the first one.
    assert_eq!(sent[1], "e0\n(alerts before this one that did not reach nuncio: 6)");
    assert_eq!(sent[2], "e1");
}

// Control: `format!` of an error whose text is endless.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_cut_before_it_is_sent_and_a_text_that_fails_makes_no_panic() {
    struct Fails;
    impl std::fmt::Display for Fails {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("half")?;
            Err(std::fmt::Error)
        }
    }
    let (fake, _, nuncio) = started().await;
    fake.next([yes(), yes()]);
    fail(&nuncio, &"ü".repeat(100_000));
    assert!(nuncio.alert_on_err("Sync", Err::<(), _>(Fails)).is_err());
    assert!(nuncio.flush(SOON));
    assert_eq!(errors(&fake), ["ü".repeat(1000), "half".to_owned()]);
}

// Control: a thread that holds its own end of the queue never ends.
#[tokio::test(flavor = "multi_thread")]
async fn the_thread_ends_with_the_last_dispatcher_and_what_is_queued_is_sent() {
    let (fake, clock, nuncio) = started().await;
    fake.next([yes()]);
    fail(&nuncio, "one");
    drop(nuncio);
    fake.asked.notified().await;
    assert_eq!(errors(&fake), ["one"]);
    // The thread's connection has the other end of the clock.
    let ended = tokio::task::spawn_blocking(move || {
        while Arc::strong_count(&clock) > 1 {
            std::thread::yield_now();
        }
    });
    ended.await.unwrap();
}
