//! Registering the bot's commands.

use reqwest::Method;
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
        let place = guild.map(|guild| format!("/guilds/{guild}")).unwrap_or_default();
        let path = format!("/applications/{application}{place}/commands");
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
}
