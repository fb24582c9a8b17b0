//! Group commit: a bad unit harms nobody but itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::*;
use crate::store::{HintSender, Store};

/// Writes a row into `meta`, then does what its kind does.
struct Write {
    key: &'static str,
    then: Then,
    applied: Arc<AtomicUsize>,
}

enum Then {
    Succeed,
    Fail,
    Panic,
}

impl Unit for Write {
    type Output = &'static str;

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<&'static str> {
        self.applied.fetch_add(1, Ordering::Relaxed);
        sqlx::query("INSERT INTO meta (key, value, updated_at) VALUES ($1, '', 0)")
            .bind(self.key)
            .execute(&mut *tx)
            .await?;
        match self.then {
            Then::Succeed => Ok(self.key),
            Then::Fail => Err(Error::Stale("on purpose")),
            Then::Panic => panic!("on purpose"),
        }
    }
}

/// Keeps the writer busy until it is released, so that what is submitted meanwhile becomes one group.
struct Hold(Mutex<Option<oneshot::Receiver<()>>>);

impl Unit for Hold {
    type Output = ();

    async fn apply(&self, _: &mut SqliteConnection) -> Result<()> {
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
    sqlx::query_scalar("SELECT key FROM meta ORDER BY key").fetch_all(store.read()).await.unwrap()
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
