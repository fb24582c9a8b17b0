//! The application and its servers as REST describes them, for whoever looks before the gateway has told.

use serde::Deserialize;
use serde_json::Value;

use crate::discord::{Client, Failure, answer};
use crate::model::Snowflake;

/// The application that a token belongs to (Discord: "Application Object").
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Application {
    /// Its id.
    #[serde(deserialize_with = "answer::id")]
    pub id: Snowflake,
    /// Where Discord posts interactions instead of telling the gateway; `None`: they come by the gateway.
    #[serde(default)]
    pub interactions_endpoint_url: Option<String>,
    /// Whether anybody may invite the bot.
    #[serde(default)]
    pub bot_public: Option<bool>,
}

impl Application {
    /// Whether Discord posts interactions somewhere, and tells the gateway of none.
    #[must_use]
    pub fn takes_interactions_away(&self) -> bool {
        self.interactions_endpoint_url.as_ref().is_some_and(|url| !url.trim().is_empty())
    }
}

/// A server by id and name (Discord: "Get Current User Guilds").
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NamedServer {
    /// Its id.
    #[serde(deserialize_with = "answer::id")]
    pub id: Snowflake,
    /// Its name.
    #[serde(default)]
    pub name: String,
}

impl Client {
    /// Asks for the application (Discord: "Get Current Application").
    ///
    /// # Errors
    /// What was answered instead.
    pub async fn application(&self) -> Result<Application, Failure> {
        self.read("/applications/@me").await
    }

    /// Asks for the bot's servers, at most 200.
    ///
    /// # Errors
    /// What was answered instead.
    pub async fn servers(&self) -> Result<Vec<NamedServer>, Failure> {
        self.read("/users/@me/guilds").await
    }

    /// Asks for all of a server that permissions depend on, in the shape in which the gateway tells it: roles, channels,
    /// threads, and the bot's own member. [`Client::myself`] must have been asked before.
    ///
    /// # Errors
    /// What was answered instead.
    pub async fn server(&self, id: Snowflake) -> Result<Value, Failure> {
        let mut server: Value = self.read(&format!("/guilds/{id}")).await?;
        server["channels"] = self.read(&format!("/guilds/{id}/channels")).await?;
        if let Some(me) = self.me() {
            let member: Value = self.read(&format!("/guilds/{id}/members/{me}")).await?;
            server["members"] = Value::Array(vec![member]);
        }
        // Servers written by others may not know this one.
        if let Ok(mut active) = self.read::<Value>(&format!("/guilds/{id}/threads/active")).await {
            server["threads"] = active["threads"].take();
        }
        Ok(server)
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let pass = self.gate().pass().await;
        self.get(pass, path).await
    }
}
