//! Registration of the bot's slash commands.

use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::discord::answer::Answer;
use crate::discord::{Client, DiscordFailure, failure};
use crate::model::Snowflake;

impl Client {
    /// Replaces all commands with `commands`, in `guild` or globally (Discord: "Bulk Overwrite Guild Application
    /// Commands"). Discord returns their list; compatible servers return what was sent, or nothing.
    ///
    /// Here a 401 is no evidence against the token, nor a bare 403 against the address: compatible servers send them
    /// where the bot may not have commands. Other requests detect a block that holds for everything.
    pub async fn put_commands(
        &self,
        application: Snowflake,
        guild: Option<Snowflake>,
        commands: &Value,
    ) -> Result<(), DiscordFailure> {
        let path = commands_of(application, guild);
        let permit = self.circuit_breaker().acquire().await;
        let request = self.request(Method::PUT, &path)?.json(commands);
        let answer = match request.send().await {
            Ok(response) => Answer::read(response).await,
            Err(error) => return Err(permit.failed(DiscordFailure::network(error), false)),
        };
        self.transport().hear(&answer);
        let is_empty = answer.body.is_empty() && !self.transport().leads_to_discord();
        let done = match answer.status {
            200..=299 if answer.is_list() || is_empty => Ok(()),
            200..=299 => Err(DiscordFailure::unproven(&answer, "no list of commands")),
            _ => failure::json(&answer),
        };
        match done {
            Ok(()) => {
                permit.report_success();
                Ok(())
            }
            Err(
                failure @ (DiscordFailure { status: Some(401), .. }
                | DiscordFailure { status: Some(403), code: None, .. }),
            ) => Err(failure),
            Err(failure) => Err(permit.failed(failure, answer.is_refusal())),
        }
    }

    /// Fetches the id and name of each command in `guild`, or of the global ones (Discord: "Get Global Application
    /// Commands").
    ///
    /// # Errors
    ///
    /// The failed response.
    pub async fn commands(
        &self,
        application: Snowflake,
        guild: Option<Snowflake>,
    ) -> Result<Vec<ApplicationCommand>, DiscordFailure> {
        let permit = self.circuit_breaker().acquire().await;
        self.get(permit, &commands_of(application, guild)).await
    }

    /// Fetches the complete command objects in `guild`, or the global ones, as Discord describes them.
    ///
    /// # Errors
    ///
    /// The failed response.
    pub async fn whole_commands(
        &self,
        application: Snowflake,
        guild: Option<Snowflake>,
    ) -> Result<Vec<Value>, DiscordFailure> {
        let permit = self.circuit_breaker().acquire().await;
        self.get(permit, &commands_of(application, guild)).await
    }

    /// Deletes one command (Discord: "Delete Global Application Command").
    ///
    /// # Errors
    ///
    /// The failed response.
    pub async fn delete_command(
        &self,
        application: Snowflake,
        guild: Option<Snowflake>,
        command: Snowflake,
    ) -> Result<(), DiscordFailure> {
        let path = format!("{}/{command}", commands_of(application, guild));
        let permit = self.circuit_breaker().acquire().await;
        let request = self.request(Method::DELETE, &path)?;
        let answer = match request.send().await {
            Ok(response) => Answer::read(response).await,
            Err(error) => return Err(permit.failed(DiscordFailure::network(error), false)),
        };
        self.transport().hear(&answer);
        if (200..=299).contains(&answer.status) {
            permit.report_success();
            return Ok(());
        }
        let failure = failure::json::<Value>(&answer).err().unwrap_or_else(DiscordFailure::stale);
        Err(permit.failed(failure, answer.is_refusal()))
    }
}

/// A registered command.
#[derive(Clone, Debug, Deserialize)]
pub struct ApplicationCommand {
    /// The id that Discord gave the command.
    #[serde(deserialize_with = "crate::discord::answer::id")]
    pub id: Snowflake,
    /// The name, without `/`.
    pub name: String,
}

fn commands_of(application: Snowflake, guild: Option<Snowflake>) -> String {
    let place = guild.map(|guild| format!("/guilds/{guild}")).unwrap_or_default();
    format!("/applications/{application}{place}/commands")
}
