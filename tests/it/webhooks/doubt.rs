//! What may have arrived through a stored webhook: nobody can look for it there, so it is sent again with the label that
//! it may be a duplicate.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the proof of an execute: any 2xx is delivered; or is refused; the label | both tests |
//! | the back-off | `a_success_that_says_nothing_…` without restarts |
//! | the look through which webhook it came | `case_5_of_another_webhook` |

use std::time::Duration;

use nuncio::sandbox::discord::Fault;
use rstest::rstest;

use super::{footer, routed};
use crate::harness::{Harness, within};
use crate::limits::{asked, ticket};

const LABEL: &str = " · may be a duplicate";

fn executed(t: &Harness) -> usize {
    asked(t, &["POST", "/webhooks/"])
}

/// Waits until something was sent through the webhook for the `count`th time. The clock is moved on only while its lane
/// waits.
async fn sent_again(t: &Harness, count: usize) {
    within("another try", async {
        while executed(t) < count {
            if t.store().destination_counts(t.clock.steady()).await.unwrap().cooling > 0 {
                t.clock.advance(Duration::from_secs(1));
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
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
    let times = if restarts { 3 } else { 12 };
    t.discord.faults().next_on("POST /api/v10/webhooks/", times, fault);
    t.sends_body(ticket(1)).await;
    let began = t.clock.elapsed();
    for count in 1..=times {
        sent_again(&t, count).await;
        if restarts {
            t.restart().await;
        }
    }
    sent_again(&t, times + 1).await;
    let took = t.clock.elapsed() - began;
    let message = t.channel("general").next_message().await;
    assert!(footer(&message).ends_with(LABEL), "{message:#?}");
    t.settle().await;
    assert_eq!(executed(&t), times + 1, "and is not sent again after the first proof");
    // Twelve waits of up to five minutes; another process begins anew.
    assert!(restarts || took > Duration::from_secs(30), "in its lane's back-off: {took:?}");
    t.finish().await;
}

// N-8: it took effect, and what came back was no answer.
#[rstest]
#[case::html(Fault::WrongBody)]
#[case::half_of_it(Fault::Truncated)]
#[tokio::test]
async fn what_took_effect_behind_such_an_answer_stands_twice_and_says_so(#[case] fault: Fault) {
    let mut t = Harness::plain().await;
    routed(&mut t).await;
    t.discord.faults().next_on("POST /api/v10/webhooks/", 1, fault);
    t.sends_body(ticket(1)).await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    let messages = t.channel("general").next_messages(2).await;
    assert!(!footer(&messages[0]).contains("may be a duplicate"), "{messages:#?}");
    assert!(footer(&messages[1]).ends_with(LABEL), "{messages:#?}");
    t.finish().await;
}
