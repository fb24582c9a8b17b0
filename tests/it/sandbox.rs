//! `nuncio sandbox` for the bots of others: what docs/sandbox.md says of it, tried.

use std::path::Path;
use std::process::Stdio;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::harness::{http, within};

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sandbox.md")).unwrap()
}

/// A sandbox as a program of its own, and what it printed.
struct Sandbox {
    line: Value,
    client: Client,
    child: Child,
}

impl Sandbox {
    async fn start(args: &[&str]) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_nuncio"));
        program.arg("sandbox").args(args).env_clear().stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = program.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = within("the sandbox's line", lines.next_line()).await.unwrap().unwrap();
        Self { line: serde_json::from_str(&line).unwrap(), client: http().clone(), child }
    }

    fn text(&self, key: &str) -> &str {
        self.line[key].as_str().unwrap_or_else(|| panic!("no {key} in {}", self.line))
    }

    async fn ask(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.client.request(method, path).header("Authorization", token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn order(&self, order: &str) -> (u16, Value) {
        let path = format!("{}sandbox/control", self.text("page"));
        let body = serde_json::from_str(order).unwrap_or_else(|why| panic!("{order}: {why}"));
        self.ask(Method::POST, &path, self.text("user_token"), Some(body)).await
    }

    async fn stop(mut self) {
        drop(self.client);
        Command::new("kill").args(["-TERM", &self.child.id().unwrap().to_string()]).status().await.unwrap();
        assert!(within("the sandbox to stop", self.child.wait()).await.unwrap().success());
    }
}

#[tokio::test]
async fn its_line_leads_into_it() {
    let sandbox = Sandbox::start(&[]).await;
    for key in
        ["api", "gateway", "page", "application_id", "bot_token", "user_token", "guild_id", "webhook_url"]
    {
        assert!(page().contains(&format!("`{key}`")), "docs/sandbox.md names {key}");
        assert!(!sandbox.text(key).is_empty());
    }
    let bot = format!("Bot {}", sandbox.text("bot_token"));
    let (_, me) = sandbox.ask(Method::GET, &format!("{}/users/@me", sandbox.text("api")), &bot, None).await;
    assert_eq!(me["id"], sandbox.line["application_id"]);
    for (name, id) in sandbox.line["channels"].as_object().unwrap() {
        let path = format!("{}/v10/channels/{}", sandbox.text("api"), id.as_str().unwrap());
        let (_, channel) = sandbox.ask(Method::GET, &path, &bot, None).await;
        assert_eq!((&channel["name"], &channel["guild_id"]), (&json!(name), &sandbox.line["guild_id"]));
    }
    let (_, gateway) =
        sandbox.ask(Method::GET, &format!("{}/gateway", sandbox.text("api")), &bot, None).await;
    assert_eq!(gateway["url"], sandbox.line["gateway"]);
    let (_, hook) = sandbox.ask(Method::GET, sandbox.text("webhook_url"), "", None).await;
    assert_eq!(hook["guild_id"], sandbox.line["guild_id"]);
    let page = sandbox.client.get(sandbox.text("page")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("<html"));
    sandbox.stop().await;
}

#[tokio::test]
async fn a_bot_may_what_it_was_invited_with() {
    let make = async |args: &[&str]| {
        let sandbox = Sandbox::start(args).await;
        let path = format!("{}/v10/guilds/{}/channels", sandbox.text("api"), sandbox.text("guild_id"));
        let bot = format!("Bot {}", sandbox.text("bot_token"));
        let (status, answer) =
            sandbox.ask(Method::POST, &path, &bot, Some(json!({"name": "war-room"}))).await;
        sandbox.stop().await;
        (status, answer["code"].as_u64())
    };
    assert_eq!(make(&[]).await, (403, Some(50013)));
    assert_eq!(make(&["--permissions", "8"]).await, (201, None));
}

#[tokio::test]
async fn every_order_of_the_page_is_taken() {
    let page = page();
    let (_, days) = page.split_once("## Bad days").unwrap();
    let (days, _) = days.split_once("\n## ").unwrap();
    let orders: Vec<&str> = days
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split(" | ").next())
        .flat_map(|cell| cell.split('`').filter(|piece| piece.starts_with('{')))
        .collect();
    assert!(orders.len() > 18, "{orders:#?}");
    let sandbox = Sandbox::start(&[]).await;
    // There has to be an interaction before it can be replayed.
    let api = sandbox.text("api");
    let bot = format!("Bot {}", sandbox.text("bot_token"));
    let commands = format!("{api}/v10/applications/{}/commands", sandbox.text("application_id"));
    let command = json!({"name": "ping", "description": "Ping"});
    assert_eq!(sandbox.ask(Method::POST, &commands, &bot, Some(command)).await.0, 201);
    let used =
        json!({"type": 2, "channel_id": sandbox.line["channels"]["general"], "data": {"name": "ping"}});
    let interactions = format!("{api}/v10/interactions");
    assert_eq!(sandbox.ask(Method::POST, &interactions, sandbox.text("user_token"), Some(used)).await.0, 204);
    for order in orders {
        let (status, answer) = sandbox.order(order).await;
        assert_eq!(status, 200, "{order}: {answer}");
    }
    sandbox.stop().await;
}
