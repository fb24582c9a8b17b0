//! What people want done with one ticket: in their order, and still on its card when XTSystems closes it.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the look for an earlier call about the ticket in `next_call` | `a_note_and_the_close_behind_it_…` |
//! | a closed ticket's card asked for what came of its buttons | `the_end_keeps_who_took_it` |
//! | `is_taken` | `a_ticket_that_is_taken_is_not_offered_again` |

use std::time::Duration;

use serde_json::{Value, json};

use super::Stage;
use crate::harness::{Answering, Message, by};

fn about(kind: &str, id: &str, data: Value) -> Value {
    let mut data = data;
    data["id"] = json!(id);
    data["title"] = json!("Printer");
    json!({"event_type": kind, "data": data})
}

impl Stage {
    async fn opens(&self, id: &str) -> Message {
        self.t.sends_body(about("ticket.created", id, json!({}))).await;
        self.t.channel("tickets").next_message().await
    }

    async fn writes(&self, card: &Message, label: &str, text: &str) {
        let opened = self.t.person("bob").clicks("tickets", card, label).await;
        assert_eq!(self.t.person("bob").submits("tickets", &opened, text).await["type"], 6);
    }

    async fn reads(&self, card: &Message, text: &str) -> Message {
        self.t.channel("tickets").becomes(card.id(), text, |now| now.description().contains(text)).await
    }
}

// 11
#[tokio::test]
async fn a_note_and_the_close_behind_it_reach_the_platform_in_their_order() {
    let s = Stage::start().await;
    let (card, other) = (s.opens("t-1").await, s.opens("t-2").await);
    s.platform.next(1, &Answering::With(503, "{}"));
    s.writes(&card, "Note…", "The switch is dead").await;
    s.reads(&card, "Attempt 1").await;
    s.writes(&card, "Close…", "Switch replaced").await;
    s.reads(&card, "closed by @Bob: telling XTSystems").await;
    // Another ticket's call waits for neither.
    s.t.person("bob").clicks("tickets", &other, "Take").await;
    s.reads(&other, "🙋 taken by @Bob").await;
    let lines = || s.platform.recorded_requests().iter().map(|told| told.line.clone()).collect::<Vec<_>>();
    assert_eq!(lines(), ["PUT /v1/tickets/t-1", "PUT /v1/tickets/t-2"]);

    s.t.clock.advance(Duration::from_secs(300));
    s.reads(&card, "🔒 closed by @Bob").await;
    let told = s.platform.recorded_requests();
    assert_eq!(told.len(), 4, "{told:#?}");
    assert_eq!(told[2].body["note"], "The switch is dead");
    assert_eq!(told[3].body["status"], "closed");
    for n in 1..=3 {
        s.t.whisper(n).await;
    }
    s.finish().await;
}

// 11
#[tokio::test]
async fn the_end_keeps_who_took_it() {
    let s = Stage::start().await;
    let card = s.opens("t-1").await;
    s.t.person("bob").clicks("tickets", &card, "Take").await;
    s.reads(&card, "🙋 taken by @Bob").await;
    s.t.sends_body(about("ticket.closed", "t-1", json!({"resolution": "Replaced"}))).await;
    s.t.channel("tickets").next_message().await;
    let closed = s.t.channel("tickets").now(card.id());
    assert_eq!(closed.title(), "🔒 Printer");
    assert!(closed.description().contains("🙋 taken by @Bob"), "{}", closed.description());
    assert!(closed.buttons().is_empty(), "{:?}", closed.buttons());
    s.t.whisper(1).await;
    s.finish().await;
}

// 34
#[tokio::test]
async fn a_ticket_that_is_taken_is_not_offered_again() {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::With(409, r#"{"detail":"locked"}"#));
    let card = s.opens("t-1").await;
    s.t.person("bob").clicks("tickets", &card, "Take").await;
    let refused = s.reads(&card, "here, **not** in XTSystems").await;
    assert_eq!(refused.buttons(), ["Try again", "Take", "Note…", "Close…"], "it is nobody's");
    s.t.person("bob").clicks("tickets", &refused, "Take").await;
    let taken = s.reads(&card, "🙋 taken by @Bob").await;
    assert_eq!(taken.buttons(), ["Note…", "Close…"]);
    s.t.whisper(2).await;
    s.finish().await;
}

// 34
#[tokio::test]
async fn without_a_key_a_ticket_says_why_and_an_alert_needs_none() {
    let s = Stage::with(|variables| drop(variables.remove("XTSYSTEMS_API_KEY"))).await;
    let ticket = s.opens("t-1").await;
    assert!(ticket.buttons().is_empty(), "{:?}", ticket.buttons());
    assert!(
        ticket.description().contains("⚠️ No buttons: XTSYSTEMS_API_KEY is not set."),
        "{}",
        ticket.description()
    );
    s.t.sends("alert_triggered.json").await;
    let alert = s.t.channel("alerts").next_message().await;
    assert_eq!(alert.buttons(), ["On it", "Mute 1 h", "Details"]);
    assert_eq!(s.t.person("bob").clicks("alerts", &alert, "On it").await["type"], 6);
    let taken =
        s.t.channel("alerts")
            .becomes(alert.id(), "who is on it", |now| now.description().contains("Bob"))
            .await;
    assert_eq!(s.t.person("bob").clicks("alerts", &taken, "Mute 1 h").await["type"], 6);
    s.t.channel("alerts").becomes(alert.id(), "the mute", |now| now.description().contains("🔕")).await;
    // What is closed needs no buttons, and no reason.
    s.t.sends_body(about("ticket.closed", "t-1", json!({}))).await;
    s.t.channel("tickets").next_message().await;
    let closed = s.t.channel("tickets").now(ticket.id());
    assert!(!closed.description().contains("No buttons"), "{}", closed.description());
    s.t.whisper(1).await;
    let mutes = s.t.hub().mutes().await.unwrap();
    s.t.hub().unmute(mutes[0].0.name(), &by("Alice")).await.unwrap();
    s.t.clock.advance(Duration::from_secs(5));
    s.t.channel("alerts").becomes(alert.id(), "its end", |now| !now.description().contains("🔕")).await;
    s.finish().await;
}
