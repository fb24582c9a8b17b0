//! What may have arrived through a stored webhook: nobody can look for it there, so it is sent again with the label that
//! it may stand twice.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the proof of an execute: any 2xx is delivered; or is refused | both tests |
//! | the look through which webhook it came | `case_5_of_another_webhook` |

use std::time::Duration;

use nuncio::clock::Timestamp;
use nuncio::sandbox::discord::Fault;
use nuncio::store::Which;
use rstest::rstest;
use serde_json::Value;

use super::{footer, routed};
use crate::harness::{Harness, within};
use crate::limits::{asked, ticket};

const LABEL: &str = " · may stand twice";

fn executed(t: &Harness) -> usize {
    asked(t, &["POST", "/webhooks/"])
}

/// Moves the clock on until something was sent through the webhook for the `count`th time.
async fn sent_again(t: &Harness, count: usize) {
    within("another try", async {
        while executed(t) < count {
            t.clock.advance(Duration::from_millis(100));
            t.store().backlog().await.unwrap();
        }
    })
    .await;
}

/// When a message was tried, in milliseconds.
async fn tries(t: &Harness) -> Vec<i64> {
    let id = t.store().letters(Which::All, 1).await.unwrap()[0].id.to_string();
    let found = t.runs(&["deliveries", &id, "--json"]).await.stdout;
    let found: Value = serde_json::from_str(&found).unwrap();
    let at =
        |tried: &Value| Timestamp::parse_rfc3339(tried["started_at"].as_str().unwrap()).unwrap().as_millis();
    found["tries"].as_array().unwrap().iter().map(at).collect()
}

// N-8: a 2xx that does not show the message proves nothing.
#[rstest]
#[case::html(200, "<html>Log in</html>")]
#[case::an_empty_object(200, "{}")]
#[case::empty(200, "")]
#[case::null(200, "null")]
#[case::of_another_webhook(200, r#"{"id":"7","channel_id":"8","webhook_id":"9"}"#)]
#[case::no_content(204, "")]
#[tokio::test]
async fn a_success_that_says_nothing_is_sent_again_in_the_lanes_back_off(
    #[case] status: u16,
    #[case] body: &str,
    #[values(false, true)] restarts: bool,
) {
    let mut t = Harness::plain().await;
    routed(&mut t).await;
    let fault = Fault::Status { status, headers: Vec::new(), body: body.to_owned() };
    t.discord.faults().next_on("/webhooks/", 3, fault);
    t.sends_body(ticket(1)).await;
    for count in 1..=3 {
        sent_again(&t, count).await;
        if restarts {
            t.restart().await;
        }
    }
    sent_again(&t, 4).await;
    let message = t.channel("general").next_message().await;
    assert!(footer(&message).ends_with(LABEL), "{message:#?}");
    t.settle().await;
    assert_eq!(executed(&t), 4, "and is not sent again after the first proof");
    let tries = tries(&t).await;
    if !restarts {
        assert_eq!(tries.len(), 4);
        assert!(
            tries.windows(2).all(|two| (two[1] - two[0]).abs() >= 250),
            "in its lane's back-off: {tries:?}"
        );
    }
    t.finish().await;
}

// N-8: it took effect, and what came back was no answer.
#[rstest]
#[case::html(Fault::Garbage)]
#[case::half_of_it(Fault::Truncated)]
#[tokio::test]
async fn what_took_effect_behind_such_an_answer_stands_twice_and_says_so(#[case] fault: Fault) {
    let mut t = Harness::plain().await;
    routed(&mut t).await;
    t.discord.faults().next_on("/webhooks/", 1, fault);
    t.sends_body(ticket(1)).await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    let messages = t.channel("general").next_messages(2).await;
    assert!(!footer(&messages[0]).contains("may stand twice"), "{messages:#?}");
    assert!(footer(&messages[1]).ends_with(LABEL), "{messages:#?}");
    t.finish().await;
}
