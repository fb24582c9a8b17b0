//! `/machine`: the same decisions as on the card, by the same rules.

use std::time::Duration;

use serde_json::json;

use super::{Stage, content, option};

fn below(name: &str, options: serde_json::Value) -> serde_json::Value {
    json!([{"name": name, "type": 1, "options": options}])
}

#[tokio::test]
async fn a_machine_is_listed_suggested_and_approved() {
    let s = Stage::start().await;
    let said = s.types("machine", below("pending", json!([]))).await;
    assert_eq!(content(&said), "No machine waits for a decision.");
    s.t.sends("machine_registered.json").await;
    let card = s.t.channel("machines").next_message().await;
    let said = s.types("machine", below("pending", json!([]))).await;
    let line = said["embeds"][0]["description"].as_str().unwrap();
    assert!(line.starts_with("🖥️ DESKTOP-001 `asset-uuid` asked"), "{said:#}");
    assert_eq!(said["components"], json!([]), "one page has no other");
    let typed = json!([{"name": "machine", "type": 3, "value": "desk", "focused": true}]);
    assert_eq!(s.suggestions("machine", below("approve", typed)).await, ["DESKTOP-001 (asset-uuid)"]);

    let said = s.types("machine", below("approve", json!([option("machine", "asset-uuid")]))).await;
    assert!(content(&said).starts_with("DESKTOP-001 is approved."), "{said:#}");
    s.t.clock.advance(Duration::from_secs(11));
    s.t.channel("machines")
        .becomes(card.id(), "approved", |now| now.title().starts_with("✅ DESKTOP-001 approved"))
        .await;
    assert_eq!(s.platform.machine("asset-uuid").as_deref(), Some("approved"));
    let said = s
        .types(
            "machine",
            below("deny", json!([option("machine", "asset-uuid"), option("reason", "not ours")])),
        )
        .await;
    assert!(content(&said).contains("was already approved"), "{said:#}");
    let said = s.types("machine", below("approve", json!([option("machine", "nobody")]))).await;
    assert!(content(&said).contains("`/machine pending` lists"), "{said:#}");
    s.finish().await;
}

#[tokio::test]
async fn a_machine_is_named_as_its_card_does_and_never_guessed() {
    let s = Stage::start().await;
    s.t.sends("machine_registered.json").await;
    s.t.channel("machines").next_message().await;
    for id in ["twin-1", "twin-2"] {
        let data = json!({"asset_id": id, "hostname": "TWIN"});
        s.t.sends_body(json!({"event_type": "machine.registered", "data": data})).await;
        s.t.channel("machines").next_message().await;
    }
    let said = s.types("machine", below("approve", json!([option("machine", "twin")]))).await;
    assert!(content(&said).contains("2 machines of that name wait"), "{said:#}");
    assert!(content(&said).contains("`twin-1`"), "{said:#}");
    let said = s.types("machine", below("show", json!([option("machine", " desktop-001 ")]))).await;
    assert!(said["embeds"][0]["title"].as_str().unwrap().contains("DESKTOP-001"), "{said:#}");
    let said = s.types("machine", below("approve", json!([option("machine", "DESKTOP-001")]))).await;
    assert!(content(&said).starts_with("DESKTOP-001 is approved."), "{said:#}");
    s.t.clock.advance(Duration::from_secs(11));
    s.t.settle().await;
    assert_eq!(s.platform.machine("asset-uuid").as_deref(), Some("approved"));
    assert!(
        s.platform.told().iter().all(|told| !told.path.contains("twin")),
        "nobody decided about the twins"
    );
    s.finish().await;
}

// D-4
#[tokio::test]
async fn whoever_is_no_approver_decides_nothing() {
    let s = Stage::with(|variables| {
        variables.insert("APPROVER_ROLES".to_owned(), "123456789012345678".to_owned());
    })
    .await;
    s.t.sends("machine_registered.json").await;
    s.t.channel("machines").next_message().await;
    let said = s.types("machine", below("approve", json!([option("machine", "asset-uuid")]))).await;
    assert!(content(&said).starts_with("Only <@&123456789012345678> can decide"), "{said:#}");
    assert_eq!(s.audited(1).await.outcome, "refused");
    assert_eq!(s.platform.told(), []);
    s.finish().await;
}
