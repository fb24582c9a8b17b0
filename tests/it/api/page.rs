//! `/docs`, and `docs/api.md`: what people read about the API is true.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{Api, BOOTSTRAP};
use crate::webhooks::makes_webhook;

#[tokio::test]
async fn the_page_needs_nothing_but_its_style() {
    let api = Api::start().await;
    let page = api.send(api.request("GET", "/docs")).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    for forbidden in ["<script", " style=", " onclick", " src=", "href=\"http", "{{"] {
        assert!(!page.text.contains(forbidden), "{forbidden}");
    }
    // Each link leads to a place of the page, and each problem's `type` does.
    let ids: Vec<&str> =
        page.text.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for link in page.text.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(&link), "#{link}");
    }
    for code in ["unauthorized", "invalid_body", "rate_limited", "keys_create", "schema-Problem"] {
        assert!(ids.contains(&code), "{code}");
    }
    for route in super::routes() {
        assert!(page.text.contains(&route.path), "{}", route.path);
    }
    let style = api.send(api.request("GET", "/docs/style.css")).await;
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
    assert!(!style.text.contains("url(") && !style.text.contains("@import"), "{}", style.text);
    api.finish().await;
}

/// The shell blocks of `docs/api.md`, in their order, each with the answer that follows it.
fn blocks() -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md")).unwrap();
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(str::to_owned).collect()
}

/// Every block is typed as it is; only the address and the first key are this test's.
#[tokio::test(flavor = "current_thread")]
async fn every_block_of_the_apis_page_does_what_it_says() {
    let api = Api::start().await;
    let (folder, webhook) = (TempDir::new().unwrap(), makes_webhook(&api.t, "general").await);
    let blocks = blocks();
    assert!(blocks.len() >= 5, "{blocks:#?}");
    if !Command::new("curl").arg("--version").output().is_ok_and(|found| found.status.success()) {
        println!("curl is not installed here: docs/api.md was not typed");
        return api.finish().await;
    }
    // One shell types all of them: what one block sets, the next uses.
    let script = format!("set -eu\n{}", blocks.join("\n"));
    let script = script.replace("http://localhost:3000", &api.t.url(""));
    let mut shell = tokio::process::Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder.path()).env("NUNCIO_API_KEY", BOOTSTRAP);
    shell.env("WEBHOOK_URL", webhook);
    let typed = crate::harness::within("docs/api.md to be typed", shell.output()).await.unwrap();
    let said = String::from_utf8_lossy(&[typed.stdout, typed.stderr].concat()).into_owned();
    assert!(typed.status.success(), "{said}");
    // The test of the stored webhook, and the dispatch.
    api.t.channel("general").next_messages(2).await;
    api.finish().await;
}
