//! Beside a running nuncio: whether its bot is connected, whose its clicks and commands are, and which commands there are.
//!
//! | protection | what was taken away | what failed then |
//! | --- | --- | --- |
//! | what the gateway tells twice is no other program | `again` in `Rival::record_interaction` | `…_and_one_that_is_told_twice_is_not` |
//! | another program is named | `is_shared` in `beside` | the same |
//! | it is forgotten | `is_over` in `Rival::settle` | `after_an_hour_of_quiet…` |
//! | an offline bot is named | `disconnected` in `beside` | `a_bot_that_is_offline…` |
//! | a first start is no fault | `is_fresh` in `commands` | `commands_are_compared…` |

use std::time::Duration;

use nuncio::sandbox::discord::Permission;
use serde_json::{Value, json};

use crate::doctor::rig::{NOTHING, Rig};
use crate::harness::{Harness, http, within};
use crate::limits;

/// Alice types `/webhook-status` in #general, once the bot has its commands: the interaction's id.
async fn types_a_command(rig: &Rig) -> String {
    let url = format!("{}/api/v10", rig.discord_address());
    let discord = &rig.discord;
    let body = json!({
        "type": 2, "channel_id": rig.id("general"), "guild_id": discord.guild_id(),
        "data": {"name": "webhook-status", "type": 1},
    });
    let known = |discord: &nuncio::sandbox::Discord| {
        let registered =
            discord.requests().into_iter().any(|asked| asked.method == "PUT" && asked.status == Some(200));
        registered.then_some(())
    };
    within("the commands", discord.wait_until(known)).await;
    let request =
        http().post(format!("{url}/interactions")).header("authorization", discord.user_token().expose());
    let answer = request.json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    let made: Value = answer.json().await.unwrap_or_default();
    made["id"].as_str().unwrap_or_default().to_owned()
}

/// Waits until the `/health` of the nuncio on `port` holds `text`.
async fn health_says(port: u16, text: &str) {
    let said = async {
        loop {
            let health = http().get(format!("http://127.0.0.1:{port}/health")).send().await.unwrap();
            if health.text().await.unwrap().contains(text) {
                break;
            }
        }
    };
    within(text, said).await;
}

/// Waits until so many answers to interactions were refused as given already.
async fn refused(rig: &Rig, times: usize) {
    let refused = |discord: &nuncio::sandbox::Discord| {
        let requests = discord.requests();
        (requests.iter().filter(|asked| asked.code == Some(40060)).count() >= times).then_some(())
    };
    within("a refused answer", rig.discord.wait_until(refused)).await;
}

#[tokio::test]
async fn another_program_that_answers_is_named_and_one_that_is_told_twice_is_not() {
    let mut rig = Rig::set().await;
    let port = rig.serve_on_a_port().await;
    types_a_command(&rig).await;
    assert!(rig.discord.replay_interaction(None));
    refused(&rig, 1).await;
    rig.finds(0, &NOTHING).await;
    rig.discord.share_token(true);
    types_a_command(&rig).await;
    refused(&rig, 2).await;
    // The note of it comes after the answer.
    health_says(port, "Another program uses DISCORD_TOKEN").await;
    rig.finds(1, &["discord-token-shared"]).await;
    rig.ends_serving().await;
    // A new process knows nothing of it, and neither does doctor without one.
    rig.finds(0, &NOTHING).await;
}

#[tokio::test]
async fn commands_are_compared_with_those_of_this_nuncio() {
    let mut rig = Rig::set().await;
    let before = rig.finds(0, &NOTHING).await;
    assert!(before.text.contains("at its first start"), "{}", before.text);
    rig.serve_on_a_port().await;
    let beside = rig.finds(0, &NOTHING).await;
    assert!(beside.text.contains("Discord has the commands that this nuncio registers"), "{}", beside.text);
    rig.ends_serving().await;
    // Somebody takes one away.
    let url =
        format!("{}/api/v10/applications/{}/commands", rig.discord_address(), rig.discord.application_id());
    let bot = format!("Bot {}", rig.discord.bot_token().expose());
    let all: Value =
        http().get(&url).header("authorization", &bot).send().await.unwrap().json().await.unwrap();
    let mute = all.as_array().unwrap().iter().find(|command| command["name"] == "mute").unwrap();
    let gone = http()
        .delete(format!("{url}/{}", mute["id"].as_str().unwrap()))
        .header("authorization", &bot)
        .send()
        .await
        .unwrap();
    assert!(gone.status().is_success());
    let seen = rig.finds(0, &["commands-outdated"]).await;
    assert!(seen.text.contains("missing: /mute"), "{}", seen.text);
    // Its remedy: a start.
    rig.starts(&["commands registered"]).await;
    rig.finds(0, &NOTHING).await;
}

#[tokio::test]
async fn a_bot_that_is_offline_is_named_beside_its_server() {
    let mut rig = Rig::set().await;
    let port = rig.serve_on_a_port().await;
    rig.finds(0, &NOTHING).await;
    rig.discord.revoke_token();
    health_says(port, "\"discord\":\"disconnected\"").await;
    rig.discord.restore_token();
    // The token is good again, and that process has given up on it.
    let seen = rig.finds(0, &["bot-offline"]).await;
    assert!(seen.text.contains("restart it"), "{}", seen.text);
    rig.ends_serving().await;
    rig.finds(0, &NOTHING).await;
}

#[tokio::test]
async fn after_an_hour_of_quiet_the_other_program_is_forgotten() {
    let t = Harness::with_bot().await;
    t.commands().await;
    t.discord.share_token(true);
    let body = json!({
        "type": 2, "channel_id": t.discord.channel_id("general"), "guild_id": t.discord.guild_id(),
        "data": {"name": "webhook-status", "type": 1},
    });
    t.person("alice").acts(&body).await;
    limits::health_says(&t, "Another program uses DISCORD_TOKEN", true).await;
    t.discord.share_token(false);
    t.clock.advance(Duration::from_secs(3600));
    limits::health_says(&t, "Another program uses DISCORD_TOKEN", false).await;
    t.finish().await;
}

#[tokio::test]
async fn health_and_doctor_say_the_same_in_the_same_words() {
    let mut rig = Rig::set().await;
    let port = rig.serve_on_a_port().await;
    rig.discord.deny(rig.discord.channel_id("alerts").unwrap(), Permission::EmbedLinks);
    health_says(port, "missing Embed Links").await;
    let check = rig.finds(1, &["channel-permission-missing"]).await.check("channel-permission-missing");
    let said = format!("{} {}", check["found"].as_str().unwrap(), check["remedy"].as_str().unwrap());
    let health = http().get(format!("http://127.0.0.1:{port}/health")).send().await.unwrap();
    let health: Value = health.json().await.unwrap();
    assert_eq!(health["problems"], json!([said.trim_end_matches('.')]));
    rig.ends_serving().await;
}
