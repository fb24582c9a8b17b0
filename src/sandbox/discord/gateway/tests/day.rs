//! A bot's typical day over the protocol alone, as any client library does it, from login to resuming after a cut.

use serde_json::{Value, json};

use super::client::{Client, INTENTS, Stage};

/// A user with a token.
struct Caller<'a> {
    http: reqwest::Client,
    stage: &'a Stage,
    authorization: String,
}

impl Caller<'_> {
    async fn asks(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("http://{}/api/v10{path}", self.stage.address);
        let request = self.http.request(method, url).header("Authorization", &self.authorization);
        let answer = request.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn does(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.asks(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }
}

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap_or_else(|| panic!("no id in {object}"))
}

/// The data of the next event with this name; earlier events are skipped.
async fn next_event(client: &mut Client, event: &str) -> Value {
    loop {
        let mut payload = client.next().await.unwrap();
        if payload["t"] == event {
            return payload["d"].take();
        }
    }
}

#[tokio::test]
async fn a_bot_does_a_days_work() {
    let t = Stage::start().await;
    let http = reqwest::Client::new();
    let caller = |authorization| Caller { http: http.clone(), stage: &t, authorization };
    let bot = caller(format!("Bot {}", t.token()));
    let alice = caller(t.discord.user_token().expose().to_owned());
    let mut client = t.log_in_as(t.identify(INTENTS | 1 << 5)).await;
    let channel = t.discord.channel_id("tickets").unwrap().to_string();
    let messages = format!("/channels/{channel}/messages");

    // It receives a person's message, and answers with a card that has a button.
    let asked = alice.does("POST", &messages, json!({"content": "hello"})).await;
    assert_eq!(next_event(&mut client, "MESSAGE_CREATE").await["id"], asked["id"]);
    let button =
        json!([{"type": 1, "components": [{"type": 2, "style": 3, "label": "Take", "custom_id": "take"}]}]);
    let card = json!({"embeds": [{"title": "A ticket"}], "components": button, "message_reference": {"message_id": asked["id"]}});
    let card = bot.does("POST", &messages, card).await;
    let shown = next_event(&mut client, "MESSAGE_CREATE").await;
    assert_eq!((&shown["id"], &shown["components"]), (&card["id"], &card["components"]));
    bot.does("PATCH", &format!("{messages}/{}", id(&card)), json!({"content": "somebody has to take it"}))
        .await;
    assert_eq!(next_event(&mut client, "MESSAGE_UPDATE").await["content"], "somebody has to take it");

    // Alice clicks; the bot edits the card, and cannot answer twice.
    let click = json!({"type": 3, "channel_id": channel, "message_id": card["id"],
        "data": {"component_type": 2, "custom_id": "take"}});
    alice.does("POST", "/interactions", click.clone()).await;
    let clicked = next_event(&mut client, "INTERACTION_CREATE").await;
    assert_eq!(
        (&clicked["data"]["custom_id"], &clicked["member"]["user"]["username"]),
        (&json!("take"), &json!("alice"))
    );
    let callback = |interaction: &Value| {
        format!("/interactions/{}/{}/callback", id(interaction), interaction["token"].as_str().unwrap())
    };
    bot.does("POST", &callback(&clicked), json!({"type": 7, "data": {"content": "Alice has it"}})).await;
    assert_eq!(next_event(&mut client, "MESSAGE_UPDATE").await["content"], "Alice has it");
    let (status, twice) = bot.asks("POST", &callback(&clicked), json!({"type": 6})).await;
    assert_eq!((status, &twice["code"]), (400, &json!(40060)));

    // A command of its own, deferred, then answered with a followup.
    let application = t.discord.application_id().to_string();
    let commands = format!("/applications/{application}/guilds/{}/commands", t.discord.guild_id());
    bot.does("PUT", &commands, json!([{"name": "report", "description": "Reports"}])).await;
    alice
        .does("POST", "/interactions", json!({"type": 2, "channel_id": channel, "data": {"name": "report"}}))
        .await;
    let used = next_event(&mut client, "INTERACTION_CREATE").await;
    bot.does("POST", &callback(&used), json!({"type": 5})).await;
    let hook = format!("/webhooks/{application}/{}", used["token"].as_str().unwrap());
    bot.does("PATCH", &format!("{hook}/messages/@original"), json!({"content": "All is well"})).await;
    bot.does("POST", &hook, json!({"content": "and was yesterday"})).await;

    // A webhook, and a thread that it writes into.
    let made = bot.does("POST", &format!("/channels/{channel}/webhooks"), json!({"name": "Bell"})).await;
    next_event(&mut client, "WEBHOOKS_UPDATE").await;
    let thread =
        bot.does("POST", &format!("{messages}/{}/threads", id(&card)), json!({"name": "About it"})).await;
    assert_eq!(next_event(&mut client, "THREAD_CREATE").await["id"], thread["id"]);
    let hook = format!("/webhooks/{}/{}", id(&made), made["token"].as_str().unwrap());
    let path = format!("{hook}?wait=true&thread_id={}", id(&thread));
    let rung = bot.does("POST", &path, json!({"content": "ding"})).await;
    assert_eq!((&rung["channel_id"], &rung["webhook_id"]), (&thread["id"], &made["id"]));

    // A missing channel is reported as such.
    let (status, nowhere) = bot.asks("POST", "/channels/5/messages", json!({"content": "x"})).await;
    assert_eq!((status, &nowhere["code"]), (404, &json!(10003)));

    // The connection is cut; the missed events follow after a resume, and clicks are answered again.
    client.beats_through().await;
    t.discord.gateway().cut_all();
    assert_eq!(client.closed().await, None);
    alice.does("POST", "/interactions", click).await;
    let mut client = t.resume(&client).await;
    let clicked = next_event(&mut client, "INTERACTION_CREATE").await;
    bot.does("POST", &callback(&clicked), json!({"type": 6})).await;
    next_event(&mut client, "RESUMED").await;
    client.close(1000).await;
    t.end([]).await;
}
