//! `nuncio demo`: its story ends in cards, and the lines that it prints can be copied.

use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::{is_installed, types};
use crate::harness::{http, within};

#[tokio::test]
async fn the_demo_leads_to_cards_and_its_lines_can_be_copied() {
    let folder = TempDir::new().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_nuncio"));
    demo.arg("demo").current_dir(folder.path()).env_clear().stdout(Stdio::piped()).kill_on_drop(true);
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
    let count = async || {
        let state = http().get(format!("{page}sandbox/state")).send().await.unwrap();
        state.json::<serde_json::Value>().await.unwrap()["demo"].clone()
    };
    let settled = |count: &serde_json::Value| count["shown"] == count["sent"] && count["pending"] == 0;
    let before = within("the story to be shown", async {
        loop {
            let count = count().await;
            if settled(&count) {
                break count["sent"].as_u64().unwrap();
            }
        }
    })
    .await;
    assert_eq!(press("storm", serde_json::json!({"events": 12})).await, 202);
    assert_eq!(press("break", serde_json::json!({"seconds": 1})).await, 202);
    let count = within("the storm to be over", async {
        loop {
            let count = count().await;
            if count["sent"] == before + 12 && settled(&count) {
                break count;
            }
        }
    })
    .await;
    assert_eq!((&count["lost"], &count["twice"]), (&serde_json::json!(0), &serde_json::json!(0)), "{count}");
    Command::new("kill").args(["-TERM", &demo.id().unwrap().to_string()]).status().await.unwrap();
    assert!(within("the demo to stop", demo.wait()).await.unwrap().success());
}
