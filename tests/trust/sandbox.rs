//! The sandbox Discord, as a process of its own, steered through its control API.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::verdict::Tag;
use super::{PATIENCE, nuncio, sender, within};

/// A running `nuncio sandbox`. Killed when dropped.
pub struct Sandbox {
    _child: Child,
    _folder: TempDir,
    http: reqwest::Client,
    introduction: Value,
}

/// A request to the API, from the sandbox's ledger.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path.
    pub path: String,
    /// What was answered; none if the connection was cut.
    pub status: Option<u64>,
    /// The events the body shows.
    pub tags: Vec<Tag>,
}

impl Asked {
    /// Whether it tried to post a message.
    pub fn is_post(&self) -> bool {
        self.method == "POST" && (self.path.ends_with("/messages") || self.is_of_webhook())
    }
}

impl Asked {
    /// Whether it went through a webhook.
    pub fn is_of_webhook(&self) -> bool {
        self.path.contains("/webhooks/")
    }
}

impl Sandbox {
    /// Starts one that lets everything through.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(nuncio()?);
        command.arg("sandbox").env_clear().current_dir(folder.path()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("the sandbox")?;
        let out = child.stdout.take().context("the sandbox has no output")?;
        let mut lines = BufReader::new(out).lines();
        let line = within("the sandbox to introduce itself", PATIENCE, lines.next_line()).await??;
        let introduction = serde_json::from_str(&line.context("the sandbox said nothing")?)?;
        let http = nuncio::outgoing::builder().no_proxy().timeout(PATIENCE).build()?;
        let sandbox = Self { _child: child, _folder: folder, http, introduction };
        sandbox.order(json!({"limits": "none"})).await?;
        Ok(sandbox)
    }

    /// What it said about itself under `key`.
    pub fn says(&self, key: &str) -> &str {
        self.introduction[key].as_str().unwrap_or_default()
    }

    /// Orders something; see the control API.
    pub async fn order(&self, orders: Value) -> anyhow::Result<()> {
        let request = self.http.post(self.url("control")).header("Authorization", self.says("user_token"));
        let response = request.json(&orders).send().await?;
        let status = response.status();
        ensure!(status.is_success(), "{orders}: {status} {}", response.text().await?);
        Ok(())
    }

    /// Adds channels; answers their ids.
    pub async fn add_channels(&self, names: &[String]) -> anyhow::Result<Vec<String>> {
        self.order(json!({"add_channel": names})).await?;
        let state = self.look("state").await?;
        let channels = state["guilds"][0]["channels"].as_array().context("no channels")?;
        let ids: HashMap<&str, &str> = channels
            .iter()
            .filter_map(|channel| Some((channel["name"].as_str()?, channel["id"].as_str()?)))
            .collect();
        let id = |name: &String| ids.get(name.as_str()).map(|id| (*id).to_owned()).context("a channel");
        names.iter().map(id).collect()
    }

    /// Makes a webhook in a channel, as its owner would; answers its address.
    pub async fn add_webhook(&self, channel: &str) -> anyhow::Result<String> {
        let url = format!("{}/v10/channels/{channel}/webhooks", self.says("api"));
        let request = self.http.post(url).header("Authorization", self.says("user_token"));
        let made: Value = request.json(&json!({"name": "rig"})).send().await?.json().await?;
        made["url"].as_str().map(str::to_owned).with_context(|| format!("no webhook: {made}"))
    }

    /// Deletes a webhook, as anybody can who knows its address.
    pub async fn delete_webhook(&self, url: &str) -> anyhow::Result<()> {
        self.http.delete(url).send().await?.error_for_status()?;
        Ok(())
    }

    /// Whether a message in a channel says this.
    pub async fn says_in(&self, channel: &str, words: &str) -> anyhow::Result<bool> {
        Ok(self.look("messages").await?[channel].to_string().contains(words))
    }

    /// The events of those messages that say that they may be a duplicate.
    pub async fn labelled(&self) -> anyhow::Result<BTreeSet<Tag>> {
        let channels = self.look("messages").await?;
        let messages =
            channels.as_object().context("no channels")?.values().filter_map(Value::as_array).flatten();
        let says_so = |message: &&Value| message.to_string().contains("may be a duplicate");
        Ok(messages.filter(says_so).flat_map(shown).collect())
    }

