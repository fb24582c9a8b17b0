//! Living cards: one card a ticket, asset or machine, which later events change.

mod routed;

use nuncio::sandbox::discord::Fault;
use serde_json::{Value, json};

use crate::harness::{Channel, Harness};
use crate::limits::{recorded, until_posted};

fn ticket(kind: &str, at: i64, data: Value) -> Value {
    let mut data = data;
    data["id"] = json!("t-1");
    data["seq_id"] = json!(1001);
    data["title"] = json!("Network Issue");
    json!({"event_type": kind, "data": data, "timestamp": at})
}

/// XTSystems sends this event as it is, with the time that stands in it.
async fn written(t: &Harness, body: Value) {
    let now = t.clock.now().as_secs().to_string();
    assert_eq!(t.platform().post(&now, body.to_string()).await.unwrap().status, 200);
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
    let t = Harness::start().await;
    written(&t, ticket("ticket.created", 1_705_314_600, json!({"priority": "high"}))).await;
    let card = t.channel("tickets").next_message().await;
    written(&t, ticket("ticket.closed", 1_705_314_700, json!({"resolution": "switch replaced"}))).await;
    let reply = t.channel("tickets").next_message().await;
    assert_eq!(reply.content(), "🔒 #1001 closed: switch replaced");
    assert_eq!(reply.0["message_reference"]["message_id"], card.0["id"]);
    assert_eq!(reply.0["embeds"], json!([]));
    assert_eq!(titles(&t.channel("tickets")), ["🔒 #1001 Network Issue"]);
    // It was written before the ticket was closed, and comes after.
    written(&t, ticket("ticket.updated", 1_705_314_650, json!({"status": "open", "priority": "low"}))).await;
    assert_eq!(t.channel("tickets").next_message().await.content(), "📝 #1001: high → low, status open");
    assert_eq!(titles(&t.channel("tickets")), ["🔒 #1001 Network Issue"]);
    t.finish().await;
}

#[tokio::test]
async fn with_append_every_event_has_a_card() {
    let t = Harness::with(|variables| drop(variables.insert("CARDS".to_owned(), "append".to_owned()))).await;
    written(&t, ticket("ticket.created", 1_705_314_600, json!({}))).await;
    written(&t, ticket("ticket.closed", 1_705_314_700, json!({}))).await;
    t.channel("tickets").next_messages(2).await;
    assert_eq!(titles(&t.channel("tickets")), ["🎫 #1001 Network Issue", "🔒 #1001 Network Issue"]);
    t.finish().await;
}

#[rstest::rstest]
#[case::deleted(Fault::refusal(404, 10008, "Unknown Message"))]
#[case::deleted_as_spacebar_says_it(Fault::refusal(404, 404, "Message could not be found"))]
#[case::edited_too_often(Fault::refusal(429, 30046, "Maximum number of edits"))]
#[tokio::test]
async fn where_the_card_cannot_be_changed_a_new_one_answers_the_old(#[case] fault: Fault) {
    // N-5
    let t = Harness::start().await;
    written(&t, ticket("ticket.created", 1_705_314_600, json!({}))).await;
    let first = t.channel("tickets").next_message().await;
    t.discord.faults().next_on("PATCH", 1, fault);
    written(&t, ticket("ticket.updated", 1_705_314_700, json!({"priority": "low"}))).await;
    let second = t.channel("tickets").next_message().await;
    assert_eq!(second.title(), "📝 #1001 Network Issue");
    assert_eq!(second.0["message_reference"]["message_id"], first.0["id"]);
    // From now on the new one lives.
    written(&t, ticket("ticket.closed", 1_705_314_800, json!({}))).await;
    let reply = t.channel("tickets").next_message().await;
    assert_eq!(reply.0["message_reference"]["message_id"], second.0["id"]);
    assert_eq!(titles(&t.channel("tickets")), ["🎫 #1001 Network Issue", "🔒 #1001 Network Issue"]);
    t.finish().await;
}

