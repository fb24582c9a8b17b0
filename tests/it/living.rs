//! Living cards: one card a ticket, asset or machine, which later events change.

use nuncio::sandbox::discord::Fault;
use serde_json::{Value, json};

use crate::harness::{Channel, Harness};

async fn living() -> Harness {
    Harness::with(|variables| drop(variables.insert("CARDS".to_owned(), "living".to_owned()))).await
}

fn ticket(kind: &str, at: i64, data: Value) -> Value {
    let mut data = data;
    data["id"] = json!("t-1");
    data["seq_id"] = json!(1001);
    data["title"] = json!("Network Issue");
    json!({"event_type": kind, "data": data, "timestamp": at})
}

/// The titles of all cards that stand in a channel now, read or not.
fn titles(channel: &Channel) -> Vec<String> {
    let titles = |message: &Value| {
        let embeds = message["embeds"].as_array().unwrap().iter();
        embeds.map(|embed| embed["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    channel.shown().iter().flat_map(titles).collect()
}

#[tokio::test]
async fn later_events_change_the_card_and_a_late_update_does_not_reopen_it() {
    let t = living().await;
    t.sends_body(ticket("ticket.created", 1_705_314_600, json!({"priority": "high"}))).await;
    t.channel("tickets").next_message().await;
    t.sends_body(ticket("ticket.closed", 1_705_314_700, json!({"resolution": "switch replaced"}))).await;
    t.settle().await;
    assert_eq!(titles(&t.channel("tickets")), ["🔒 #1001 Network Issue"]);
    // It was written before the ticket was closed, and comes after.
    t.sends_body(ticket("ticket.updated", 1_705_314_650, json!({"status": "open", "priority": "low"}))).await;
    t.settle().await;
    assert_eq!(titles(&t.channel("tickets")), ["🔒 #1001 Network Issue"]);
    t.finish().await;
}

#[tokio::test]
async fn with_append_every_event_has_a_card() {
    let t = Harness::with(|variables| drop(variables.insert("CARDS".to_owned(), "append".to_owned()))).await;
    t.sends_body(ticket("ticket.created", 1_705_314_600, json!({}))).await;
    t.sends_body(ticket("ticket.closed", 1_705_314_700, json!({}))).await;
    t.channel("tickets").next_messages(2).await;
    assert_eq!(titles(&t.channel("tickets")), ["🎫 #1001 Network Issue", "🔒 #1001 Network Issue"]);
    t.finish().await;
}

#[rstest::rstest]
#[case::deleted(Fault::refusal(404, 10008, "Unknown Message"))]
#[case::edited_too_often(Fault::refusal(429, 30046, "Maximum number of edits"))]
#[tokio::test]
async fn where_the_card_cannot_be_changed_a_new_one_answers_the_old(#[case] fault: Fault) {
    // N-5
    let t = living().await;
    t.sends_body(ticket("ticket.created", 1_705_314_600, json!({}))).await;
    let first = t.channel("tickets").next_message().await;
    t.discord.faults().next_on("PATCH", 1, fault);
    t.sends_body(ticket("ticket.updated", 1_705_314_700, json!({"priority": "low"}))).await;
    let second = t.channel("tickets").next_message().await;
    assert_eq!(second.title(), "📝 #1001 Network Issue");
    assert_eq!(second.0["message_reference"]["message_id"], first.0["id"]);
    // From now on the new one lives.
    t.sends_body(ticket("ticket.closed", 1_705_314_800, json!({}))).await;
    t.settle().await;
    assert_eq!(titles(&t.channel("tickets")), ["🎫 #1001 Network Issue", "🔒 #1001 Network Issue"]);
    t.finish().await;
}
