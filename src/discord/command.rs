//! Registering the bot's commands.

use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::discord::answer::Answer;
use crate::discord::{Client, Failure, failure};
use crate::model::Snowflake;

impl Client {
    /// Makes `commands` all there are, in `guild` or everywhere (Discord: "Bulk Overwrite Guild Application Commands").
    /// Discord answers with the list of them, servers written by others with what was sent or with nothing.
    ///
    /// A 401 is no word on the token here, nor a bare 403 one on the address: others answer so where the bot may not
    /// have commands. Whatever else is asked notices what holds for everything.
    pub async fn put_commands(
        &self,
        application: Snowflake,
        guild: Option<Snowflake>,
        commands: &Value,
    ) -> Result<(), Failure> {
        let path = commands_of(application, guild);
        let pass = self.gate().pass().await;
        let request = self.request(Method::PUT, &path)?.json(commands);
        let answer = match request.send().await {
            Ok(response) => Answer::read(response).await,
            Err(error) => return Err(pass.failed(Failure::network(error), false)),
        };
        self.transport().hear(&answer);
        let is_empty = answer.body.is_empty() && !self.transport().leads_to_discord();
        let done = match answer.status {
            200..=299 if answer.is_list() || is_empty => Ok(()),
            200..=299 => Err(Failure::unproven(&answer, "no list of commands")),
            _ => failure::json(&answer),
        };
        match done {
            Ok(()) => {
                pass.came_through();
                Ok(())
            }
            Err(
                failure @ (Failure { status: Some(401), .. } | Failure { status: Some(403), code: None, .. }),
            ) => Err(failure),
            Err(failure) => Err(pass.failed(failure, answer.is_refusal())),
        }
    }

    /// The commands in `guild`, or those everywhere: id and name (Discord: "Get Global Application Commands").
    ///
    /// # Errors
    /// What was answered instead.
    pub async fn commands(
        &self,
        application: Snowflake,
        guild: Option<Snowflake>,
    ) -> Result<Vec<Command>, Failure> {
        let pass = self.gate().pass().await;
        self.get(pass, &commands_of(application, guild)).await
    }

    /// The same, whole: as Discord describes each of them.
    ///
    /// # Errors
    /// What was answered instead.
    pub async fn whole_commands(
        &self,
        application: Snowflake,
        guild: Option<Snowflake>,
    ) -> Result<Vec<Value>, Failure> {
        let pass = self.gate().pass().await;
        self.get(pass, &commands_of(application, guild)).await
    }

    /// Takes one command away (Discord: "Delete Global Application Command").
    ///
    /// # Errors
    /// What was answered instead.
    pub async fn delete_command(
        &self,
        application: Snowflake,
        guild: Option<Snowflake>,
        command: Snowflake,
    ) -> Result<(), Failure> {
        let path = format!("{}/{command}", commands_of(application, guild));
        let pass = self.gate().pass().await;
        let request = self.request(Method::DELETE, &path)?;
        let answer = match request.send().await {
            Ok(response) => Answer::read(response).await,
            Err(error) => return Err(pass.failed(Failure::network(error), false)),
        };
        self.transport().hear(&answer);
        if (200..=299).contains(&answer.status) {
            pass.came_through();
            return Ok(());
        }
        let failure = failure::json::<Value>(&answer).err().unwrap_or_else(Failure::stale);
        Err(pass.failed(failure, answer.is_refusal()))
    }
}

/// A command that is registered.
#[derive(Clone, Debug, Deserialize)]
pub struct Command {
    /// Its id.
    #[serde(deserialize_with = "crate::discord::answer::id")]
    pub id: Snowflake,
    /// Its name, without `/`.
    pub name: String,
}

fn commands_of(application: Snowflake, guild: Option<Snowflake>) -> String {
    let place = guild.map(|guild| format!("/guilds/{guild}")).unwrap_or_default();
    format!("/applications/{application}{place}/commands")
}
