//! The client against a fake nuncio on loopback, with the cases that all clients share (`clients/conformance`).

mod alerts;
mod calls;
mod changes;
mod exchanges;
mod fake;
#[cfg(feature = "tracing")]
mod layer;
mod requests;
mod safety;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use crate::Dispatcher;
use crate::clock::{Clock, Sleep};

/// Marks every place where it appears. No text may contain it.
const KEY: &str = "nun_canary7Q2xZ";

/// A file of `clients/conformance`. A field that the test does not know is a failure.
fn conformance<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/../conformance/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases<T> {
    cases: Vec<T>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Bounds {
    tries: u32,
    call_ms: u64,
    answer_bytes: usize,
    error_chars: usize,
    fold_ms: u64,
    folded_alerts: usize,
}

/// A clock on which pauses take no time and deadlines come when a test lets them.
struct TestClock {
    now: Mutex<Instant>,
    random: f64,
    pauses: Mutex<Vec<Duration>>,
    deadlines: Mutex<Vec<Duration>>,
    /// A permit for each deadline that comes.
    due: Arc<Notify>,
    /// Called in the thread that sends, before each try.
    before_try: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl TestClock {
    fn new(random: f64) -> Arc<Self> {
        Arc::new(Self {
            now: Mutex::new(Instant::now()),
            random,
            pauses: Mutex::default(),
            deadlines: Mutex::default(),
            due: Arc::default(),
            before_try: Mutex::default(),
        })
    }

    fn advance(&self, by: Duration) {
        *self.now.lock().unwrap() += by;
    }

    fn pauses_ms(&self) -> Vec<f64> {
        self.pauses.lock().unwrap().iter().map(|pause| pause.as_secs_f64() * 1000.0).collect()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        *self.now.lock().unwrap()
    }

    fn random(&self) -> f64 {
        self.random
    }

    fn pause(&self, length: Duration) -> Sleep {
        self.pauses.lock().unwrap().push(length);
        Box::pin(async {})
    }

    fn deadline(&self, length: Duration) -> Sleep {
        self.deadlines.lock().unwrap().push(length);
        if let Some(before_try) = &*self.before_try.lock().unwrap_or_else(PoisonError::into_inner) {
            before_try();
        }
        let due = self.due.clone();
        Box::pin(async move { due.notified().await })
    }
}

/// A client of the fake, whose pauses take no time.
fn client(url: &str) -> Dispatcher {
    Dispatcher::with_clock(url, KEY, TestClock::new(0.0))
}