#[rstest::rstest]
#[case::priority(json!({"priority": "critical", "updated_by": "Bob"}), "📝 #1001: high → critical, by Bob")]
#[case::status(json!({"status": "in_progress"}), "📝 #1001: open → in progress")]
#[case::assignee(json!({"assigned_to": {"name": "Alice"}}), "📝 #1001: for Alice")]
#[case::note(json!({"notes": [{"content": "On my way"}]}), "📝 #1001: note: On my way")]
#[tokio::test]
async fn a_line_answers_the_card_and_says_what_changed(#[case] change: Value, #[case] line: &str) {
    let t = Harness::start().await;
    written(&t, ticket("ticket.created", 1_705_314_600, json!({"priority": "high", "status": "open"}))).await;
    let card = t.channel("tickets").next_message().await;
    written(&t, ticket("ticket.updated", 1_705_314_700, change)).await;
    let reply = t.channel("tickets").next_message().await;
    assert_eq!(reply.content(), line);
    assert_eq!(reply.0["message_reference"]["message_id"], card.0["id"]);
    assert_eq!(reply.0["mentions"], json!([]));
    t.finish().await;
}

// Control: without the sentence for a state that had none it reads "SRV-2: status offline".
#[tokio::test]
async fn a_state_that_had_none_before_is_a_sentence() {
    let t = Harness::start().await;
    let asset = |kind: &str, data: Value| {
        let mut data = data;
        data["id"] = json!("a-2");
        data["name"] = json!("SRV-2");
        json!({"event_type": kind, "data": data})
    };
    t.sends_body(asset("asset.created", json!({}))).await;
    t.channel("assets").next_message().await;
    t.sends_body(asset("asset.updated", json!({"status": "offline"}))).await;
    assert_eq!(t.channel("assets").next_message().await.content(), "📝 SRV-2 is offline");
    t.finish().await;
}

#[tokio::test]
async fn a_change_that_says_nothing_only_edits() {
    let t = Harness::start().await;
    written(&t, ticket("ticket.created", 1_705_314_600, json!({"description": "It smokes"}))).await;
    t.channel("tickets").next_message().await;
    written(&t, ticket("ticket.updated", 1_705_314_700, json!({"due": "tomorrow"}))).await;
    t.settle().await;
    let shown = &t.channel("tickets").shown()[0]["embeds"][0];
    assert_eq!(shown["title"], "📝 #1001 Network Issue");
    assert!(shown["description"].as_str().unwrap().contains("It smokes"), "{shown}");
    t.finish().await;
}

// K-2
#[tokio::test]
async fn a_restart_between_the_change_and_its_line_doubles_neither() {
    let mut t = Harness::start().await;
    written(&t, ticket("ticket.created", 1_705_314_600, json!({"priority": "high"}))).await;
    t.channel("tickets").next_message().await;
    t.discord.faults().next_on("POST", 1, Fault::HangAfter);
    written(&t, ticket("ticket.closed", 1_705_314_700, json!({}))).await;
    t.channel("tickets").next_message().await;
    t.restart().await;
    t.settle().await;
    assert_eq!(titles(&t.channel("tickets")), ["🔒 #1001 Network Issue"]);
    t.finish().await;
}

fn alert(severity: &str) -> Value {
    json!({"event_type": "alert.triggered", "company_id": "acme", "data":
        {"source": "SRV-DB1", "alert_type": "disk", "title": "Disk full", "severity": severity}})
}

/// The same again, a moment later: within one second it would be the same request.
async fn again(t: &Harness, severity: &str) {
    t.clock.advance(std::time::Duration::from_secs(20));
    t.sends_body(alert(severity)).await;
    t.settle().await;
}

/// How many requests were allowed to ping somebody.
fn pinged(t: &Harness) -> usize {
    let roles =
        |body: &Value| body["allowed_mentions"]["roles"].as_array().is_some_and(|roles| !roles.is_empty());
    t.discord.requests().iter().filter(|asked| asked.body.as_ref().is_some_and(roles)).count()
}

