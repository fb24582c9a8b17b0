//! What `nuncio serve` prints at its start, in the folder of a rig, and the shell's commands with something on stdin.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use crate::doctor::rig::Rig;
use crate::doctor::seen::Seen;
use crate::harness::within;
use crate::recovery::{in_folder, serve};

impl Rig {
    /// Starts `nuncio serve`, and ends it once it has printed all of `texts`, or has ended: what it printed.
    pub async fn starts(&self, texts: &[&str]) -> String {
        // So that `.env` is written.
        self.runs(&["config"]).await;
        let mut child = serve(&self.path("")).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut printed = String::new();
        within(&format!("nuncio to print {texts:?}"), async {
            while !texts.iter().all(|text| printed.contains(text)) {
                let Some(line) = lines.next_line().await.unwrap() else { break };
                printed.push_str(&line);
                printed.push('\n');
            }
        })
        .await;
        // Somebody must read on, or it waits for its own log.
        let rest = tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        if let Some(id) = child.id() {
            Command::new("kill").args(["-TERM", &id.to_string()]).status().await.unwrap();
        }
        within("nuncio to stop", child.wait()).await.unwrap();
        rest.await.unwrap();
        printed
    }

    /// Runs `nuncio ARGS…` with `input` on its stdin: what it printed. It must succeed.
    pub async fn runs_with(&self, args: &[&str], input: &str) -> String {
        self.runs(&["config"]).await;
        let mut command = in_folder(Command::new(env!("CARGO_BIN_EXE_nuncio")), &self.path(""));
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{input}\n").as_bytes()).await.unwrap();
        let output = within("nuncio to end", child.wait_with_output()).await.unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{args:?}: {text}");
        text
    }

    /// The address of the webhook that leads to #general.
    pub fn webhook_url(&self) -> String {
        let address = self.discord_address();
        let address = address.trim_start_matches("http://").parse().unwrap();
        self.discord.webhook_url(address).expose().to_owned()
    }

    /// Somebody makes another webhook in #general; answers its address.
    pub async fn makes_webhook(&self) -> String {
        let url = format!("{}/api/v10/channels/{}/webhooks", self.discord_address(), self.id("general"));
        let request =
            crate::harness::http().post(url).header("authorization", self.discord.user_token().expose());
        let made: Value =
            request.json(&serde_json::json!({"name": "New"})).send().await.unwrap().json().await.unwrap();
        made["url"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    /// Stores a webhook and sends everything there; answers its id.
    pub async fn stores_webhook(&mut self, url: &str) -> String {
        let text = self.runs_with(&["discord-webhooks", "add", "--name", "Customers"], url).await;
        let id = text.lines().next().unwrap().to_owned();
        self.map_to(&[&id]);
        id
    }
}

impl Seen {
    /// The one check of this code.
    pub fn check(&self, code: &str) -> Value {
        let said: Value = serde_json::from_str(&self.text).unwrap();
        let checks = said["checks"].as_array().unwrap().iter().filter(|check| check["code"] == code);
        let [check] = &*checks.collect::<Vec<_>>() else { panic!("{code}: {}", self.text) };
        (*check).clone()
    }
}
