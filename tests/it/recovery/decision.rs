//! K-4: killed between a decision and the platform's word.

use serde_json::{Value, json};

use super::Stage;
use crate::harness::{Answering, Receiver, http, within};

impl Stage {
    /// With a key for the platform, somebody who may decide, and a second to undo it.
    async fn set_deciding(platform: &Receiver) -> Self {
        let stage = Self::set().await;
        let path = stage.folder.path().join(".env");
        let mut env = std::fs::read_to_string(&path).unwrap();
        env += &format!(
            "XTSYSTEMS_API_URL={}\nXTSYSTEMS_API_KEY=a-key\nAPPROVER_ROLES={}\nDECISION_GRACE=1s\n",
            platform.url(),
            stage.discord.role_id("Approvers").unwrap()
        );
        std::fs::write(path, env).unwrap();
        stage
    }

    /// Waits until the card's title begins like this.
    async fn card(&self, title: &str) -> Value {
        let general = self.discord.channel_id("general").unwrap();
        let waiting = self.discord.wait_until(|discord| {
            let card = discord.messages(general).into_iter().next()?;
            card["embeds"][0]["title"].as_str()?.starts_with(title).then_some(card)
        });
        within(title, waiting).await
    }

    async fn approve(&self, card: &Value) {
        // What nobody hears is no click: the bot must be there.
        let online =
            self.discord.wait_until(|discord| (!discord.gateway().sessions().is_empty()).then_some(()));
        within("the bot", online).await;
        let base = std::fs::read_to_string(self.folder.path().join(".env")).unwrap();
        let base = base.lines().find_map(|line| line.strip_prefix("DISCORD_API_URL=")).unwrap().to_owned();
        let custom_id = &card["components"][0]["components"][0]["custom_id"];
        let body = json!({
            "type": 3,
            "channel_id": self.discord.channel_id("general"),
            "guild_id": self.discord.guild_id(),
            "message_id": card["id"],
            "data": {"component_type": 2, "custom_id": custom_id},
        });
        let token = self.discord.token_of("alice").unwrap();
        let request = http().post(format!("{base}/v10/interactions")).header("authorization", token.expose());
        assert_eq!(request.json(&body).send().await.unwrap().status(), 204);
    }
}

// K-4. Control: with the call made by the click and not by a delivery, nothing is left to make it after the restart.
#[tokio::test]
async fn killed_between_the_decision_and_the_call_it_is_made_once() {
    let platform = Receiver::start().await;
    let stage = Stage::set_deciding(&platform).await;
    let program = stage.start().await;
    let machine = json!({"event_type": "machine.registered", "data": {"id": "m-1", "hostname": "LAB-7"}});
    assert_eq!(program.platform().send(machine).await.unwrap().status, 200);
    let card = stage.card("🖥️ LAB-7 wants to join").await;
    stage.approve(&card).await;
    stage.card("⏳ LAB-7: approved by @Alice").await;
    program.kill().await;
    assert!(platform.recorded_requests().is_empty(), "not before its time");
    let program = stage.start().await;
    stage.card("✅ LAB-7 approved").await;
    assert_eq!(platform.recorded_requests().len(), 1);
    assert!(program.terminate().await.success());
}

// K-4
#[tokio::test]
async fn killed_while_the_platform_is_told_it_is_told_again_as_the_same_call() {
    let platform = Receiver::start().await;
    platform.next(1, &Answering::Never);
    let stage = Stage::set_deciding(&platform).await;
    let program = stage.start().await;
    let machine = json!({"event_type": "machine.registered", "data": {"id": "m-1", "hostname": "LAB-7"}});
    assert_eq!(program.platform().send(machine).await.unwrap().status, 200);
    let card = stage.card("🖥️ LAB-7 wants to join").await;
    stage.approve(&card).await;
    platform.call(1).await;
    program.kill().await;
    let program = stage.start().await;
    stage.card("✅ LAB-7 approved").await;
    let told = platform.recorded_requests();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].idempotency_key, told[1].idempotency_key);
    assert!(program.terminate().await.success());
}
