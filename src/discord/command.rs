//! Registering the bot's commands.

use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::discord::answer::{self, Answer};
use crate::discord::{Client, Failure};
use crate::model::Snowflake;

impl Client {
    /// Makes `commands` all there are, in `guild` or everywhere (Discord: "Bulk Overwrite Guild Application Commands").
    /// What is answered beside a success does not matter: servers other than Discord answer with what was sent.
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
        let answer = Answer::read(request.send().await.map_err(Failure::network)?).await;
        let done = answer::success(&answer);
        match &done {
            Ok(()) => pass.came_through(),
            Err(Failure { status: Some(401), .. } | Failure { status: Some(403), code: None, .. }) => {
                drop(pass)
            }
            Err(failure) => pass.settle(failure.status, &failure.outcome, answer.is_refusal()),
        }
        done
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
        let answer =
            Answer::read(self.request(Method::DELETE, &path)?.send().await.map_err(Failure::network)?).await;
        let done = answer::success(&answer);
        match &done {
            Ok(()) => pass.came_through(),
            Err(failure) => pass.settle(failure.status, &failure.outcome, answer.is_refusal()),
        }
        done
    }
}

/// A command that is registered.
#[derive(Clone, Debug, Deserialize)]
pub struct Command {
    /// Its id.
    #[serde(deserialize_with = "answer::id")]
    pub id: Snowflake,
    /// Its name, without `/`.
    pub name: String,
}

fn commands_of(application: Snowflake, guild: Option<Snowflake>) -> String {
    let place = guild.map(|guild| format!("/guilds/{guild}")).unwrap_or_default();
    format!("/applications/{application}{place}/commands")
}
