//! The whole story on a server written by others: the sandbox with all their manners at once (`Dialect::Others`).
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `tolerance::ready` | all: the bot stays offline |
//! | the servers that are told whole in READY | `the_whole_story_…`: no channel is known |
//! | leaving out what says nothing from the commands | `the_whole_story_…`: they are never registered |
//! | taking any success for registered | `the_whole_story_…`: it warns that they are not |
//! | the look before a nonce that nobody heeds | `a_message_whose_answer_was_lost_…` |

use std::time::Duration;

use nuncio::sandbox::discord::{Dialect, Fault};
use serde_json::{Value, json};

use super::{Stage, content, option};
use crate::harness::Message;

/// What `DECISION_GRACE` is here: no test may need as long between two clicks.
const GRACE: Duration = Duration::from_secs(60);

fn below(name: &str, options: Value) -> Value {
    json!([{"name": name, "type": 1, "options": options}])
}

impl Stage {
    async fn elsewhere() -> Self {
        let s = Self::with_discord(|variables, discord| {
            discord.behave(Dialect::Others);
            let role = discord.role_id("Approvers").unwrap().to_string();
            variables.insert("APPROVER_ROLES".to_owned(), role.clone());
            variables.insert("OPERATOR_ROLES".to_owned(), role);
            variables.insert("DECISION_GRACE".to_owned(), format!("{}s", GRACE.as_secs()));
        })
        .await;
        s.t.table_line("Acme NOC / #machines  ok").await;
        s
    }

    /// The bot is gone and comes back; nothing of it may be lost.
    async fn dies(&mut self) {
        self.t.restart().await;
        self.t.online().await;
    }

    async fn asks(&self, id: &str) -> Message {
        let data = json!({"id": id, "hostname": id.to_uppercase()});
        self.t.sends_body(json!({"event_type": "machine.registered", "data": data})).await;
        self.t.channel("machines").next_message().await
    }

    async fn says(&self, card: &Message, title: &str) -> Message {
        self.t.channel("machines").becomes(card.id(), title, |now| now.title().contains(title)).await
    }

    /// What XTSystems was told about machines.
    fn verdicts(&self) -> Vec<String> {
        let told = self.platform.recorded_requests();
        let about = told.iter().filter(|told| told.path.starts_with("/v1/machines/"));
        about.map(|told| format!("{} {}", told.method, told.path)).collect()
    }
}

// D-1 to D-8, with an end of the process between the steps.
#[tokio::test]
async fn the_whole_story_on_a_server_written_by_others() {
    let mut s = Stage::elsewhere().await;
    assert!(
        !s.t.log.at(tracing::Level::WARN).iter().any(|line| line.contains("could not be registered")),
        "what was registered is not said to be missing"
    );
    let card = s.asks("m-1").await;
    let refused = s.t.person("carol").clicks("machines", &card, "Approve").await;
    assert!(content(&refused["data"]).starts_with("Only <@&"), "{refused:#}");
    s.dies().await;
    assert_eq!(s.t.person("alice").clicks("machines", &card, "Approve").await["type"], 6);
    let decided = s.says(&card, "⏳ M-1: approved by @Alice").await;
    assert_eq!(s.t.person("bob").clicks("machines", &decided, "Undo").await["type"], 6);
    s.says(&card, "🖥️ M-1 wants to join").await;
    s.t.clock.advance(GRACE);
    s.t.settle().await;
    assert!(s.verdicts().is_empty(), "it was undone: {:?}", s.verdicts());
    s.dies().await;
    let opened = s.t.person("bob").clicks("machines", &card, "Deny").await;
    s.dies().await;
    assert_eq!(s.t.person("bob").submits("machines", &opened, "not ours").await["type"], 6);
    s.says(&card, "⏳ M-1: denied by @Bob").await;
    s.dies().await;
    s.t.clock.advance(GRACE);
    s.says(&card, "❌ M-1 denied").await;

    let other = s.asks("m-2").await;
    let said = s.types("machine", below("pending", json!([]))).await;
    let line = said["embeds"][0]["description"].as_str().unwrap();
    assert!(line.starts_with("🖥️ M-2 `m-2` asked"), "{said:#}");
    let typed = json!([{"name": "machine", "type": 3, "value": "m", "focused": true}]);
    assert_eq!(s.suggestions("machine", below("approve", typed)).await, ["M-2 (m-2)"]);
    let said = s.types("machine", below("approve", json!([option("machine", "m-2")]))).await;
    assert!(content(&said).starts_with("M-2 is approved."), "{said:#}");
    s.t.clock.advance(GRACE);
    s.says(&other, "✅ M-2 approved").await;
    assert_eq!(s.verdicts(), ["POST /v1/machines/m-1/deny", "POST /v1/machines/m-2/approve"]);

    let said = s.picks("Show raw", other.id(), "machines").await;
    assert!(content(&said).contains("\"event_type\": \"machine.registered\""), "{said:#}");
    s.types("register-webhook", json!([])).await;
    let said = s.types("test-webhook", json!([])).await;
    assert_eq!(content(&said).split(" → ").count(), 3, "{said:#}");
    s.t.channel("general").next_message().await;

    let mut log = s.t.store().audited(100).await.unwrap();
    log.reverse();
    let log: Vec<String> = log
        .iter()
        .map(|row| format!("{} {} {} {}", row.actor_name, row.action, row.outcome, row.detail))
        .collect();
    let decided: Vec<&str> = log
        .iter()
        .filter(|line| line.contains("decision."))
        .map(|line| line.split(" dec_").next().unwrap().trim_end())
        .collect();
    assert_eq!(
        decided,
        [
            "Carol decision.approve refused has none of APPROVER_ROLES",
            "Alice decision.approve done",
            "Bob decision.undo done",
            "Bob decision.deny done not ours",
            "Alice decision.approve done",
        ],
        "{log:#?}"
    );
    s.finish().await;
}

// K-3 where no nonce is heeded. The process ends just after the message was posted and before it knows.
#[tokio::test]
async fn a_message_whose_answer_was_lost_stands_once_though_no_nonce_is_heeded() {
    let mut s = Stage::elsewhere().await;
    s.t.discord.faults().next_on("/messages", 1, Fault::HangAfter);
    let data = json!({"id": "m-1", "hostname": "M-1"});
    s.t.sends_body(json!({"event_type": "machine.registered", "data": data})).await;
    let card = s.t.channel("machines").next_message().await;
    s.dies().await;
    s.t.settle().await;
    assert!(s.t.channel("machines").unread().is_empty(), "it stands once");
    // It is known again: a click changes it.
    assert_eq!(s.t.person("alice").clicks("machines", &card, "Approve").await["type"], 6);
    s.says(&card, "⏳").await;
    s.t.clock.advance(GRACE);
    s.says(&card, "✅").await;
    s.finish().await;
}
