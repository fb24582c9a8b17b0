//! What people do on Discord: they type commands, and read the answers that only they see.

use nuncio::sandbox::Discord;
use serde_json::{Value, json};

use super::{Harness, http, within};

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
            let registered = |asked: &nuncio::sandbox::discord::Asked| {
                asked.method == "PUT" && asked.path.ends_with("/commands") && asked.status == Some(200)
            };
            discord.requests().iter().any(registered).then_some(())
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
        let url = format!("{}/v10/interactions", self.harness.variables["DISCORD_API_URL"]);
        let token = discord.token_of(&self.username).expect("there is such a person");
        let request = http().post(url).header("authorization", token.expose()).json(&body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 204, "{}", answer.text().await.unwrap());
        let id = answer.headers()["x-sandbox-interaction"].to_str().unwrap().to_owned();
        within(&format!("an answer to /{command}"), discord.wait_until(|discord| first_answer(discord, &id)))
            .await
    }
}

fn first_answer(discord: &Discord, interaction: &str) -> Option<Value> {
    let asked = discord.requests().into_iter().find(|asked| {
        asked.path.contains(&format!("/interactions/{interaction}/")) && asked.status == Some(204)
    })?;
    asked.body
}
