//! Monitors repeat: the same alert within `FOLD_REPEATS` changes its message. And mutes hold.

use std::time::Duration;

use serde_json::{Value, json};

use super::Platform;

fn node(node: &str, resource: &str, usage: f64) -> Value {
    json!({"node_name": node, "alert_type": resource, "usage": usage, "threshold": 80})
}

#[tokio::test]
async fn the_same_alert_changes_its_message() {
    let p = Platform::start().await;
    p.stores_all_categories().await;
    let general = p.t.channel("general");
    p.awaits("node-alert", node("node-1", "memory", 81.0)).await;
    let first = p.next("general").await;
    for usage in [82.0, 83.0] {
        assert_eq!(p.awaits("node-alert", node("node-1", "memory", usage)).await["sent"], 1);
    }
    let now = general.becomes(first.id(), "the third time", |card| card.description().contains("×3")).await;
    assert!(
        now.0.to_string().contains("83%") && now.description().starts_with("node-1 has high memory usage"),
        "{now:?}"
    );
    // Another resource, another node, and the same one when it is worse: a message each.
    for (other, resource, usage) in
        [("node-1", "cpu", 81.0), ("node-2", "memory", 81.0), ("node-1", "memory", 95.0)]
    {
        p.awaits("node-alert", node(other, resource, usage)).await;
        assert!(!p.next("general").await.description().contains('×'));
    }
    // After the window it is news again.
    p.t.clock.advance(Duration::from_secs(15 * 60 + 1));
    p.awaits("node-alert", node("node-1", "memory", 95.0)).await;
    p.next("general").await;
    // The same error of one title is one; another error is news. Server states are an event each.
    let error = |error: &str| json!({"title": "Database", "error": error});
    p.awaits("system-alert", error("refused")).await;
    let alert = p.next("general").await;
    p.awaits("system-alert", error("refused")).await;
    general.becomes(alert.id(), "the second time", |card| card.description().contains("×2")).await;
    p.awaits("system-alert", error("timeout")).await;
    assert!(p.next("general").await.description().ends_with("timeout"));
    for _ in 0..2 {
        p.awaits("server-state", json!({"server_name": "S", "new_state": "online"})).await;
        p.next("general").await;
    }
    p.finish().await;
}

#[tokio::test]
async fn a_muted_kind_is_canceled_and_the_answer_says_so() {
    let p = Platform::start().await;
    p.stores("general", json!({"name": "ops", "type": "GAME_SERVER"})).await;
    let muted = p.t.runs(&["mute", "server.*", "--for", "1h", "--reason", "maintenance"]).await;
    assert_eq!(muted.code, 0, "{}", muted.stderr);
    p.t.hub().tend_mutes().await.unwrap();
    let body = json!({"server_name": "S", "new_state": "online"});
    let accepted = p.dispatches("server-state", body.clone()).await;
    assert_eq!(accepted["deliveries"], 0);
    let error = accepted["errors"][0]["error"].as_str().unwrap();
    assert!(error.starts_with("server.online is muted until ") && error.contains(" by "), "{error}");
    let waited = p.awaits("server-state", body.clone()).await;
    assert_eq!(
        (&waited["success"], &waited["failed"], &waited["results"][0]["state"]),
        (&json!(false), &json!(1), &json!("muted")),
        "{waited}"
    );
    assert_eq!(waited["errors"][0]["webhook"], "ops");
    assert!(waited["errors"][0]["error"].as_str().unwrap().starts_with("muted until "), "{waited}");
    let shown = p.t.runs(&["events", "show", accepted["event_id"].as_str().unwrap()]).await;
    assert!(shown.stdout.contains("muted until"), "{}", shown.stdout);
    assert_eq!(p.t.runs(&["unmute", "server.*"]).await.code, 0);
    p.t.hub().tend_mutes().await.unwrap();
    assert_eq!(p.awaits("server-state", body).await["sent"], 1);
    p.next("general").await;
    p.t.settle().await;
    // One card sums up what was not shown.
    p.t.clock.advance(Duration::from_secs(4));
    let summary = p.next("general").await;
    assert!(summary.0.to_string().contains("server.online"), "{summary:?}");
    p.finish().await;
}
