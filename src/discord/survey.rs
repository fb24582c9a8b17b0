//! The application and its guilds over REST, for callers that run before the gateway is connected.

use serde::Deserialize;
use serde_json::Value;

use crate::discord::{Client, DiscordFailure, answer};
use crate::model::Snowflake;

/// The application that a token belongs to (Discord: "Application Object").
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Application {
    /// The application's id.
    #[serde(deserialize_with = "answer::id")]
    pub id: Snowflake,
    /// Where Discord posts interactions instead of sending them over the gateway; `None`: they come over the gateway.
    #[serde(default)]
    pub interactions_endpoint_url: Option<String>,
    /// Whether every user may invite the bot.
    #[serde(default)]
    pub bot_public: Option<bool>,
}

impl Application {
    /// Whether Discord posts interactions to an endpoint, and sends none over the gateway.
    #[must_use]
    pub fn takes_interactions_away(&self) -> bool {
        self.interactions_endpoint_url.as_ref().is_some_and(|url| !url.trim().is_empty())
    }
}

/// A guild's id and name (Discord: "Get Current User Guilds").
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NamedServer {
    /// The guild's id.
    #[serde(deserialize_with = "answer::id")]
    pub id: Snowflake,
    /// The guild's name; empty if the server omits it.
    #[serde(default)]
    pub name: String,
}

impl Client {
    /// Fetches the application (Discord: "Get Current Application").
    ///
    /// # Errors
    ///
    /// The failed response.
    pub async fn application(&self) -> Result<Application, DiscordFailure> {
        self.read("/applications/@me").await
    }

    /// Fetches the bot's guilds, at most 200.
    ///
    /// # Errors
    ///
    /// The failed response.
    pub async fn servers(&self) -> Result<Vec<NamedServer>, DiscordFailure> {
        self.read("/users/@me/guilds").await
    }

    /// Fetches everything in a guild that permissions depend on, in the shape of the gateway's event: roles, channels,
    /// threads, and the bot's own member. Call [`Client::myself`] first.
    ///
    /// # Errors
    ///
    /// The failed response.
    pub async fn server(&self, id: Snowflake) -> Result<Value, DiscordFailure> {
        let mut server: Value = self.read(&format!("/guilds/{id}")).await?;
        server["channels"] = self.read(&format!("/guilds/{id}/channels")).await?;
        if let Some(me) = self.me() {
            let member: Value = self.read(&format!("/guilds/{id}/members/{me}")).await?;
            server["members"] = Value::Array(vec![member]);
        }
        // Discord-compatible servers may lack this endpoint.
        if let Ok(mut active) = self.read::<Value>(&format!("/guilds/{id}/threads/active")).await {
            server["threads"] = active["threads"].take();
        }
        Ok(server)
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, DiscordFailure> {
        let permit = self.circuit_breaker().acquire().await;
        self.get(permit, path).await
    }
}