#[tokio::test]
async fn the_same_alert_again_changes_its_card_and_pings_once() {
    let mut t = Harness::start().await;
    let role = t.discord.role_id("Operators").unwrap();
    t.set("PING", json!({"alert.triggered": [role]}).to_string());
    t.restart().await;
    for _ in 0..14 {
        again(&t, "warning").await;
    }
    t.channel("alerts").next_message().await;
    let shown = t.channel("alerts").shown();
    let description = shown[0]["embeds"][0]["description"].as_str().unwrap();
    assert!(description.contains("×14"), "{description}");
    assert!(description.contains("first <t:") && description.contains("last <t:"), "{description}");
    assert_eq!(pinged(&t), 1, "changes ping nobody");
    let content = shown[0]["content"].as_str().unwrap();
    assert!(content.ends_with(&format!("<@&{role}>")), "and still say who was pinged: {content}");
    // A higher severity breaks out, with a ping of its own; the same again folds into that one.
    again(&t, "critical").await;
    again(&t, "critical").await;
    again(&t, "warning").await;
    let worse = t.channel("alerts").next_message().await;
    assert_eq!(worse.title(), "🚨 CRITICAL · Disk full");
    assert_eq!(pinged(&t), 2);
    let shown = t.channel("alerts").shown();
    assert!(shown[1]["embeds"][0]["description"].as_str().unwrap().contains("×3"), "{shown:#?}");
    assert_eq!(shown[1]["embeds"][0]["title"], "🚨 CRITICAL · Disk full");
    // The end of the window makes a new one.
    t.clock.advance(std::time::Duration::from_secs(16 * 60));
    again(&t, "warning").await;
    assert_eq!(t.channel("alerts").next_message().await.title(), "⚠️ WARNING · Disk full");
    t.finish().await;
}

#[tokio::test]
async fn with_folding_off_every_alert_has_a_card() {
    let mut t = Harness::start().await;
    t.set("FOLD_REPEATS", "off");
    t.restart().await;
    again(&t, "warning").await;
    again(&t, "warning").await;
    t.channel("alerts").next_messages(2).await;
    t.finish().await;
}

#[tokio::test]
async fn a_card_in_a_packed_message_lives_on() {
    /// As many as make a lane pack that only begins.
    const PACK: usize = 10;
    let mut t = Harness::start().await;
    let numbered = |kind: &str, number: usize, at: i64| json!({"event_type": kind, "timestamp": at, "data": {"id": format!("t-{number}"), "seq_id": number, "title": "Printer"}});
    t.discord.faults().next_on("POST", 1, Fault::rate_limited(std::time::Duration::from_secs(300), "user"));
    t.sends_body(numbered("ticket.created", 0, 1_705_314_600)).await;
    until_posted(&t, 1).await;
    recorded(&t).await;
    for number in 1..PACK {
        t.sends_body(numbered("ticket.created", number, 1_705_314_600)).await;
    }
    // A lane that begins reads all that waits. One that waits may know of the first alone: the sweep woke it meanwhile.
    t.restart().await;
    t.clock.advance(std::time::Duration::from_secs(300));
    t.settle().await;
    let pack = t.channel("tickets").next_message().await;
    assert_eq!(pack.0["embeds"].as_array().unwrap().len(), PACK);
    t.sends_body(numbered("ticket.closed", 3, 1_705_314_700)).await;
    let reply = t.channel("tickets").next_message().await;
    assert_eq!(reply.0["message_reference"]["message_id"], pack.0["id"]);
    let title = |number| format!("{} #{number} Printer", if number == 3 { "🔒" } else { "🎫" });
    assert_eq!(titles(&t.channel("tickets")), (0..PACK).map(title).collect::<Vec<_>>());
    t.finish().await;
}
