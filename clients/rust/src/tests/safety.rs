//! What may go wrong between an application and nuncio, and must not reach the application.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};

use super::fake::Fake;
use super::{Bounds, KEY, client, conformance};
use crate::{Accepted, DispatchResult, Dispatcher, WebhookType};

fn error(result: &Accepted) -> &str {
    assert!(!result.accepted && result.event_id.is_none() && result.deliveries == 0, "{result:?}");
    assert_eq!((result.errors.len(), &*result.errors[0].webhook), (1, "system"), "{result:?}");
    assert!(!format!("{result:?}").contains(KEY));
    &result.errors[0].error
}

#[tokio::test]
async fn nuncio_cannot_be_reached() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nuncio = client(&format!("http://{free}"));
    let result = nuncio.system_alert("a", "b").await;
    let expected = format!("nuncio cannot be reached at http://{free} (Connection refused");
    assert!(error(&result).starts_with(&expected), "{result:?}");
    let waited = nuncio.system_alert("a", "b").wait().await;
    assert_eq!(waited, DispatchResult { errors: result.errors, ..DispatchResult::default() });
}

#[tokio::test]
async fn what_is_not_set_is_named_with_what_to_do() {
    let result = Dispatcher::new("", "").settings_update(["a"]).await;
    assert_eq!(
        error(&result),
        "NUNCIO_URL is not set. Set it to nuncio's address, for example http://localhost:3000. \
         NUNCIO_API_KEY is not set. Set it to a key of `nuncio keys create`"
    );
}

// Control: an error text with the given value.
#[tokio::test]
async fn an_address_or_a_key_that_cannot_be_is_named_and_never_shown() {
    let secret = "p4ssw0rd-canary";
    for url in [
        "nuncio.example.com".to_owned(),
        "localhost:3000".to_owned(),
        "ftp://a".to_owned(),
        "file:///etc/passwd".to_owned(),
        "http://".to_owned(),
        "javascript:1".to_owned(),
        format!("https://user:{secret}@nuncio.example.com"),
        format!("https://nuncio.example.com/?key={secret}"),
        format!("https://a/#{secret}"),
    ] {
        let nuncio = Dispatcher::new(&url, KEY);
        let result = nuncio.system_alert("a", "b").await;
        assert!(error(&result).starts_with("NUNCIO_URL is not an address"), "{url}: {result:?}");
        assert!(!format!("{nuncio:?} {result:?}").contains(secret));
    }
    for key in [
        format!("{KEY}\n"),
        format!(" {KEY}"),
        format!("{KEY}\r\nX-Evil: 1"),
        format!("{KEY}ß"),
        format!("{KEY}\0"),
    ] {
        let nuncio = Dispatcher::new("http://127.0.0.1:9", &key);
        let result = nuncio.system_alert("a", "b").await;
        assert!(error(&result).starts_with("NUNCIO_API_KEY has a line break"), "{result:?}");
        assert!(!format!("{nuncio:?}").contains(KEY));
    }
}

// Control: follow redirects: the other server is asked, and with the same host it gets the key.
#[tokio::test]
async fn a_redirect_takes_the_key_nowhere() {
    let (fake, other) = (Fake::start().await, Fake::start().await);
    let nuncio = client(&fake.url);
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/v1/dispatch/system-alert", other.url);
        fake.next([json!({ "status": status, "headers": { "location": location }, "text": "" })]);
        let result = nuncio.system_alert("a", "b").await;
        assert!(error(&result).contains("answers with a redirect"), "{result:?}");
    }
    assert_eq!((fake.requests().len(), other.requests().len()), (5, 0));
}

// Control: `response.text()` reads for ever.
#[tokio::test]
async fn an_answer_is_read_up_to_its_bound() {
    let bounds: Bounds = conformance("bounds");
    let fake = Fake::start().await;
    let nuncio = client(&fake.url);
    let body = r#"{"deliveries":1}"#;
    for (beyond, accepted) in [(0, true), (1, false)] {
        let text = format!("{body}{}", " ".repeat(bounds.answer_bytes - body.len() + beyond));
        fake.next([json!({ "status": 202, "text": text })]);
        assert_eq!(nuncio.system_alert("a", "b").await.accepted, accepted);
    }
    // Control: without the cut a log line is as long as an answer.
    fake.next([json!({ "status": 400, "body": { "detail": "x".repeat(100_000) } })]);
    assert_eq!(error(&nuncio.system_alert("a", "b").await).len(), bounds.error_chars);
    fake.requests();
}

#[tokio::test]
async fn an_event_that_is_no_json_is_reported_and_not_sent() {
    let fake = Fake::start().await;
    let no_json = BTreeMap::from([(vec![1], 1)]);
    let result = client(&fake.url).dispatch(WebhookType::Custom, no_json).await;
    assert!(error(&result).starts_with("The event was not sent: it cannot be written as JSON"), "{result:?}");
    assert!(fake.requests().is_empty());
}

// Control: without the look for a runtime the HTTP client panics: "there is no reactor running".
#[test]
fn without_a_runtime_the_call_says_so() {
    let mut call = pin!(Dispatcher::new("http://127.0.0.1:9", KEY).system_alert("a", "b").into_future());
    let Poll::Ready(result) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it waits")
    };
    assert!(error(&result).contains("within a Tokio runtime"), "{result:?}");
}

// Control: without `caught` Tokio's panic reaches the caller.
#[test]
fn a_runtime_without_timers_makes_no_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let result =
        runtime.block_on(Dispatcher::new("http://127.0.0.1:9", KEY).system_alert("a", "b").into_future());
    assert!(error(&result).contains("enable_all"), "{result:?}");
}

/// Run by the test below in a process of its own, with an environment of its own.
#[tokio::test]
async fn child_sends_as_its_environment_says() {
    if std::env::var_os("NUNCIO_URL").is_some() {
        assert!(Dispatcher::from_env().settings_update(["a"]).await.accepted);
    }
}

// Control: without `no_proxy` the key goes to the proxy that the environment names.
#[tokio::test(flavor = "multi_thread")]
async fn the_environment_names_nuncio_and_no_proxy() {
    let (fake, proxy) = (Fake::start().await, Fake::start().await);
    fake.next([json!({ "status": 202, "body": { "event_id": "evt_1", "deliveries": 1 } })]);
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::safety::child_sends_as_its_environment_says"])
        .envs([("NUNCIO_URL", &*fake.url), ("NUNCIO_API_KEY", KEY)])
        .envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, &*proxy.url)))
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    let request = fake.requests().pop().unwrap();
    assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(request.body(), json!({ "changed_fields": ["a"] }) as Value);
    assert!(proxy.requests().is_empty());
}
