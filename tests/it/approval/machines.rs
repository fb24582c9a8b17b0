//! What the platform's own events do to a card: asked again, approved elsewhere, a new round; and when time is over.

use std::time::Duration;

use serde_json::{Value, json};

use super::{GRACE, Stage};
use crate::harness::by;

fn registered(data: Value) -> Value {
    json!({"event_type": "machine.registered", "data": data})
}

fn approved(data: Value) -> Value {
    json!({"event_type": "machine.approved", "data": data})
}

#[tokio::test]
async fn while_it_waits_a_machine_that_asks_again_changes_its_card() {
    let s = Stage::start().await;
    s.t.sends_body(registered(json!({"asset_id": "a-1", "hostname": "LAB-7"}))).await;
    let card = s.t.channel("machines").next_message().await;
    for try_ in 2..=3 {
        s.t.sends_body(registered(json!({"asset_id": "a-1", "hostname": "LAB-7", "try": try_}))).await;
        s.t.settle().await;
    }
    let now = s.t.channel("machines").now(card.id());
    assert!(now.description().contains(", ×3"), "{}", now.description());
    assert_eq!(now.buttons(), ["Approve", "Deny", "Details"]);
    s.finish().await;
}

#[tokio::test]
async fn after_a_verdict_it_is_asked_anew_and_the_last_one_recalled() {
    let s = Stage::start().await;
    s.t.sends_body(registered(json!({"asset_id": "a-1", "hostname": "LAB-7"}))).await;
    let first = s.t.channel("machines").next_message().await;
    s.denies("bob", &first, "not ours").await;
    s.says(&first, "⏳").await;
    s.t.clock.advance(GRACE);
    s.says(&first, "❌ LAB-7 denied").await;

    s.t.sends_body(registered(json!({"asset_id": "a-1", "hostname": "LAB-7", "again": true}))).await;
    let second = s.t.channel("machines").next_message().await;
    assert!(second.description().contains("was denied by @Bob on <t:"), "{}", second.description());
    assert!(second.description().contains(":D>: *not ours*"), "{}", second.description());
    s.clicks("alice", &second, "Approve").await;
    s.says(&second, "⏳").await;
    s.t.clock.advance(GRACE);
    s.says(&second, "✅ LAB-7 approved").await;
    assert_eq!(s.t.channel("machines").now(first.id()).title(), "❌ LAB-7 denied", "a round of its own");
    let told: Vec<_> = s.platform.recorded_requests().into_iter().map(|call| call.line).collect();
    assert_eq!(told, ["POST /v1/machines/a-1/deny", "POST /v1/machines/a-1/approve"]);
    s.finish().await;
}

// The platform names a machine by either of its ids.
#[rstest::rstest]
#[case(json!({"id": "m-1", "asset_id": "a-1"}), json!({"asset_id": "a-1"}))]
#[case(json!({"asset_id": "a-1"}), json!({"id": "m-1", "asset_id": "a-1"}))]
#[case(json!({"id": 7}), json!({"id": "7"}))]
#[tokio::test]
async fn approved_on_the_platform_closes_the_card_without_a_second_message(
    #[case] asks: Value,
    #[case] joined: Value,
) {
    let s = Stage::start().await;
    let mut asks = asks;
    asks["hostname"] = "LAB-7".into();
    s.t.sends_body(registered(asks)).await;
    let card = s.t.channel("machines").next_message().await;
    s.t.sends_body(approved(joined)).await;
    let closed = s.says(&card, "✅ LAB-7 approved in XTSystems").await;
    assert!(closed.description().contains("the buttons here were not used"), "{}", closed.description());
    assert_eq!(closed.buttons(), ["Details"]);
    s.t.settle().await;
    assert!(s.platform.recorded_requests().is_empty());
    s.finish().await;
}

#[tokio::test]
async fn what_the_platform_says_after_our_decision_confirms_it() {
    let s = Stage::start().await;
    let card = s.asks().await;
    s.clicks("alice", &card, "Approve").await;
    s.says(&card, "⏳").await;
    // Still undoable, and somebody approves on the platform: there is nothing left to tell it.
    s.t.sends_body(approved(json!({"asset_id": "asset-uuid"}))).await;
    let done = s.says(&card, "✅ DESKTOP-001 approved").await;
    assert!(done.description().contains("approved by @Alice"), "{}", done.description());
    s.t.clock.advance(GRACE);
    s.t.settle().await;
    assert!(s.platform.recorded_requests().is_empty());
    // Its answer to our call comes as an event as well: no second message either.
    s.t.sends_body(approved(json!({"asset_id": "asset-uuid", "again": 1}))).await;
    s.finish().await;
}

