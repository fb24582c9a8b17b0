//! A database that does not do what it should: nothing that is acknowledged is lost, and nothing is acknowledged that
//! was not stored.
//!
//! | protection | control: taken away, and seen red |
//! | --- | --- |
//! | a full disk is answered 503, and heals (F-1) | the answer given before the commit |
//! | a sync that failed ends the process (F-2) | `NotSynced` not fatal: it went on and said 200 |
//! | a held database refuses all that wait at once (F-3) | every one of a group tried alone: 5 s each |
//! | damage is found before the start (F-4) | no `quick_check` |
//! | a reader without an end is told in the log (F-5) | only `/health` told |
//! | nothing is acknowledged into a file that was removed or replaced (O-2) | neither check of the place: 200 |
//! | one database, one server (O-2) | no resolved path; no count of names; no row in `meta`: a second one ran |
//! | a reader without an end stops nobody (F-5) | the log folded with the patience of a writer: 5 s a group |

mod damage;
mod disk;
mod place;
mod plans;
mod size;

use std::time::{Duration, Instant};

use nuncio::clock::Clock;
use nuncio::model::{DedupeKey, Kind, NewEvent, RawBody, Source};
use nuncio::store::Incoming;
use serde_json::json;
use tracing::Level;

use crate::database::Database;
use crate::harness::{Harness, within};

/// Another program with the database of `t` open.
async fn other_program(t: &Harness) -> Database {
    Database::open(t.store().path()).await.unwrap()
}

/// A harness whose events go nowhere: only storing them counts.
async fn silent() -> Harness {
    Harness::with(|variables| {
        crate::harness::one_by_one(variables);
        variables.insert("DISCORD_WEBHOOK_CHANNELS".to_owned(), json!({"default": []}).to_string());
    })
    .await
}

/// Events that differ, of about this size.
fn event(number: usize, size: usize) -> serde_json::Value {
    json!({"event_type": "printer.jammed", "data": {"number": number, "text": "x".repeat(size)}})
}

async fn send_many(t: &Harness, numbers: std::ops::Range<usize>, size: usize) -> Vec<u16> {
    let sends = numbers.map(|number| t.platform().send(event(number, size)));
    let answers = futures_util::future::join_all(sends).await;
    answers.into_iter().map(|answer| answer.unwrap().status).collect()
}

// F-3. SQLite's own patience is 5 s of real time, so this lasts so long.
#[tokio::test]
async fn a_database_that_another_program_holds_is_answered_503_and_recovers_at_once() {
    let t = silent().await;
    t.sends_body(event(0, 10)).await;
    let other = other_program(&t).await;
    other.execute("BEGIN EXCLUSIVE", ()).await.unwrap();
    let began = Instant::now();
    // More than one group: had each to wait for itself, it would be minutes.
    let refused = send_many(&t, 1..101, 10).await;
    assert_eq!(refused, vec![503; 100]);
    let refused_after = began.elapsed();
    assert!(refused_after < Duration::from_secs(20), "{refused_after:?}");
    let health = t.health().await;
    assert_eq!(health["database"], "failed");
    assert!(health["problems"].to_string().contains("another program has held the database"), "{health}");
    assert_eq!(t.looks_at("/health/ready").await.0, 503);

    other.execute("COMMIT", ()).await.unwrap();
    let began = Instant::now();
    assert_eq!(send_many(&t, 1..101, 10).await, vec![200; 100]);
    println!("held: 503 after {refused_after:?}; free: 200 after {:?}", began.elapsed());
    assert_eq!(t.health().await["database"], "ok");
    assert_eq!(t.store().recent(1000).await.unwrap().len(), 101, "each once");
    t.log.expect(Level::ERROR, "an event could not be stored");
    t.finish().await;
}

// F-3: it is noticed without anything to store.
#[tokio::test]
async fn health_heals_by_itself() {
    let t = silent().await;
    let other = other_program(&t).await;
    other.execute("BEGIN EXCLUSIVE", ()).await.unwrap();
    assert_eq!(send_many(&t, 0..1, 10).await, [503]);
    other.execute("COMMIT", ()).await.unwrap();
    t.clock.advance(Duration::from_secs(1));
    t.log.seen(Level::INFO, "takes writes again").await;
    assert_eq!(t.health().await["status"], "ok");
    t.log.expect(Level::ERROR, "an event could not be stored");
    t.finish().await;
}

/// An event of this size as it comes to the store. Signing and reading megabytes is not what is tried here.
pub fn incoming(number: usize, size: usize) -> Incoming {
    let now = Clock::system().now();
    let small = RawBody::new("{}");
    let event = NewEvent {
        source: Source::XtSystems,
        kind: Kind::new("printer.jammed"),
        company: String::new(),
        subject: String::new(),
        dedupe: DedupeKey::of_request(&number.to_string(), &small),
        cause: None,
        occurred_at: now,
        received_at: now,
        severity: None,
        company_name: None,
        body: RawBody::new(vec![b'x'; size]),
    };
    Incoming { event, plan: Vec::new(), unrouted: false, company_name: None, asks: None }
}

/// Stores `count` events of 900 kB, one after the other; answers how long each took, the slowest first, and how long the
/// log was.
async fn store_large(t: &Harness, count: usize) -> (Vec<Duration>, u64) {
    let (mut took, mut longest) = (Vec::new(), 0);
    for number in 0..count {
        let began = Instant::now();
        t.store().accept(incoming(number, 900_000)).await.unwrap();
        took.push(began.elapsed());
        longest = longest.max(t.store().wal_bytes());
    }
    took.sort_unstable_by(|one, other| other.cmp(one));
    (took, longest)
}

// F-5
#[tokio::test]
async fn a_reader_without_an_end_stops_nobody_and_is_told() {
    let t = silent().await;
    let reader = other_program(&t).await;
    reader.execute("BEGIN", ()).await.unwrap();
    reader.execute("SELECT COUNT(*) FROM events", ()).await.unwrap();
    let (took, longest) = store_large(&t, 90).await;
    println!("90 events of 900 kB beside a reader: the slowest {:?}, the log {} MiB", took[0], longest >> 20);
    // The disk may have other things to do, once or twice.
    assert!(took[2] < Duration::from_secs(4), "the reader was waited for: {:?}", &took[..3]);
    let health = t.health().await;
    assert!(health["problems"].to_string().contains("keeps reading the database"), "{health}");
    t.clock.advance(Duration::from_secs(1));
    t.log.seen(Level::WARN, "keeps reading the database").await;

    reader.execute("COMMIT", ()).await.unwrap();
    reader.close().await.unwrap();
    within("the log to be folded in", async {
        let mut number = 0;
        while t.store().wal_bytes() > 1 << 20 {
            number += 1;
            t.clock.advance(Duration::from_secs(1));
            t.sends_body(event(number, 10)).await;
        }
    })
    .await;
    assert_eq!(t.health().await["status"], "ok");
    t.clock.advance(Duration::from_secs(1));
    t.log.seen(Level::INFO, "log is short again").await;
    t.finish().await;
}

// F-5: without a reader the log stays short under load.
#[tokio::test]
async fn the_write_ahead_log_is_bounded_under_load() {
    let t = silent().await;
    let (took, longest) = store_large(&t, 150).await;
    println!("150 events of 900 kB: the slowest {:?}, the log at most {} MiB", took[0], longest >> 20);
    assert!(longest <= 64 << 20, "{longest}");
    t.finish().await;
}
