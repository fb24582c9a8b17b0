//! Who is named on a card, and what a card remembers: only what the events say, for as long as the card lives.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | names that end in `_by` among what describes a change | `nobody_is_named_for_what_another_event_says` |
//! | the closing event for what describes the closing | `whoever_writes_after_the_end_did_not_close_it` |
//! | everybody who changed something asked before one is named | `two_people_s_changes_in_one_line_name_neither` |
//! | the first event beside the newest hundred | `what_the_first_event_said_stays_after_a_hundred_others`, `an_alert_s_first_time_…` |

use std::time::Duration;

use nuncio::sandbox::discord::Fault;
use serde_json::{Value, json};

use crate::harness::Harness;
use crate::limits::recorded;

const BEGIN: i64 = 1_705_314_600;

async fn tells(t: &Harness, kind: &str, at: i64, data: Value) {
    let mut data = data;
    data["id"] = json!("t-1");
    data["seq_id"] = json!(1001);
    posted(t, json!({"event_type": kind, "data": data, "timestamp": BEGIN + at})).await;
}

async fn posted(t: &Harness, body: Value) {
    let now = t.clock.now().as_secs().to_string();
    assert_eq!(t.platform().post(&now, body.to_string()).await.unwrap().status, 200);
}

/// What a reader of the channel's first message finds there: summary, description, fields.
fn reads(t: &Harness) -> String {
    let message = &t.channel("tickets").shown()[0];
    let (content, embed) = (&message["content"], &message["embeds"][0]);
    format!("{content} {} {}", embed["description"], embed["fields"])
}

// 11
#[tokio::test]
async fn nobody_is_named_for_what_another_event_says() {
    let t = Harness::start().await;
    tells(&t, "ticket.created", 0, json!({"title": "Printer", "priority": "high", "created_by": "jane"}))
        .await;
    t.channel("tickets").next_message().await;
    tells(&t, "ticket.updated", 10, json!({"priority": "critical", "updated_by": "Bob"})).await;
    let line = t.channel("tickets").next_message().await;
    assert_eq!(line.content(), "📝 #1001: high → critical, by Bob");
    tells(&t, "ticket.updated", 20, json!({"priority": "low"})).await;
    let line = t.channel("tickets").next_message().await;
    assert_eq!(line.content(), "📝 #1001: critical → low", "nobody says who");
    assert!(!reads(&t).contains("Bob"), "{}", reads(&t));
    tells(&t, "ticket.closed", 30, json!({})).await;
    let line = t.channel("tickets").next_message().await;
    assert_eq!(line.content(), "🔒 #1001 closed: Printer");
    assert!(reads(&t).contains("closed") && !reads(&t).contains("by "), "{}", reads(&t));
    t.finish().await;
}

// 11
#[tokio::test]
async fn whoever_writes_after_the_end_did_not_close_it() {
    let t = Harness::start().await;
    tells(&t, "ticket.created", 0, json!({"title": "Printer"})).await;
    t.channel("tickets").next_message().await;
    tells(&t, "ticket.closed", 10, json!({"closed_by": "Bob"})).await;
    t.channel("tickets").next_message().await;
    assert!(reads(&t).contains("closed by Bob"), "{}", reads(&t));
    let note = json!({"notes": [{"content": "Thanks"}], "updated_by": "Alice", "closed_by": null});
    tells(&t, "ticket.updated", 20, note).await;
    let line = t.channel("tickets").next_message().await;
    assert_eq!(line.content(), "📝 #1001: note: Thanks, by Alice");
    assert!(reads(&t).contains("closed by Bob") && !reads(&t).contains("Alice"), "{}", reads(&t));
    // Open again, and closed by nobody who is named.
    tells(&t, "ticket.updated", 30, json!({"status": "open", "updated_by": "Carol"})).await;
    t.channel("tickets").next_message().await;
    tells(&t, "ticket.closed", 40, json!({})).await;
    t.channel("tickets").next_message().await;
    assert!(!reads(&t).contains("Bob") && !reads(&t).contains("Carol"), "{}", reads(&t));
    t.finish().await;
}

// 11
#[tokio::test]
async fn two_people_s_changes_in_one_line_name_neither() {
    let t = Harness::start().await;
    tells(&t, "ticket.created", 0, json!({"title": "Printer", "priority": "high", "status": "open"})).await;
    t.channel("tickets").next_message().await;
    t.discord.faults().next_on("PATCH", 1, Fault::rate_limited(Duration::from_secs(300), "user"));
    tells(&t, "ticket.updated", 10, json!({"due": "tomorrow", "updated_by": "Alice"})).await;
    t.discord
        .wait_until(|discord| discord.requests().iter().any(|asked| asked.status == Some(429)).then_some(()))
        .await;
    recorded(&t).await;
    tells(&t, "ticket.updated", 20, json!({"priority": "low", "updated_by": "Alice"})).await;
    tells(&t, "ticket.updated", 30, json!({"status": "waiting", "updated_by": "Bob"})).await;
    // Another channel's lane hears of events in the same order: both wait where this one is posted.
    t.sends("alert_triggered.json").await;
    t.channel("alerts").next_message().await;
    t.clock.advance(Duration::from_secs(300));
    t.settle().await;
    let said: Vec<String> = t
        .channel("tickets")
        .unread()
        .iter()
        .map(|line| line["content"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(said, ["📝 #1001: high → low, open → waiting"]);
    t.channel("tickets").next_message().await;
    t.finish().await;
}

/// Every event changes the card, and none is summed up elsewhere.
async fn one_card() -> Harness {
    Harness::with(|variables| drop(variables.insert("COALESCE".to_owned(), "off".to_owned()))).await
}

// 13
#[tokio::test]
async fn what_the_first_event_said_stays_after_a_hundred_others() {
    let t = one_card().await;
    let created = json!({"title": "Printer", "description": "It smokes", "company_name": "Acme"});
    tells(&t, "ticket.created", 0, created).await;
    t.channel("tickets").next_message().await;
    for at in 1..=130 {
        tells(&t, "ticket.updated", at, json!({"due": format!("day {at}")})).await;
    }
    t.settle_in_steps(Duration::from_secs(1)).await;
    let shown = t.channel("tickets").shown().remove(0);
    assert_eq!(shown["embeds"][0]["title"], "📝 #1001 Printer");
    assert!(reads(&t).contains("It smokes") && reads(&t).contains("Acme"), "{}", reads(&t));
    t.finish().await;
}

// 13
#[tokio::test]
async fn an_alert_s_first_time_stays_the_first_after_a_hundred_others() {
    let t = one_card().await;
    for at in 0..130 {
        let data =
            json!({"source": "SRV-DB1", "alert_type": "disk", "title": "Disk full", "severity": "warning"});
        posted(&t, json!({"event_type": "alert.triggered", "timestamp": BEGIN + at, "data": data})).await;
    }
    t.settle_in_steps(Duration::from_secs(1)).await;
    t.channel("alerts").next_message().await;
    let shown = t.channel("alerts").shown().remove(0);
    let description = shown["embeds"][0]["description"].as_str().unwrap();
    assert!(description.contains(&format!("first <t:{BEGIN}:R>, ×130")), "{description}");
    t.finish().await;
}
