//! The slash commands as people type them, with the demo's XTSystems behind nuncio.
//!
//! Controls tried: without `gate::may_operate` the refusals fail, without `gate::note` the audit lists, without
//! `can_reach` the registration from elsewhere, without the key's redaction the canaries.

mod delivery;
mod home;
mod http;
mod machine;
mod mute;
mod others;
mod page;
mod permission;
mod reload;
mod route;
mod webhook;

use std::collections::BTreeMap;

use nuncio::clock::Clock;
use nuncio::demo::Platform;
use nuncio::sandbox::Discord;
use nuncio::secret::Secret;
use nuncio::store::Audited;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::harness::{Harness, Message, within};

/// A canary: it may stand nowhere but in the header of a call.
pub const KEY: &str = "canary-of-the-commands-key-77e0";

/// The harness with the bot online, its commands registered, and a platform behind it.
pub struct Stage {
    pub t: Harness,
    pub platform: Platform,
    whispers: std::cell::Cell<usize>,
}

impl Stage {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut BTreeMap<String, String>)) -> Self {
        Self::with_discord(|variables, _| change(variables)).await
    }

    pub async fn with_discord(change: impl FnOnce(&mut BTreeMap<String, String>, &Discord)) -> Self {
        let platform = Platform::new(Secret::new(KEY), Clock::system());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Platform::url(listener.local_addr().unwrap());
        tokio::spawn(platform.clone().serve(listener, CancellationToken::new()));
        let t = Harness::with_discord(|variables, discord| {
            variables.remove("DISCORD_GATEWAY");
            variables.insert("XTSYSTEMS_API_URL".to_owned(), url);
            variables.insert("XTSYSTEMS_API_KEY".to_owned(), KEY.to_owned());
            change(variables, discord);
        })
        .await;
        t.online().await;
        t.commands().await;
        Self { t, platform, whispers: std::cell::Cell::new(0) }
    }

    /// Alice types a command with options, and reads what it comes to: nobody else sees it, and nobody is pinged.
    pub async fn types(&self, command: &str, options: Value) -> Value {
        self.acts(json!({"name": command, "type": 1, "options": options})).await
    }

    /// Alice picks an entry of a message's menu.
    pub async fn picks(&self, entry: &str, message: &str, channel: &str) -> Value {
        let id = self.invoke(channel, json!({"name": entry, "type": 3, "target_id": message})).await;
        self.outcome(&id).await
    }

    async fn acts(&self, data: Value) -> Value {
        let id = self.invoke("general", data).await;
        self.outcome(&id).await
    }

    async fn invoke(&self, channel: &str, data: Value) -> String {
        let discord = &self.t.discord;
        let body = json!({
            "type": 2,
            "channel_id": discord.channel_id(channel),
            "guild_id": discord.guild_id(),
            "data": data,
        });
        self.t.person("alice").acts(&body).await
    }

    /// The first answer, or what followed if that was "thinking".
    async fn outcome(&self, interaction: &str) -> Value {
        let first = self.t.person("alice").answer(interaction).await;
        assert_eq!(first["data"]["flags"], 64, "everybody sees it: {first:#}");
        if first["type"] != 5 {
            assert_eq!(first["data"]["allowed_mentions"]["parse"], json!([]));
            return first["data"].clone();
        }
        self.whispers.set(self.whispers.get() + 1);
        let said = self.t.whisper(self.whispers.get()).await;
        assert_eq!(said["allowed_mentions"]["parse"], json!([]), "{said:#}");
        said
    }

    /// The newest message that only Alice sees, once it is as it should be.
    pub async fn sees(&self, what: &str, mut is: impl FnMut(&Message) -> bool) -> Message {
        let alice = self.t.discord.user_id("alice").unwrap();
        let waiting = self.t.discord.wait_until(|discord| {
            let newest = Message(discord.ephemerals(alice).pop()?);
            Some(newest).filter(|message| is(message))
        });
        within(what, waiting).await
    }

    /// Alice presses or chooses something on a message, and reads the first answer. Discord's types: 2 is a button, 3 a
    /// menu of options, 8 a menu of channels.
    pub async fn chooses(&self, on: &Message, kind: u64, custom_id: &str, values: &[&str]) -> Value {
        let body = json!({
            "type": 3, "channel_id": on.0["channel_id"], "guild_id": self.t.discord.guild_id(),
            "message_id": on.id(),
            "data": {"component_type": kind, "custom_id": custom_id, "values": values},
        });
        let id = self.t.person("alice").acts(&body).await;
        self.t.person("alice").answer(&id).await
    }

    /// What is suggested for the last, half-typed option.
    pub async fn suggestions(&self, command: &str, options: Value) -> Vec<String> {
        let discord = &self.t.discord;
        let body = json!({
            "type": 4,
            "channel_id": discord.channel_id("general"),
            "guild_id": discord.guild_id(),
            "data": {"name": command, "type": 1, "options": options},
        });
        let id = self.t.person("alice").acts(&body).await;
        let answer = self.t.person("alice").answer(&id).await;
        assert_eq!(answer["type"], 8, "{answer:#}");
        let choices = answer["data"]["choices"].as_array().unwrap();
        choices.iter().map(|choice| choice["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The newest entry of the audit log, once there are `n`.
    pub async fn audited(&self, n: usize) -> Audited {
        let store = self.t.store();
        let list = async {
            loop {
                let entries = store.audited(100).await.unwrap();
                if entries.len() >= n {
                    assert_eq!(entries.len(), n, "{entries:#?}");
                    return entries[0].clone();
                }
                tokio::task::yield_now().await;
            }
        };
        within(&format!("entry {n} of the audit log"), list).await
    }

    /// Ends the test: the log holds, and the key is nowhere. S-1
    pub async fn finish(self) {
        assert_eq!(self.t.store().verify_audit(None).await.unwrap().fault, None);
        for asked in self.t.discord.requests() {
            assert!(!format!("{asked:?}").contains(KEY), "Discord was told the key: {asked:?}");
        }
        for level in
            [tracing::Level::INFO, tracing::Level::WARN, tracing::Level::DEBUG, tracing::Level::TRACE]
        {
            assert!(!self.t.log.at(level).iter().any(|line| line.contains(KEY)), "the key is in the log");
        }
        let told = serde_json::to_string(&self.platform.recorded_requests()).unwrap();
        assert!(!told.contains(crate::harness::SECRET), "the ledger holds the webhook's secret");
        self.t.finish().await;
    }
}

pub fn content(said: &Value) -> &str {
    said["content"].as_str().unwrap_or_else(|| panic!("no content: {said:#}"))
}

pub fn option(name: &str, value: &str) -> Value {
    json!({"name": name, "type": 3, "value": value})
}
