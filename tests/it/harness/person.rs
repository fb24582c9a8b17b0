//! What people do on Discord: they type commands, and read the answers that only they see.

use nuncio::sandbox::Discord;
use serde_json::{Value, json};

use super::{Harness, Message, http, within};

pub struct Person<'a> {
    harness: &'a Harness,
    username: String,
}

impl Harness {
    /// Somebody on the sandbox's Discord.
    pub fn person(&self, username: &str) -> Person<'_> {
        Person { harness: self, username: username.to_owned() }
    }

    /// Waits until the commands are known to Discord.
    pub async fn commands(&self) {
        let known = self.discord.wait_until(|discord| {
            let registered = |asked: &nuncio::sandbox::discord::LoggedRequest| {
                asked.method == "PUT" && asked.path.ends_with("/commands") && asked.status == Some(200)
            };
            discord.requests().iter().any(|asked| registered(asked)).then_some(())
        });
        within("the commands to be registered", known).await;
    }
}

impl Person<'_> {
    /// Types a command without options in #general, and returns what it is answered first: `{type, data}`.
    pub async fn types(&self, command: &str) -> Value {
        let discord = &self.harness.discord;
        let body = json!({
            "type": 2,
            "channel_id": discord.channel_id("general"),
            "guild_id": discord.guild_id(),
            "data": {"name": command, "type": 1, "options": []},
        });
        let id = self.acts(&body).await;
        within(&format!("an answer to /{command}"), discord.wait_until(|discord| first_answer(discord, &id)))
            .await
    }

    /// Presses a button on a message in a channel, and returns what it is answered first: `{type, data}`.
    pub async fn clicks(&self, channel: &str, message: &Message, label: &str) -> Value {
        let id = self.acts(&self.click(channel, message, label)).await;
        self.answer(&id).await
    }

    /// What pressing a button sends.
    pub fn click(&self, channel: &str, message: &Message, label: &str) -> Value {
        let discord = &self.harness.discord;
        json!({
            "type": 3,
            "channel_id": discord.channel_id(channel),
            "guild_id": discord.guild_id(),
            "message_id": message.id(),
            "data": {"component_type": 2, "custom_id": message.custom_id(label)},
        })
    }

    /// Fills in the dialog that `opened` is, and returns the first answer.
    pub async fn submits(&self, channel: &str, opened: &Value, text: &str) -> Value {
        let id = self.acts(&self.dialog(channel, opened, text)).await;
        self.answer(&id).await
    }

    /// What sending a dialog sends.
    pub fn dialog(&self, channel: &str, opened: &Value, text: &str) -> Value {
        let discord = &self.harness.discord;
        assert_eq!(opened["type"], 9, "{opened:#}");
        json!({
            "type": 5,
            "channel_id": discord.channel_id(channel),
            "guild_id": discord.guild_id(),
            "data": {
                "custom_id": opened["data"]["custom_id"],
                "components": [{"custom_id": "text", "value": text}],
            },
        })
    }

    /// Does something on Discord; returns the id of the interaction that it became.
    pub async fn acts(&self, body: &Value) -> String {
        let url = format!("{}/v10/interactions", self.harness.variables["DISCORD_API_URL"]);
        let token = self.harness.discord.token_of(&self.username).expect("there is such a person");
        let request = http().post(url).header("authorization", token.expose()).json(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 204, "{}", answer.text().await.unwrap());
        answer.headers()["x-sandbox-interaction"].to_str().unwrap().to_owned()
    }

    /// The first answer to an interaction.
    pub async fn answer(&self, interaction: &str) -> Value {
        let discord = &self.harness.discord;
        let answer = discord.wait_until(|discord| first_answer(discord, interaction));
        within("the first answer", answer).await
    }
}

impl Harness {
    /// What was said to people after the first answer, all in order: contents or embeds.
    pub fn whispers(&self) -> Vec<Value> {
        let app = format!("/webhooks/{}/", self.discord.application_id());
        let said = |asked: &nuncio::sandbox::discord::LoggedRequest| {
            asked.path.contains(&app)
                && matches!(asked.method.as_str(), "POST" | "PATCH")
                && asked.status == Some(200)
        };
        self.discord
            .requests()
            .iter()
            .filter(|asked| said(asked))
            .filter_map(|asked| asked.body.clone())
            .collect()
    }

    /// Waits for the `n`th of them.
    pub async fn whisper(&self, n: usize) -> Value {
        let waiting = self.discord.wait_until(|_| self.whispers().into_iter().nth(n - 1));
        within(&format!("whisper {n}"), waiting).await
    }
}

fn first_answer(discord: &Discord, interaction: &str) -> Option<Value> {
    let path = format!("/interactions/{interaction}/");
    let asked = discord
        .requests()
        .into_iter()
        .find(|asked| asked.path.contains(&path) && matches!(asked.status, Some(200..=299)))?;
    asked.body.clone()
}
