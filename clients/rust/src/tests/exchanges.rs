//! Answers become results: `clients/conformance/retries.json` and `answers.json`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::calls::call;
use super::fake::{Fake, Request};
use super::{Bounds, Cases, KEY, TestClock, conformance};
use crate::{DispatchOptions, Dispatcher};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Retry {
    name: String,
    answers: Vec<Value>,
    waits_ms: Vec<[f64; 2]>,
    result: Value,
    #[serde(default)]
    error_contains: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneAnswer {
    name: String,
    #[serde(default)]
    waits: bool,
    answer: Value,
    result: Value,
    #[serde(default)]
    error_contains: Vec<String>,
}

async fn alert(nuncio: &Dispatcher, waits: bool) -> Value {
    let arguments = [json!("a"), json!("b"), Value::Null];
    call(nuncio, "system_alert", &arguments, DispatchOptions::default(), waits).await
}

fn matches(fake: &Fake, name: &str, mut result: Value, expected: &Value, error_contains: &[String]) {
    assert!(!result.to_string().contains(KEY), "{name}: the key is in a text");
    if error_contains.is_empty() {
        let expected: Value = serde_json::from_str(&fake.filled(&expected.to_string())).unwrap();
        assert_eq!(result, expected, "{name}");
        return;
    }
    let errors = result.as_object_mut().unwrap().remove("errors").unwrap();
    assert_eq!(result, *expected, "{name}");
    assert_eq!((errors.as_array().unwrap().len(), &errors[0]["webhook"]), (1, &json!("system")), "{name}");
    let error = errors[0]["error"].as_str().unwrap();
    for part in error_contains {
        assert!(error.contains(&fake.filled(part)), "{name}: {part} is missing in: {error}");
    }
}

fn same_in_all(requests: &[Request]) {
    let keys: BTreeSet<_> = requests.iter().map(|request| &request.headers["idempotency-key"]).collect();
    let bodies: BTreeSet<_> = requests.iter().map(|request| &request.text).collect();
    assert_eq!((keys.len(), bodies.len()), (1, 1));
}

#[test]
fn bounds_are_those_of_all_clients() {
    let bounds: Bounds = conformance("bounds");
    assert_eq!(crate::exchange::TRIES, bounds.tries);
    assert_eq!(crate::exchange::CALL, Duration::from_millis(bounds.call_ms));
    assert_eq!(crate::exchange::ANSWER_BYTES, bounds.answer_bytes);
    assert_eq!(crate::connection::ERROR_CHARS, bounds.error_chars);
    assert_eq!(crate::alerts::FOLD, Duration::from_millis(bounds.fold_ms));
    assert_eq!(crate::alerts::FOLDED_ALERTS, bounds.folded_alerts);
}

// Controls: two tries, a pause without its random part or without Retry-After, a key per try, 500 among the passing
// answers, no bound on Retry-After: each makes a case fail.
#[tokio::test]
async fn retries() {
    let Cases { cases } = conformance::<Cases<Retry>>("retries");
    for (random, end) in [(0.0, 0), (0.999_999, 1)] {
        for case in &cases {
            let name = &case.name;
            let fake = Fake::start().await;
            fake.next(case.answers.clone());
            let clock = TestClock::new(random);
            let nuncio = Dispatcher::with_clock(&fake.url, KEY, clock.clone());
            matches(&fake, name, alert(&nuncio, false).await, &case.result, &case.error_contains);
            let requests = fake.requests();
            assert_eq!(requests.len(), case.waits_ms.len() + 1, "{name}");
            same_in_all(&requests);
            let pauses = clock.pauses_ms();
            assert_eq!(pauses.len(), case.waits_ms.len(), "{name}");
            for ((pause, bounds), answer) in pauses.iter().zip(&case.waits_ms).zip(&case.answers) {
                assert!((bounds[0]..=bounds[1]).contains(pause), "{name}: a pause of {pause} ms");
                // The random part reaches from one bound to the other. A date has whole seconds only.
                if answer["retry_after_in_s"].is_null() {
                    assert!((pause - bounds[end]).abs() < 1.0, "{name}: a pause of {pause} ms");
                }
            }
        }
    }
}

#[tokio::test]
async fn answers() {
    for case in conformance::<Cases<OneAnswer>>("answers").cases {
        let fake = Fake::start().await;
        fake.next([case.answer]);
        let nuncio = super::client(&fake.url);
        matches(&fake, &case.name, alert(&nuncio, case.waits).await, &case.result, &case.error_contains);
        assert_eq!(fake.requests().len(), 1, "{}", case.name);
    }
}

// Control: without the limit of a try this test never ends.
#[tokio::test]
async fn a_nuncio_that_never_answers_is_left_after_the_time_of_a_call() {
    let fake = Fake::start().await;
    fake.next([json!({ "fault": "hang" })]);
    let clock = TestClock::new(0.0);
    let nuncio = Dispatcher::with_clock(&fake.url, KEY, clock.clone());
    let (result, ()) = tokio::join!(nuncio.system_alert("a", "b").wait(), async {
        fake.asked.notified().await;
        clock.due.notify_one();
    });
    assert!(result.errors[0].error.contains("did not answer in time. It may have the event"), "{result:?}");
    assert_eq!(fake.requests().len(), 1);
    assert_eq!(*clock.deadlines.lock().unwrap(), [crate::exchange::CALL]);
}

// Control: each try has the whole time.
#[tokio::test]
async fn a_pause_is_taken_from_the_time_of_a_call() {
    let fake = Fake::start().await;
    fake.next([
        json!({ "status": 503, "headers": { "retry-after": "4" }, "text": "" }),
        json!({ "status": 202, "body": { "event_id": "evt_1", "deliveries": 1 } }),
    ]);
    let clock = TestClock::new(0.0);
    let nuncio = Dispatcher::with_clock(&fake.url, KEY, clock.clone());
    assert!(nuncio.system_alert("a", "b").await.accepted);
    assert_eq!(*clock.deadlines.lock().unwrap(), [Duration::from_secs(15), Duration::from_secs(11)]);
    fake.requests();
}
