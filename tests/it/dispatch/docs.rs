//! `docs/dispatcher.md`: every block of it is run.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use super::{KEY, Platform};
use crate::harness::within;
use crate::webhooks::makes_webhook;

/// The block behind `<!-- run: NAME -->`.
fn block(name: &str) -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/dispatcher.md")).unwrap();
    let behind =
        page.split(&format!("<!-- run: {name} -->\n```")).nth(1).unwrap_or_else(|| panic!("no block {name}"));
    behind.split_once('\n').unwrap().1.split("\n```").next().unwrap().to_owned()
}

/// Runs a block of shell as a reader would.
async fn runs(p: &Platform, name: &str, webhook: &str) -> String {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_nuncio")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.args(["-e", "-c", &block(name)]).current_dir(p.t.folder()).env_clear().env("PATH", path);
    for variable in
        ["NUNCIO_DATABASE_URL", "NUNCIO_ENCRYPTION_KEY", "DISCORD_API_URL", "WEBHOOK_SECRET", "LOG_DIR"]
    {
        command.env(variable, p.t.variable(variable));
    }
    command
        .env("NUNCIO_API_KEY", KEY)
        .env("NUNCIO_URL", p.t.url("").trim_end_matches('/'))
        .env("WEBHOOK_URL", webhook);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let output = within(name, child.wait_with_output()).await.unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {said}");
    said
}

#[tokio::test]
async fn every_block_of_the_page_works() {
    let p = Platform::start().await;
    let webhook = makes_webhook(&p.t, "general").await;
    let has_curl = std::process::Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    if has_curl {
        assert!(runs(&p, "store", &webhook).await.contains("dst_"));
        let first = runs(&p, "first", &webhook).await;
        assert!(first.contains(r#""sent":1"#), "{first}");
        assert_eq!(p.next("general").await.title(), "💥 Server Crashed");
    } else {
        println!("there is no curl: its blocks are not run");
        p.stores("general", json!({"type": "GAME_SERVER"})).await;
    }
    for category in ["VPS", "SYSTEM", "BILLING", "SECURITY", "SUPPORT", "CUSTOM"] {
        p.stores("general", json!({"name": category, "type": category})).await;
    }
    p.stores("general", json!({"name": "cus_1", "type": "BILLING", "scope": "USER", "user_id": "cus_1"}))
        .await;
    if has_curl {
        runs(&p, "user", &webhook).await;
        assert_eq!(p.next("general").await.title(), "📄 Invoice Generated");
    }
    let bodies: Vec<(String, Value)> = serde_json::from_str(&block("bodies")).unwrap();
    for (function, body) in bodies {
        let answer = p.awaits(&function, body.clone()).await;
        assert!(answer["sent"] == 1 && answer.get("warnings").is_none(), "{body}: {answer}");
        p.next("general").await;
    }
    // The node's alert again: it changes its message.
    runs(&p, "shell", &webhook).await;
    p.t.settle().await;
    p.t.channel("general").next_messages(3).await;
    p.finish().await;
}
