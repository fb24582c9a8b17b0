//! A key that XTSystems refuses: every card says why it waits, and another key is tried at once.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `say_why` after the call | `every_card_that_waits_says_why…` (the card decided before) |
//! | `said` in the UPDATE of a decision | `every_card_that_waits_says_why…` (the card decided after) |
//! | `try_calls_again` at a start; its entry in the audit log | both |
//! | the note of the key | `what_is_held…` |

use std::time::Duration;

use serde_json::json;
use tracing::Level;

use super::{GRACE, Stage};
use crate::harness::{Answering, Message};

impl Stage {
    /// Another machine asks to join; its card.
    async fn asks_as(&self, name: &str) -> Message {
        let data = json!({"id": format!("id-of-{name}"), "hostname": name});
        self.t.sends_body(json!({"event_type": "machine.registered", "data": data})).await;
        self.t.channel("machines").next_message().await
    }

    /// What `nuncio audit` says of calls that a start with another key tried again.
    async fn tried_again(&self) -> Vec<String> {
        let said = "by nuncio (nuncio)  a start with another XTSYSTEMS_API_KEY: tried again at once, ";
        let audit = self.t.runs(&["audit"]).await.stdout;
        let lines = audit.lines().filter(|line| line.contains("decision.try-again") && line.contains("done"));
        lines.filter_map(|line| Some(line.split_once(said)?.1.to_owned())).collect()
    }

    /// Waits until the card says this in its description.
    async fn tells(&self, card: &Message, text: &str) {
        self.t.channel("machines").becomes(card.id(), text, |now| now.description().contains(text)).await;
    }
}

// A6
#[tokio::test]
async fn every_card_that_waits_says_why_and_another_key_is_tried_at_once() {
    let mut s = Stage::start().await;
    s.platform.next(1, &Answering::With(401, r#"{"detail":"unknown key"}"#));
    let (first, second, third) = (s.asks_as("PC-1").await, s.asks_as("PC-2").await, s.asks_as("PC-3").await);
    s.clicks("alice", &first, "Approve").await;
    s.says(&first, "⏳").await;
    s.t.clock.advance(GRACE / 2);
    s.clicks("alice", &second, "Approve").await;
    s.says(&second, "⏳").await;
    s.t.clock.advance(GRACE / 2);
    s.platform.call(1).await;
    let why = "XTSystems refused our API key (401: unknown key). Put the right key into XTSYSTEMS\\_API\\_KEY and restart";
    s.tells(&first, why).await;
    s.tells(&second, why).await;
    s.clicks("alice", &third, "Approve").await;
    s.tells(&third, why).await;
    s.t.log.expect(Level::ERROR, "XTSystems refused our API key (401");
    // The same key has to wait, whoever starts it.
    s.t.restart().await;
    s.t.online().await;
    assert_eq!(s.platform.recorded_requests().len(), 1);
    s.t.set("XTSYSTEMS_API_KEY", super::KEY.replace("5a1d", "6b2e"));
    s.t.restart().await;
    s.t.online().await;
    s.platform.call(2).await;
    s.says(&first, "✅ PC-1 approved").await;
    // A grace that still runs is not shortened.
    s.t.clock.advance(GRACE);
    s.says(&second, "✅ PC-2 approved").await;
    s.says(&third, "✅ PC-3 approved").await;
    assert_eq!(s.platform.recorded_requests().len(), 4);
    let told = s.platform.recorded_requests();
    assert_eq!(told[0].idempotency_key, told[1].idempotency_key, "one and the same call");
    assert_eq!(s.tried_again().await, ["0 held and 1 waiting"], "by another key only");
    s.finish().await;
}

// A6
#[tokio::test]
async fn what_is_held_is_tried_with_another_key() {
    let mut s = Stage::start().await;
    s.platform.next(1, &Answering::With(404, r#"{"detail":"Not Found"}"#));
    let card = s.asks().await;
    s.clicks("alice", &card, "Approve").await;
    s.says(&card, "⏳").await;
    s.t.clock.advance(GRACE);
    s.says(&card, "**not** in XTSystems").await;
    s.t.log.expect(Level::ERROR, "set XTSYSTEMS_APPROVE");
    s.t.settle().await;
    s.t.restart().await;
    s.t.online().await;
    s.t.clock.advance(Duration::from_secs(600));
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), 1, "the same key changes nothing");
    s.t.set("XTSYSTEMS_API_KEY", super::KEY.replace("5a1d", "6b2e"));
    s.t.restart().await;
    s.t.online().await;
    s.says(&card, "✅ DESKTOP-001 approved").await;
    assert_eq!(s.platform.recorded_requests().len(), 2);
    assert_eq!(s.tried_again().await, ["1 held and 0 waiting"], "by another key only");
    s.finish().await;
}
