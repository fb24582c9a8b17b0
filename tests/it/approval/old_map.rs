//! Approvals under the map of the old bot, which names `machine.registered` and `default`. Item 17.
//!
//! Control: without `cards_of` a second card without a name is posted to #general.

use serde_json::{Value, json};

use super::{GRACE, Stage};

async fn start() -> Stage {
    let s = Stage::start().await;
    let map = json!({
        "machine.registered": [s.t.discord.channel_id("machines").unwrap()],
        "default": [s.t.discord.channel_id("general").unwrap()],
    });
    let Stage { mut t, platform } = s;
    t.set("DISCORD_WEBHOOK_CHANNELS", map.to_string());
    t.restart().await;
    t.online().await;
    Stage { t, platform }
}

fn approved(data: Value) -> Value {
    json!({"event_type": "machine.approved", "data": data})
}

#[tokio::test]
async fn an_approval_in_xtsystems_changes_the_card_and_posts_no_second_one() {
    let s = start().await;
    let card = s.asks().await;
    s.t.sends_body(approved(json!({"asset_id": "asset-uuid"}))).await;
    s.says(&card, "✅ DESKTOP-001 approved in XTSystems").await;
    s.t.settle().await;
    assert!(s.t.channel("general").unread().is_empty());
    assert!(s.t.channel("machines").unread().is_empty());
    s.finish().await;
}

#[tokio::test]
async fn an_approval_here_that_xtsystems_repeats_posts_no_second_card() {
    let s = start().await;
    // The question is found by either id of the machine.
    s.t.sends_body(json!({"event_type": "machine.registered",
        "data": {"id": 7, "asset_id": "asset-uuid", "hostname": "DESKTOP-001"}}))
        .await;
    let card = s.t.channel("machines").next_message().await;
    s.clicks("alice", &card, "Approve").await;
    s.says(&card, "⏳").await;
    s.t.clock.advance(GRACE);
    s.says(&card, "✅ DESKTOP-001 approved").await;
    s.t.sends_body(approved(json!({"asset_id": "asset-uuid"}))).await;
    s.t.settle().await;
    assert!(s.t.channel("general").unread().is_empty());
    assert!(s.t.channel("machines").unread().is_empty());
    assert!(s.t.channel("machines").now(card.id()).title().contains("DESKTOP-001 approved"));
    s.finish().await;
}

#[tokio::test]
async fn an_approval_of_a_machine_that_never_asked_goes_along_default() {
    let s = start().await;
    s.t.sends_body(approved(json!({"asset_id": "another", "hostname": "SRV-9"}))).await;
    assert_eq!(s.t.channel("general").next_message().await.title(), "✅ SRV-9 approved");
    s.finish().await;
}
