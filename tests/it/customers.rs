//! Two customers who use the same ids: neither reads of the other's things, nor decides about them.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the customer in `model::subject` | `two_tickets_of_one_id_have_two_cards`, `two_machines_of_one_id_are_two_questions` |
//! | the customer in `of_company` | `two_machines_of_one_id_are_two_questions` |
//! | `is_f64` in `Scalar::id`; in the ids of machines | `large_numbers_are_no_ids` |

use serde_json::{Value, json};

use crate::approval::{GRACE, Stage};
use crate::harness::Harness;

fn of(company: &str, kind: &str, data: Value) -> Value {
    json!({"event_type": kind, "company_id": company, "data": data})
}

// 12
#[tokio::test]
async fn two_tickets_of_one_id_have_two_cards() {
    let t = Harness::start().await;
    for (company, title) in [("acme", "Acme's printer"), ("globex", "Globex' printer")] {
        t.sends_body(of(company, "ticket.created", json!({"id": 7, "title": title, "priority": "high"})))
            .await;
    }
    let cards = t.channel("tickets").next_messages(2).await;
    t.sends_body(of("acme", "ticket.updated", json!({"id": 7, "description": "Acme's secret plan"}))).await;
    t.settle().await;
    let now = |n: usize| t.channel("tickets").now(cards[n].id());
    assert_eq!((now(0).title(), now(1).title()), ("📝 Acme's printer", "🎫 Globex' printer"));
    assert!(now(0).description().contains("secret plan"), "{}", now(0).description());
    assert!(!now(1).description().contains("secret plan"), "{}", now(1).description());
    t.finish().await;
}

// 12
#[tokio::test]
async fn two_machines_of_one_id_are_two_questions() {
    let s = Stage::start().await;
    let mut cards = Vec::new();
    for (company, name) in [("acme", "PC-ACME"), ("globex", "PC-GLOBEX")] {
        s.t.sends_body(of(company, "machine.registered", json!({"id": "7", "hostname": name}))).await;
        cards.push(s.t.channel("machines").next_message().await);
    }
    // The platform approves one of them by itself.
    s.t.sends_body(of("globex", "machine.approved", json!({"asset_id": "7"}))).await;
    s.says(&cards[1], "✅ PC-GLOBEX approved in XTSystems").await;
    assert_eq!(s.t.channel("machines").now(cards[0].id()).buttons(), ["Approve", "Deny", "Details"]);
    // Whose it is is not said, and either could be meant: nothing is decided.
    s.t.sends_body(json!({"event_type": "machine.approved", "data": {"id": "7"}})).await;
    assert_eq!(s.t.channel("machines").next_message().await.title(), "✅ `7` approved");
    s.t.settle().await;
    assert_eq!(s.t.channel("machines").now(cards[0].id()).title(), "🖥️ PC-ACME wants to join");
    s.denies("bob", &cards[0], "not ours").await;
    s.says(&cards[0], "⏳ PC-ACME: denied by @Bob").await;
    s.t.clock.advance(GRACE);
    s.says(&cards[0], "❌ PC-ACME denied").await;
    let told = s.platform.call(1).await;
    assert_eq!((&told.body["machine_id"], &told.body["company_id"]), (&json!("7"), &json!("acme")));
    assert_eq!(s.t.channel("machines").now(cards[1].id()).title(), "✅ PC-GLOBEX approved in XTSystems");
    s.finish().await;
}

// 12: a platform that names the customer only now and then.
#[tokio::test]
async fn an_approval_without_a_customer_is_about_the_one_machine_of_that_id() {
    let s = Stage::start().await;
    s.t.sends_body(of("acme", "machine.registered", json!({"id": "7", "hostname": "PC-ACME"}))).await;
    let card = s.t.channel("machines").next_message().await;
    s.t.sends_body(json!({"event_type": "machine.approved", "data": {"asset_id": "7"}})).await;
    s.says(&card, "✅ PC-ACME approved in XTSystems").await;
    s.finish().await;
}

// 38
#[tokio::test]
async fn large_numbers_are_no_ids() {
    let s = Stage::start().await;
    for (kind, last) in [
        ("machine.registered", "1"),
        ("machine.registered", "2"),
        ("ticket.created", "1"),
        ("ticket.created", "2"),
    ] {
        // 2^64 and more: as floating-point numbers they are all one.
        let body = format!(
            r#"{{"event_type":"{kind}","data":{{"id":1844674407370955161{last}9,"hostname":"PC-{last}","title":"Printer {last}"}}}}"#
        );
        let now = s.t.clock.now().as_secs().to_string();
        assert_eq!(s.t.platform().post(&now, body).await.unwrap().status, 200);
    }
    for channel in ["machines", "tickets"] {
        for card in s.t.channel(channel).next_messages(2).await {
            assert!(card.buttons().is_empty(), "{:?}", card.buttons());
            assert!(card.description().contains("No buttons: the event holds no "), "{}", card.description());
            assert!(!card.0.to_string().contains("184467440737095"), "{:#}", card.0);
        }
    }
    assert!(s.platform.recorded_requests().is_empty());
    s.finish().await;
}
