//! `nuncio demo`: its story ends in cards, and the lines that it prints can be copied.

use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::{is_installed, types};
use crate::harness::{NO_CERTIFICATES, http, within};

/// The count on the page.
struct Counts {
    page: String,
    stream: reqwest::Response,
    heard: String,
}

impl Counts {
    async fn of(page: &str) -> Self {
        let stream = http().get(format!("{page}sandbox/stream")).send().await.unwrap();
        Self { page: page.to_owned(), stream, heard: String::new() }
    }

    /// Looks at it now, and whenever the stream says that it is another, until it is as it should be.
    async fn until(&mut self, is: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        const CHANGED: &str = "DEMO_COUNTS";
        loop {
            let state = http().get(format!("{}sandbox/state", self.page)).send().await.unwrap();
            let count = state.json::<serde_json::Value>().await.unwrap()["demo"].clone();
            if is(&count) {
                return count;
            }
            let end = loop {
                if let Some(at) = self.heard.find(CHANGED) {
                    break at + CHANGED.len();
                }
                let more = self.stream.chunk().await.unwrap().expect("the stream goes on");
                self.heard.push_str(&String::from_utf8_lossy(&more));
            };
            self.heard.drain(..end);
        }
    }
}

#[tokio::test]
async fn the_demo_leads_to_cards_and_its_lines_can_be_copied() {
    let folder = TempDir::new().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_nuncio"));
    demo.arg("demo")
        .current_dir(folder.path())
        .env_clear()
        .envs([NO_CERTIFICATES])
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut demo = demo.spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let mut said = String::new();
    within("the demo's box", async {
        while !said.contains("A short story plays now") {
            said.push_str(&lines.next_line().await.unwrap().expect("the demo goes on"));
            said.push('\n');
        }
    })
    .await;
    let between = |from: &str, to: &str| {
        let start = said.find(from).unwrap_or_else(|| panic!("no {from:?} in {said}"));
        let end = said[start..].find(to).map_or(said.len(), |end| start + end);
        said[start..end].trim().to_owned()
    };
    let page = between("http://", "#all");
    assert!(http().get(&page).send().await.unwrap().text().await.unwrap().contains("<html"));

    if is_installed("curl").await && is_installed("openssl").await {
        let accepted = types(folder.path(), &between("body='", "\n\n")).await;
        assert!(String::from_utf8_lossy(&accepted.stdout).contains(r#""success":true"#), "{accepted:?}");
        let forged = said.split("Send one that is refused:").nth(1).unwrap().split("Or let").next().unwrap();
        let forged = types(folder.path(), forged.trim()).await;
        assert!(String::from_utf8_lossy(&forged.stdout).contains("Invalid signature"), "{forged:?}");
    }
    let send = said.lines().find(|line| line.starts_with("WEBHOOK_SECRET=")).unwrap();
    let sent = types(folder.path(), send).await;
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));

    within("the story's end", async {
        while !lines
            .next_line()
            .await
            .unwrap()
            .expect("the demo goes on")
            .contains("10 signed events were accepted")
        {}
    })
    .await;
    let state = http()
        .get(format!("{page}sandbox/state"))
        .send()
        .await
        .unwrap()
        .json::<serde_json::Value>()
        .await
        .unwrap();
    let channels = state["guilds"][0]["channels"].as_array().unwrap();
    for name in ["tickets", "assets", "alerts", "machines"] {
        let id = channels.iter().find(|channel| channel["name"] == name).unwrap()["id"].as_str().unwrap();
        assert!(!state["messages"][id].as_array().unwrap().is_empty(), "#{name} is empty");
    }

    // The page's buttons: a storm in which Discord breaks, and the count that must come out even.
    let press = async |button: &str, body: serde_json::Value| {
        http().post(format!("{page}demo/{button}")).json(&body).send().await.unwrap().status()
    };
    let settled = |count: &serde_json::Value| count["shown"] == count["sent"] && count["pending"] == 0;
    let mut counts = Counts::of(&page).await;
    let before = within("the story to be shown", counts.until(settled)).await["sent"].as_u64().unwrap();
    assert_eq!(press("storm", serde_json::json!({"events": 12})).await, 202);
    assert_eq!(press("break", serde_json::json!({"seconds": 1})).await, 202);
    let is_over = |count: &serde_json::Value| count["sent"] == before + 12 && settled(count);
    let count = within("the storm to be over", counts.until(is_over)).await;
    assert_eq!((&count["lost"], &count["twice"]), (&serde_json::json!(0), &serde_json::json!(0)), "{count}");
    Command::new("kill").args(["-TERM", &demo.id().unwrap().to_string()]).status().await.unwrap();
    assert!(within("the demo to stop", demo.wait()).await.unwrap().success());
}