    /// Waits until so many messages were made; answers how many creates found an earlier one.
    pub async fn sent(&self, at_least: usize, limit: Duration) -> anyhow::Result<u64> {
        let reached = self.look_at(format!("wait?sent={at_least}"));
        let counts = within(&format!("{at_least} messages"), limit, reached).await??;
        Ok(counts["deduplicated"].as_u64().unwrap_or_default())
    }

    /// The figures since the beginning.
    pub async fn counts(&self) -> anyhow::Result<Value> {
        self.look("wait").await
    }

    /// The events that stand in each channel, oldest first.
    pub async fn delivered(&self) -> anyhow::Result<BTreeMap<String, Vec<Tag>>> {
        let channels = self.messages().await?;
        Ok(channels
            .into_iter()
            .map(|(id, messages)| (id, messages.iter().flat_map(shown).collect()))
            .collect())
    }

    /// The messages that stand in each channel, oldest first.
    pub async fn messages(&self) -> anyhow::Result<BTreeMap<String, Vec<Value>>> {
        Ok(serde_json::from_value(self.look("messages").await?)?)
    }

    /// The last five thousand requests to the API, oldest first.
    pub async fn asked(&self) -> anyhow::Result<Vec<Asked>> {
        let ledger = self.look("ledger").await?;
        let asked = ledger["asked"].as_array().context("no ledger")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(asked
            .iter()
            .map(|asked| Asked {
                method: text(&asked["method"]),
                path: text(&asked["path"]),
                status: asked["status"].as_u64(),
                tags: shown(&asked["body"]),
            })
            .collect())
    }

    /// The events that were part of more than one request to post.
    pub async fn tried_again(&self) -> anyhow::Result<BTreeSet<Tag>> {
        let (mut once, mut again) = (BTreeSet::new(), BTreeSet::new());
        let asked = self.asked().await?;
        for tag in asked.into_iter().filter(Asked::is_post).flat_map(|asked| asked.tags) {
            if !once.insert(tag.clone()) {
                again.insert(tag);
            }
        }
        Ok(again)
    }

    /// Guilds, roles, people.
    pub async fn state(&self) -> anyhow::Result<Value> {
        self.look("state").await
    }

    /// The last five thousand requests, as they stand in the ledger.
    pub async fn ledger(&self) -> anyhow::Result<Value> {
        Ok(self.look("ledger").await?["asked"].take())
    }

    /// Somebody uses the bot; the id of the interaction that this became.
    pub async fn interact(&self, token: &str, body: &Value) -> anyhow::Result<u64> {
        let url = format!("{}/v10/interactions", self.says("api"));
        let answer = self.http.post(url).header("Authorization", token).json(body).send().await?;
        let id = answer.headers().get("x-sandbox-interaction").and_then(|id| id.to_str().ok()?.parse().ok());
        let status = answer.status();
        id.with_context(|| format!("an interaction was refused: {status}"))
    }

    async fn look(&self, at: &str) -> anyhow::Result<Value> {
        self.look_at(at.to_owned()).await
    }

    async fn look_at(&self, at: String) -> anyhow::Result<Value> {
        // A wait may take as long as the one who waits has patience.
        let request = self.http.get(self.url(&at)).timeout(10 * PATIENCE);
        let request = request.header("Authorization", self.says("user_token"));
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    fn url(&self, path: &str) -> String {
        format!("{}sandbox/{path}", self.says("page"))
    }
}

/// The events that a message shows: one for each embed, or, of a plain one, in its text.
pub fn shown(message: &Value) -> Vec<Tag> {
    let embeds: Vec<&Value> = message["embeds"].as_array().into_iter().flatten().collect();
    if embeds.is_empty() {
        return sender::tags_in(message["content"].as_str().unwrap_or_default());
    }
    let tag = |embed: &&Value| sender::tags_in(embed["description"].as_str().unwrap_or_default());
    embeds.iter().flat_map(tag).collect()
}
