//! Group commit tests: a bad unit fails alone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::*;
use crate::clock::Timestamp;
use crate::model::{DedupeKey, DestinationId, Kind, NewEvent, Priority, RawBody, Sink, Source};
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::{HintSender, Incoming, Planned, Store};

/// Inserts a row into `meta`, then succeeds, fails or panics.
struct Write {
    key: &'static str,
    then: Then,
    applied: Arc<AtomicUsize>,
}

enum Then {
    Succeed,
    Fail,
    Panic,
    /// Fails, and when it is applied alone the disk confirms nothing any more.
    FailThenFatally,
}

impl Unit for Write {
    type Output = &'static str;

    async fn apply(&self, tx: &mut Tx) -> Result<&'static str> {
        self.applied.fetch_add(1, Ordering::Relaxed);
        query("INSERT INTO meta (key, value, updated_at) VALUES ($1, '', 0)")
            .bind(self.key)
            .execute(&mut *tx)
            .await?;
        match self.then {
            Then::Succeed => Ok(self.key),
            Then::Fail => Err(Error::Stale("on purpose")),
            Then::Panic => panic!("on purpose"),
            Then::FailThenFatally if self.applied.load(Ordering::Relaxed) == 1 => {
                Err(Error::Stale("on purpose"))
            }
            Then::FailThenFatally => Err(Error::NotSynced("on purpose".to_owned())),
        }
    }
}

/// Keeps the writer busy until released, so that units submitted meanwhile become one group.
struct Hold(Mutex<Option<oneshot::Receiver<()>>>);

impl Unit for Hold {
    type Output = ();

    async fn apply(&self, _: &mut Tx) -> Result<()> {
        let released = self.0.lock().unwrap().take();
        if let Some(released) = released {
            released.await.unwrap();
        }
        Ok(())
    }
}

async fn store(folder: &TempDir) -> Store {
    let (hints, _nobody) = HintSender::channel();
    Store::open(&folder.path().join("nuncio.db"), Clock::system(), hints).await.unwrap()
}

async fn keys(store: &Store) -> Vec<String> {
    query_scalar("SELECT key FROM meta ORDER BY key").fetch_all(store.read()).await.unwrap()
}

#[tokio::test]
async fn units_that_fail_or_panic_are_taken_back_alone() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder).await;
    let (release, released) = oneshot::channel();
    let applied = Arc::new(AtomicUsize::new(0));
    let write = |key, then| store.writer().submit(Write { key, then, applied: Arc::clone(&applied) });
    let (held, a, b, c, d, _) = tokio::join!(
        store.writer().submit(Hold(Mutex::new(Some(released)))),
        write("a", Then::Succeed),
        write("b", Then::Fail),
        write("c", Then::Panic),
        write("d", Then::Succeed),
        async { release.send(()) },
    );
    held.unwrap();
    assert_eq!((a.unwrap(), d.unwrap()), ("a", "d"));
    assert!(matches!(b, Err(Error::Stale("on purpose"))), "{b:?}");
    assert!(matches!(c, Err(Error::Panicked)), "{c:?}");
    assert_eq!(keys(&store).await, ["a", "d"]);
    // Once in the group (up to the one that failed), then each alone.
    assert_eq!(applied.load(Ordering::Relaxed), 2 + 4, "they were one group");
    store.close().await;
}

// Control: with the others of the group applied all the same, "b" is acknowledged after a failed fsync.
#[tokio::test]
async fn after_a_fatal_error_nothing_more_of_its_group_is_written() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder).await;
    let (release, released) = oneshot::channel();
    let (first, second) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let write = |key, then, applied: &Arc<AtomicUsize>| {
        store.writer().submit(Write { key, then, applied: Arc::clone(applied) })
    };
    let (held, a, b, _) = tokio::join!(
        store.writer().submit(Hold(Mutex::new(Some(released)))),
        write("a", Then::FailThenFatally, &first),
        write("b", Then::Succeed, &second),
        async { release.send(()) },
    );
    held.unwrap();
    assert!(matches!(a, Err(Error::NotSynced(_))), "{a:?}");
    assert!(matches!(b, Err(Error::NotSynced(_))), "{b:?}");
    assert_eq!(second.load(Ordering::Relaxed), 0);
    assert_eq!(keys(&store).await, [""; 0]);
    store.close().await;
}

fn ticket(number: u64, destination_id: DestinationId) -> Incoming {
    let body = RawBody::new(format!("{{\"number\":{number}}}"));
    let event = NewEvent {
        source: Source::XtSystems,
        kind: Kind::new("ticket.created"),
        company: String::new(),
        subject: format!("ticket:{number}"),
        dedupe: DedupeKey::of_body(&body),
        cause: None,
        occurred_at: Timestamp::default(),
        received_at: Timestamp::default(),
        severity: None,
        company_name: None,
        body,
    };
    let planned = Planned { destination_id, priority: Priority::Normal, route: "*".to_owned(), muted: None };
    Incoming { event, plan: vec![planned], unrouted: false, company_name: None, asks: None }
}

#[tokio::test]
async fn an_event_that_cannot_be_taken_in_harms_no_other_of_its_group() {
    let folder = TempDir::new().unwrap();
    let store = store(&folder).await;
    let sink = Sink::Channel("1".parse().unwrap());
    let known = store.ensure_destination(sink, "channel 1", "environment").await.unwrap().id;
    let (release, released) = oneshot::channel();
    let (held, a, b, again, c, _) = tokio::join!(
        store.writer().submit(Hold(Mutex::new(Some(released)))),
        store.accept(ticket(1, known)),
        store.accept(ticket(2, DestinationId::new())),
        store.accept(ticket(1, known)),
        store.accept(ticket(3, known)),
        async { release.send(()) },
    );
    held.unwrap();
    let (a, again, c) = (a.unwrap(), again.unwrap(), c.unwrap());
    assert_eq!((a.duplicate, again.duplicate, again.event_id), (false, true, a.event_id));
    assert!(b.unwrap_err().to_string().contains("FOREIGN KEY"));
    let count = |table| query_scalar::<i64>(table).fetch_one(store.read());
    assert_eq!(count("SELECT COUNT(*) FROM events").await.unwrap(), 2);
    assert_eq!(count("SELECT COUNT(*) FROM deliveries").await.unwrap(), 2);
    assert!(a.event_id < c.event_id);
    store.close().await;
}

#[tokio::test]
async fn what_was_submitted_before_the_end_is_written_and_what_comes_after_is_refused() {
    let folder = TempDir::new().unwrap();
    let first = store(&folder).await;
    let applied = Arc::new(AtomicUsize::new(0));
    let write =
        |key| first.writer().submit(Write { key, then: Then::Succeed, applied: Arc::clone(&applied) });
    let (a, ()) = tokio::join!(write("a"), first.close());
    a.unwrap();
    assert!(matches!(write("b").await, Err(Error::Closed)));
    let second = store(&folder).await;
    assert_eq!(keys(&second).await, ["a"]);
    second.close().await;
}
