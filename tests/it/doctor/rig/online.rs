//! Waiting for the bot of the nuncio that runs.

use nuncio::sandbox::discord::LoggedRequest;
use serde_json::Value;

use super::Rig;
use crate::harness::{http, within};

impl Rig {
    /// Waits until Discord has the commands: what ends before that leaves them missing.
    pub async fn has_commands(&self) {
        let known = self.discord.wait_until(|discord| {
            let is_done = |asked: &LoggedRequest| {
                asked.method == "PUT" && asked.path.ends_with("/commands") && asked.status == Some(200)
            };
            discord.requests().iter().any(|asked| is_done(asked)).then_some(())
        });
        within("the commands to be registered", known).await;
    }

    /// Waits until the bot of the nuncio that runs is online, if one runs and has a bot.
    pub(super) async fn is_online(&self) {
        let Some(serving) = &self.serving else { return };
        let (origin, _) = serving.address.split_once("/webhooks/").unwrap();
        let online = async {
            loop {
                let health = http().get(format!("{origin}/health")).send().await.unwrap();
                if health.json::<Value>().await.unwrap()["discord"] != "disconnected" {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        within("the bot to be online", online).await;
    }
}
