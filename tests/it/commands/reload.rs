//! What reading the configuration again means for people: roles, and whose servers count.

use serde_json::{Value, json};
use tracing::Level;

use super::home::{invited, is_refused};
use super::{Stage, content};

/// The map of the harness with one entry more.
fn with(map: &str, kind: &str, channel: &str) -> String {
    let mut map: Value = serde_json::from_str(map).unwrap();
    map[kind] = json!([channel]);
    map.to_string()
}

// Control: without `forget_mapped_servers`, Carol's server goes on to count after the map leads there no more.
#[tokio::test]
async fn a_server_counts_as_long_as_the_map_leads_there() {
    let mut s = Stage::start().await;
    let strange = invited(&s).await;
    let map = s.t.variable("DISCORD_WEBHOOK_CHANNELS").to_owned();
    let status = json!({"name": "webhook-status", "type": 1});
    is_refused("before", &strange.acts(&s, 2, &status, None).await);
    s.t.set("DISCORD_WEBHOOK_CHANNELS", with(&map, "printer.*", &strange.channel));
    s.t.reload().await;
    s.t.table_line("#lair  ok").await;
    let answer = strange.acts(&s, 2, &status, None).await["data"].to_string();
    assert!(!answer.contains("does not take orders"), "it is an operator's server now: {answer}");
    s.t.set("DISCORD_WEBHOOK_CHANNELS", map);
    s.t.reload().await;
    s.t.log.seen_times(Level::WARN, "the bot is also in the server Mallory", 2).await;
    is_refused("after", &strange.acts(&s, 2, &status, None).await);
    s.finish().await;
}

#[tokio::test]
async fn another_role_may_decide_from_the_next_click_on() {
    let mut s = Stage::start().await;
    let role = s.t.discord.role_id("Approvers").unwrap().to_string();
    s.t.set("APPROVER_ROLES", &role);
    s.t.reload().await;
    let data = json!({"id": "m-1", "hostname": "M-1"});
    s.t.sends_body(json!({"event_type": "machine.registered", "data": data})).await;
    let card = s.t.channel("machines").next_message().await;
    let refused = s.t.person("carol").clicks("machines", &card, "Approve").await;
    assert!(content(&refused["data"]).starts_with("Only <@&"), "{refused:#}");
    s.t.discord.set_roles("carol", &["Approvers"]);
    assert_eq!(s.t.person("carol").clicks("machines", &card, "Approve").await["type"], 6);
    s.t.channel("machines").becomes(card.id(), "deciding", |now| now.title().contains("⏳")).await;
    s.t.clock.advance(std::time::Duration::from_secs(10));
    s.t.channel("machines").becomes(card.id(), "decided", |now| now.title().contains("✅")).await;
    s.finish().await;
}