#[tokio::test]
async fn nobody_decides_in_time() {
    let s =
        Stage::with(|variables| drop(variables.insert("DECISION_EXPIRY".to_owned(), "24h".to_owned()))).await;
    let card = s.asks().await;
    s.t.clock.advance(Duration::from_secs(24 * 3600));
    let over = s.says(&card, "⌛ DESKTOP-001: nobody decided in 24 h").await;
    assert!(over.description().contains("`/machine approve` still works"), "{}", over.description());
    assert_eq!(over.buttons(), ["Details"]);
    assert_eq!(s.audit().await, ["nuncio decision.expire done"]);
    s.t.settle().await;
    s.finish().await;
}

// 40. Control: without `is_secret` in `render::details` the canary is told.
#[tokio::test]
async fn details_hide_what_is_secret_by_its_name() {
    let s = Stage::start().await;
    let data = json!({"asset_id": "a-1", "hostname": "LAB-7", "join_password": "canary-1"});
    s.t.sends_body(registered(data)).await;
    let card = s.t.channel("machines").next_message().await;
    s.t.person("alice").clicks("machines", &card, "Details").await;
    let told = s.t.whisper(1).await.to_string();
    assert!(told.contains("(hidden)") && !told.contains("canary"), "{told}");
    s.finish().await;
}

#[rstest::rstest]
#[case(json!({"hostname": "LAB-7"}))]
#[case(json!({"hostname": "LAB-7", "id": ".."}))]
#[case(json!({"hostname": "LAB-7", "id": "."}))]
#[case(json!({"hostname": "LAB-7", "id": ""}))]
#[case(json!({"hostname": "LAB-7", "id": true}))]
#[case(json!({"hostname": "LAB-7", "id": {"a": 1}, "asset_id": null}))]
#[tokio::test]
async fn without_an_id_there_are_no_buttons_and_the_card_says_why(#[case] data: Value) {
    let s = Stage::start().await;
    s.t.sends_body(registered(data)).await;
    let card = s.t.channel("machines").next_message().await;
    assert!(card.buttons().is_empty());
    assert!(
        card.description().contains("No buttons: the event holds no machine id (`id` or `asset_id`)"),
        "{}",
        card.description()
    );
    s.finish().await;
}

#[tokio::test]
async fn without_a_key_there_are_no_buttons_and_the_card_says_why() {
    let s = Stage::with(|variables| drop(variables.remove("XTSYSTEMS_API_KEY"))).await;
    let card = s.asks().await;
    assert!(card.buttons().is_empty());
    assert!(
        card.description().contains("No buttons: XTSYSTEMS_API_KEY is not set"),
        "{}",
        card.description()
    );
    s.finish().await;
}

#[tokio::test]
async fn an_id_becomes_one_segment_of_the_path() {
    let s = Stage::start().await;
    s.t.sends_body(registered(json!({"hostname": "LAB-7", "id": "../../v1/users?x=1#y"}))).await;
    let card = s.t.channel("machines").next_message().await;
    s.clicks("alice", &card, "Approve").await;
    s.says(&card, "⏳").await;
    s.t.clock.advance(GRACE);
    assert_eq!(s.platform.call(1).await.line, "POST /v1/machines/..%2F..%2Fv1%2Fusers%3Fx%3D1%23y/approve");
    s.says(&card, "✅").await;
    s.finish().await;
}

// Taken away (control): `planned.muted.is_none()` where an answer finds the cards that are told of it.
#[tokio::test]
async fn approved_on_the_platform_while_that_is_muted_closes_the_card() {
    let s = Stage::start().await;
    s.t.sends_body(registered(json!({"asset_id": "a-1", "hostname": "LAB-7"}))).await;
    let card = s.t.channel("machines").next_message().await;
    s.t.hub().mute("machine.*", Duration::from_secs(3600), "", &by("Alice")).await.unwrap();
    s.t.sends_body(approved(json!({"asset_id": "a-1", "hostname": "LAB-7"}))).await;
    s.says(&card, "✅ LAB-7 approved in XTSystems").await;
    s.t.hub().unmute("machine.*", &by("Alice")).await.unwrap();
    s.t.clock.advance(Duration::from_secs(5));
    assert!(s.t.channel("machines").next_message().await.title().starts_with("🔔"));
    s.finish().await;
}
