//! Registering the bot's commands.

use reqwest::Method;
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
        let place = guild.map(|guild| format!("/guilds/{guild}")).unwrap_or_default();
        let path = format!("/applications/{application}{place}/commands");
        let pass = self.gate().pass().await;
        let request = self.request(Method::PUT, &path)?.json(commands);
        let answer = match request.send().await {
            Ok(response) => Answer::read(response).await,
            Err(error) => return Err(pass.failed(Failure::network(error), false)),
        };
        self.wire().hear(&answer);
        let is_empty = answer.body.is_empty() && !self.wire().leads_to_discord();
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
}
