//! The buttons of tickets and alerts.

use std::time::Duration;

use serde_json::{Value, json};
use tracing::Level;

use super::Stage;
use crate::harness::{Answering, Message};

impl Stage {
    async fn ticket(&self) -> Message {
        self.t.sends("ticket_created.json").await;
        self.t.channel("tickets").next_message().await
    }

    async fn ticket_says(&self, card: &Message, text: &str) -> Message {
        self.t.channel("tickets").becomes(card.id(), text, |now| now.description().contains(text)).await
    }

    async fn whispers(&self, n: usize, text: &str) {
        let whisper = self.t.whisper(n).await;
        assert!(whisper["content"].as_str().unwrap().contains(text), "{whisper:#}");
    }
}

#[tokio::test]
async fn a_ticket_is_taken_noted_and_closed() {
    let s = Stage::start().await;
    let card = s.ticket().await;
    assert_eq!(card.buttons(), ["Take", "Note…", "Close…"]);
    let bob = s.t.person("bob");
    assert_eq!(bob.clicks("tickets", &card, "Take").await["type"], 6);
    let told = s.platform.call(1).await;
    assert_eq!(told.line, "PUT /v1/tickets/ticket-uuid");
    assert_eq!(told.body["assigned_to"], "Bob");
    assert_eq!(told.body["actor"]["name"], "Bob");
    s.whispers(1, "is yours as soon as XTSystems has heard of it").await;
    s.ticket_says(&card, "🙋 taken by @Bob").await;

    let opened = bob.clicks("tickets", &card, "Note…").await;
    assert_eq!(bob.submits("tickets", &opened, "The switch is dead").await["type"], 6);
    assert_eq!(s.platform.call(2).await.body["note"], "The switch is dead");
    s.ticket_says(&card, "📝 note by @Bob").await;

    let opened = bob.clicks("tickets", &card, "Close…").await;
    assert_eq!(bob.submits("tickets", &opened, "Switch replaced").await["type"], 6);
    let told = s.platform.call(3).await;
    assert_eq!(
        (&told.body["status"], &told.body["resolution"]),
        (&json!("closed"), &json!("Switch replaced"))
    );
    let closed = s.ticket_says(&card, "🔒 closed by @Bob").await;
    assert!(closed.buttons().is_empty(), "{:?}", closed.buttons());
    assert_eq!(s.audit().await, ["Bob ticket.take done", "Bob ticket.note done", "Bob ticket.close done"]);
    let keys: std::collections::BTreeSet<_> =
        s.platform.told().into_iter().map(|call| call.idempotency_key).collect();
    assert_eq!(keys.len(), 3, "three wishes");
    s.finish().await;
}

#[tokio::test]
async fn only_operators_change_tickets() {
    let s = Stage::start().await;
    let card = s.ticket().await;
    let operators = s.t.discord.role_id("Operators").unwrap();
    for (n, label) in ["Take", "Note…", "Close…"].into_iter().enumerate() {
        let answer: Value = s.t.person("alice").clicks("tickets", &card, label).await;
        let said = answer["data"]["content"].as_str().unwrap();
        assert_eq!(said, format!("Only <@&{operators}> can change tickets: ask one of them."));
        s.audited(n + 1).await;
    }
    assert!(s.platform.told().is_empty());
    s.finish().await;
}

#[tokio::test]
async fn a_ticket_is_taken_once_at_a_time() {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::With(503, "{}"));
    let card = s.ticket().await;
    let bob = s.t.person("bob");
    bob.clicks("tickets", &card, "Take").await;
    s.ticket_says(&card, "no answer yet, attempt 1").await;
    bob.clicks("tickets", &card, "Take").await;
    s.whispers(2, "the same is on its way already by Bob").await;
    s.t.clock.advance(Duration::from_secs(300));
    s.ticket_says(&card, "🙋 taken by @Bob").await;
    let told = s.platform.told();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].idempotency_key, told[1].idempotency_key);
    s.finish().await;
}

#[tokio::test]
async fn a_wish_that_is_not_taken_is_shown_and_can_be_sent_again() {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::With(404, r#"{"detail":"Not Found"}"#));
    let card = s.ticket().await;
    s.t.person("bob").clicks("tickets", &card, "Take").await;
    let held = s.ticket_says(&card, "here, **not** in XTSystems").await;
    assert_eq!(held.buttons(), ["Try again", "Take", "Note…", "Close…"]);
    s.t.log.expect(Level::ERROR, "set XTSYSTEMS_UPDATE_TICKET");
    assert_eq!(s.t.person("bob").clicks("tickets", &held, "Try again").await["type"], 6);
    s.ticket_says(&card, "🙋 taken by @Bob").await;
    s.finish().await;
}

#[tokio::test]
async fn without_a_key_a_ticket_has_no_buttons() {
    let s = Stage::with(|variables| drop(variables.remove("XTSYSTEMS_API_KEY"))).await;
    assert!(s.ticket().await.buttons().is_empty());
    s.finish().await;
}

#[tokio::test]
async fn somebody_is_on_an_alert() {
    let s = Stage::start().await;
    s.t.sends("alert_triggered.json").await;
    let card = s.t.channel("alerts").next_message().await;
    assert_eq!(card.buttons()[0], "On it");
    assert_eq!(s.t.person("bob").clicks("alerts", &card, "On it").await["type"], 6);
    let taken =
        s.t.channel("alerts")
            .becomes(card.id(), "who is on it", |now| now.description().contains("🙋 Bob is on it"))
            .await;
    assert!(!taken.buttons().contains(&"On it"));
    assert!(s.platform.told().is_empty(), "that is between people");
    assert_eq!(s.audit().await, ["Bob alert.take done"]);
    s.finish().await;
}
