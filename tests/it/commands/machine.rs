//! `/machine`: the same decisions as on the card, by the same rules.

use std::time::Duration;

use serde_json::json;
use tracing::Level;

use super::{Stage, content, option};
use crate::harness::http;

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
        s.platform.recorded_requests().iter().all(|told| !told.path.contains("twin")),
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
    assert_eq!(s.platform.recorded_requests(), []);
    s.finish().await;
}

// Control: without `catch_unwind` in `command::answer`, poise catches the panic and Alice is told nothing.
#[tokio::test]
async fn a_panic_in_a_command_is_named_as_a_bug_with_a_code_and_the_bot_goes_on() {
    let s = Stage::start().await;
    s.t.sends("machine_registered.json").await;
    s.t.channel("machines").next_message().await;
    // The line about the decision, which is made by then.
    s.t.log.breaks_at("machine asset-uuid: decision.approve by", 1);
    let said = s.types("machine", below("approve", json!([option("machine", "asset-uuid")]))).await;
    let said = content(&said);
    let code = said
        .strip_prefix(
            "The command failed because of a bug in nuncio. Everything else goes on. Give your operator the code `",
        )
        .unwrap_or_else(|| panic!("{said}"));
    assert_eq!(code.trim_end_matches("`.").len(), 8, "{said}");
    s.t.log.expect(Level::ERROR, "failed because nuncio panicked");
    let said = s.types("machine", below("show", json!([option("machine", "asset-uuid")]))).await;
    assert!(said["embeds"][0]["title"].as_str().unwrap().contains("DESKTOP-001"), "{said:#}");
    s.t.clock.advance(Duration::from_secs(11));
    s.finish().await;
}

// What a person meets whose Discord still shows the commands of another version. Control: without
// `CommandStructureMismatch` in its arm, the sentence is another and an error is logged.
#[tokio::test]
async fn options_of_another_versions_command_change_nothing_and_say_what_to_do() {
    let s = Stage::start().await;
    let old = json!([{
        "name": "create-ticket", "type": 1, "description": "As it was",
        "options": [
            {"type": 3, "name": "title", "description": "Title", "required": true},
            {"type": 3, "name": "description", "description": "Text", "required": true},
            {"type": 4, "name": "priority", "description": "How soon",
             "choices": [{"name": "yesterday", "value": 99}]},
        ],
    }]);
    let (application, guild) = (s.t.discord.application_id(), s.t.discord.guild_id());
    let base = s.t.variable("DISCORD_API_URL").to_owned();
    let bot = format!("Bot {}", s.t.discord.bot_token().expose());
    for (path, commands) in [("commands".to_owned(), json!([])), (format!("guilds/{guild}/commands"), old)] {
        let put = http().put(format!("{base}/v10/applications/{application}/{path}"));
        let put = put.header("authorization", &bot).json(&commands).send().await.unwrap();
        assert_eq!(put.status(), 200);
    }
    let options = json!([option("title", "Slow"), option("description", "All of it"),
        {"name": "priority", "type": 4, "value": 99}]);
    let said = s.types("create-ticket", options).await;
    assert_eq!(
        content(&said),
        "Discord sent options that this command does not have. Nothing was changed: reload Discord (Ctrl+R) and try again."
    );
    assert!(s.platform.recorded_requests().is_empty());
    s.finish().await;
}
