//! After an outage nobody sits out what is left of a wait: the first success wakes all.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `end_outage` | `the_first_success_wakes…`, `…_left_waiting_by_an_earlier_process` |
//! | a start takes it that somebody waits | `…_left_waiting_by_an_earlier_process` |

use std::time::Duration;

use nuncio::sandbox::discord::Fault;
use rstest::rstest;

use super::answered;
use crate::harness::{Harness, nuncio_id, within};
use crate::limits::{asked, asset, ticket};

/// Lets #tickets fail until its lane waits for minutes.
async fn fails_for_long(t: &Harness, fault: Fault) {
    t.discord.faults().next_on("/messages", usize::MAX, fault);
    t.sends_body(ticket(0)).await;
    within("a wait of minutes", async {
        while waits(t).await < Duration::from_secs(100) {
            t.clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    })
    .await;
    t.discord.faults().clear();
}

/// How long #tickets still waits, as the table says.
async fn waits(t: &Harness) -> Duration {
    let id = t.discord.channel_id("tickets").unwrap();
    let sink = nuncio::model::Sink::Channel(nuncio_id(id));
    let destination = t.store().ensure_destination(sink, "tickets", "environment").await.unwrap();
    destination.not_before.since(t.clock.steady())
}

/// Waits until #tickets need not wait for minutes any more: somebody else's success is known. The clock stands still.
async fn is_woken(t: &Harness) {
    within("#tickets to be woken", async {
        while waits(t).await > Duration::from_secs(60) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

// A5, N-10
#[rstest]
#[case::no_answer(Fault::CutBefore)]
#[case::server_error(Fault::status(503))]
#[case::a_login_page(answered(200, "<html>Log in</html>"))]
#[case::a_proxy(answered(407, "<html>Who are you?</html>"))]
#[tokio::test]
async fn the_first_success_wakes_whoever_waits_for_the_same(#[case] fault: Fault) {
    let t = Harness::plain().await;
    t.introduced().await;
    fails_for_long(&t, fault).await;
    t.sends_body(asset(1)).await;
    t.channel("assets").next_message().await;
    is_woken(&t).await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// A5
#[tokio::test]
async fn the_first_success_wakes_whoever_was_left_waiting_by_an_earlier_process() {
    let mut t = Harness::plain().await;
    t.introduced().await;
    fails_for_long(&t, Fault::status(503)).await;
    t.restart().await;
    is_woken(&t).await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// N-5: a limit of its own, or a channel that denies the bot, is nobody else's affair.
#[tokio::test]
async fn a_wait_of_another_kind_is_not_shortened() {
    let t = Harness::plain().await;
    t.introduced().await;
    let limited = Fault::rate_limited(Duration::from_secs(300), "user");
    t.discord.faults().next_on("/messages", 1, limited);
    t.sends_body(ticket(0)).await;
    within("the limit to be noted", async {
        while waits(&t).await.is_zero() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    t.sends_body(asset(1)).await;
    t.channel("assets").next_message().await;
    for _ in 0..20 {
        t.clock.advance(Duration::from_secs(10));
        t.store().backlog().await.unwrap();
    }
    assert_eq!(asked(&t, &["POST", "/messages"]), 2);
    t.clock.advance(Duration::from_secs(100));
    t.channel("tickets").next_message().await;
    t.finish().await;
}
