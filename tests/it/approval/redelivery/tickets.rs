//! A ticket's actions go through the same guard.

use super::{NO, Stage};
use crate::harness::Answering;

// D-13: a ticket's action goes through the same guard.
#[tokio::test]
async fn a_ticket_action_is_retried_by_operators_until_something_newer_counts() {
    let s = Stage::commanding(&["Operators"]).await;
    s.platform.next(2, &Answering::With(422, NO));
    s.t.sends("ticket_created.json").await;
    let card = s.t.channel("tickets").next_message().await;
    s.t.person("bob").clicks("tickets", &card, "Take").await;
    s.platform.call(1).await;
    s.t.settle().await;
    let take = s.first_call().await;
    let ran = s.t.runs(&["redeliver", "--dead"]).await;
    assert!(ran.stderr.contains("1 decision left alone"), "{}", ran.stderr);
    assert_eq!(s.retries(take.id).await, "The call to XTSystems is made again.");
    s.platform.call(2).await;
    s.t.settle().await;

    // Somebody else takes it; the first one's wish is over.
    s.t.person("alice").clicks("tickets", &card, "Take").await;
    s.platform.call(3).await;
    s.t.settle().await;
    assert!(s.retries(take.id).await.contains("a newer one"), "superseded");
    assert_eq!(s.t.runs(&["redeliver", &take.id.to_string()]).await.code, 1);
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), 3);
    s.finish().await;
}

// D-13: a note that was refused is not written to a ticket that was closed since.
#[tokio::test]
async fn nothing_is_retried_on_a_closed_ticket() {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::With(422, NO));
    s.t.sends("ticket_created.json").await;
    let card = s.t.channel("tickets").next_message().await;
    let bob = s.t.person("bob");
    bob.clicks("tickets", &card, "Take").await;
    s.platform.call(1).await;
    s.t.settle().await;
    let opened = bob.clicks("tickets", &card, "Close…").await;
    bob.submits("tickets", &opened, "Switch replaced").await;
    s.platform.call(2).await;
    s.t.settle().await;
    let ran = s.t.runs(&["redeliver", &s.first_call().await.id.to_string()]).await;
    assert!(ran.code == 1 && ran.stderr.contains("the ticket is closed"), "{}", ran.stderr);
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), 2);
    s.finish().await;
}
