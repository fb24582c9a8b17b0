//! `error!` becomes an alert, once, and none makes another.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use serde_json::{Value, json};
use tracing::{Dispatch, error, warn};
use tracing_subscriber::layer::SubscriberExt;

use super::fake::Fake;
use super::{KEY, TestClock};
use crate::{AlertLayer, Dispatcher};

const SOON: Duration = Duration::from_secs(30);

fn yes() -> Value {
    json!({ "status": 202, "body": { "event_id": "evt_1", "deliveries": 1 } })
}

struct Logged {
    fake: Fake,
    clock: Arc<TestClock>,
    nuncio: Dispatcher,
    log: Dispatch,
}

impl Logged {
    async fn start(fields: &[&str]) -> Self {
        let (fake, clock) = (Fake::start().await, TestClock::new(0.0));
        let nuncio = Dispatcher::with_clock(&fake.url, KEY, clock.clone());
        let layer = AlertLayer::new(&nuncio).with_fields(fields.iter().copied());
        assert!(!format!("{layer:?}").contains(KEY));
        Self { fake, clock, nuncio, log: Dispatch::new(tracing_subscriber::registry().with(layer)) }
    }

    fn logs(&self, log: impl FnOnce()) {
        tracing::dispatcher::with_default(&self.log, log);
        assert!(self.nuncio.flush(SOON));
    }

    fn sent(&self) -> Vec<(String, String)> {
        let requests = self.fake.requests();
        requests.iter().map(|one| (one.body()["title"].as_str().unwrap().to_owned(), one.error())).collect()
    }
}

fn alert(target: &str, text: &str) -> (String, String) {
    (format!("Error in {target}"), text.to_owned())
}

// Control: send every field: the customer's address is in a message.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_becomes_an_alert_with_its_message_and_its_error() {
    let logged = Logged::start(&["server"]).await;
    logged.fake.next([yes(), yes(), yes(), yes()]);
    logged.logs(|| {
        warn!(target: "shop", "no error");
        let cause = std::io::Error::other("the disk is full");
        error!(target: "shop::sync", error = %cause, email = "customer@example.com", server = 7, "sync failed");
        error!(target: "shop::sync", err = &cause as &dyn std::error::Error, "sync failed");
        error!(target: "shop::sync", error = "no message");
        error!(target: "shop::sync", email = "customer@example.com");
    });
    assert_eq!(
        logged.sent(),
        [
            alert("shop::sync", "sync failed: the disk is full\nserver=7"),
            alert("shop::sync", "sync failed: the disk is full"),
            alert("shop::sync", "no message"),
            alert("shop::sync", "an error without a message"),
        ]
    );
}

// Controls: fold by the whole text: two alerts per loop; fold by the place alone: "other" is missing.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_error_of_many_users_is_sent_once_and_later_with_its_repeats() {
    let logged = Logged::start(&[]).await;
    logged.fake.next([yes(), yes()]);
    let user_is_gone = |user: u32, what: &str| error!(target: "shop", "user {user} is {what}");
    logged.logs(|| {
        for user in 0..50 {
            user_is_gone(user, "gone");
        }
        user_is_gone(0, "other");
    });
    logged.clock.advance(crate::alerts::FOLD);
    logged.fake.next([yes()]);
    logged.logs(|| user_is_gone(50, "gone"));
    let texts = ["user 0 is gone", "user 0 is other", "user 50 is gone\n(49 more since the last alert)"];
    assert_eq!(logged.sent(), texts.map(|text| alert("shop", text)));
}

// Control: without the list of targets they are sent.
#[tokio::test(flavor = "multi_thread")]
async fn events_of_the_client_and_of_its_http_stack_are_left_out() {
    let logged = Logged::start(&[]).await;
    logged.logs(|| {
        error!(target: "nuncio_client::exchange", "a");
        error!(target: "hyper_util::client::legacy", "b");
        error!(target: "reqwest", "c");
        error!(target: "log", { log.target = "hyper::proto" }, "d");
    });
    assert_eq!(logged.sent(), []);
    logged.fake.next([yes(), yes()]);
    logged.logs(|| {
        error!(target: "hyperdrive", "not hyper");
        error!(target: "log", { log.target = "shop::legacy" }, "a record of the crate log");
    });
    assert_eq!(
        logged.sent(),
        [alert("hyperdrive", "not hyper"), alert("shop::legacy", "a record of the crate log")]
    );
}

// Control: without the mark of the thread each alert makes another, and the script is overrun.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_logged_while_an_alert_is_sent_makes_no_alert() {
    let logged = Logged::start(&[]).await;
    let log = logged.log.clone();
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    *logged.clock.before_try.lock().unwrap() = Some(Box::new(move || {
        let word = ["a", "b", "c", "d", "e"][counted.fetch_add(1, Relaxed) % 5];
        tracing::dispatcher::with_default(&log, || error!(target: "shop", "while sending: {word}"));
    }));
    logged.fake.next([json!({ "status": 503, "text": "" }), yes()]);
    logged.logs(|| error!(target: "shop", "the first"));
    assert_eq!(tries.load(Relaxed), 2);
    assert_eq!(logged.sent(), [alert("shop", "the first"), alert("shop", "the first")]);
}
