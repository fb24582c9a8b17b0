//! What README.md and docs/ tell a stranger to type, typed.

mod demo;
mod links;
mod names;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use nuncio::config::{Config, Variables};
use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::{Harness, NO_CERTIFICATES, SECRET, within};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The shell blocks of the README and of the pages that go on from it, in the order in which somebody types them.
fn blocks() -> Vec<String> {
    let read = |page: &&str| std::fs::read_to_string(root().join(page)).unwrap();
    let text: String = ["README.md", "docs/senders.md", "docs/configuration.md"].iter().map(read).collect();
    let shell = |piece: &str| {
        let lines = piece.strip_prefix("sh\n")?.lines().map(str::trim_start);
        Some(lines.collect::<Vec<_>>().join("\n").trim().to_owned())
    };
    text.split("```").skip(1).step_by(2).filter_map(shell).collect()
}

/// Runs `script` as a person would, in `folder`, with `nuncio` on the path.
async fn types(folder: &Path, script: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_nuncio"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .envs([NO_CERTIFICATES])
        .stdin(Stdio::null());
    within(script, shell.output()).await.unwrap()
}

async fn is_installed(program: &str) -> bool {
    let found = types(root(), &format!("command -v {program}")).await.status.success();
    if !found {
        println!("{program} is not installed here: what needs it was not typed");
    }
    found
}

#[tokio::test]
async fn every_shell_block_does_what_it_says() {
    let t = Harness::plain().await;
    let folder = TempDir::new().unwrap();
    let address = t.url("");
    let port = address.rsplit(':').next().unwrap();
    let curl = is_installed("curl").await && is_installed("openssl").await;
    let mut typed = Vec::new();
    for block in blocks() {
        let first = block.lines().next().unwrap();
        match first.split_whitespace().take(2).collect::<Vec<_>>()[..] {
            ["sudo", "apt-get"] => {
                let packages = block.rsplit("-y ").next().unwrap();
                let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
                assert!(ci.contains(packages), ".ci/run installs what the README says: {packages}");
            }
            // The next test runs the demo; this one is run by the other.
            ["cargo", "run" | "test"] => assert!(["cargo run -- demo", "cargo test"].contains(&first)),
            // What it asks is answered in `setup.rs`.
            ["cargo", "install"] => assert_eq!(block.lines().nth(1), Some("nuncio setup")),
            ["cp", ".env.example"] => {
                std::fs::copy(root().join(".env.example"), folder.path().join(".env.example")).unwrap();
                let copy = block.as_str();
                assert!(types(folder.path(), copy).await.status.success(), "{copy}");
                let untouched = types(folder.path(), "nuncio").await;
                assert_eq!(untouched.status.code(), Some(78));
                let named = String::from_utf8_lossy(&untouched.stderr).into_owned();
                assert!(named.contains("WEBHOOK_SECRET"), "{named}");
                // Filled in, so that the commands below find the nuncio of this test.
                let env = format!("WEBHOOK_SECRET='{SECRET}'\nWEBHOOK_PORT={port}\nWEBHOOK_HOST=127.0.0.1\n");
                std::fs::write(folder.path().join(".env"), env).unwrap();
            }
            // Started by the harness in place of this.
            ["nuncio"] => {}
            ["nuncio", "send"] => {
                let sent = types(folder.path(), &block).await;
                let said = String::from_utf8_lossy(&sent.stdout).into_owned();
                assert!(sent.status.success(), "{said}");
                assert_eq!(said.matches("\"success\":true").count(), nuncio::samples::all().len());
                t.settle().await;
                for (channel, count) in
                    [("tickets", 3), ("machines", 2), ("assets", 2), ("alerts", 1), ("general", 4)]
                {
                    t.channel(channel).next_messages(count).await;
                }
            }
            ["secret='the", ..] => {
                if curl {
                    let script = block.replace("the WEBHOOK_SECRET of your .env", SECRET);
                    let script = script.replace("http://localhost:3000", &address);
                    let answer = types(folder.path(), &script).await;
                    let said = String::from_utf8_lossy(&answer.stdout).into_owned();
                    assert!(said.contains(r#""success":true"#), "{said}");
                    t.channel("tickets").next_message().await;
                }
            }
            ["nuncio", "discord-webhooks"] => {
                let url = format!("https://discord.com/api/webhooks/1200000000000000001/{}", "a".repeat(68));
                let stored = types(folder.path(), &format!("echo '{url}' | {block}")).await;
                let said = String::from_utf8_lossy(&stored.stdout).into_owned();
                assert!(stored.status.success() && said.starts_with("dst_"), "{said}");
            }
            ["nuncio", "verify"] => {
                std::fs::write(folder.path().join("body.json"), "{}").unwrap();
                let verdict = types(folder.path(), &format!("t=$(date +%s); {block}")).await;
                assert_eq!(verdict.status.code(), Some(1));
                let said = String::from_utf8_lossy(&[verdict.stdout, verdict.stderr].concat()).into_owned();
                assert!(said.contains("signature is malformed"), "{said}");
            }
            [map, ..] | [map] if map.starts_with("DISCORD_WEBHOOK_CHANNELS=") => {
                let env = format!("WEBHOOK_SECRET='{SECRET}'\n{block}\n");
                let config = Config::from_variables(&Variables::from_dotenv(&env)).unwrap();
                assert_eq!(config.routes.routes().len(), 4);
            }
            _ => panic!("nobody types this block: {block}"),
        }
        typed.push(first.to_owned());
    }
    assert_eq!(typed.len(), 11, "{typed:#?}");
    t.finish().await;
}

/// The lines that a page for operators has people type, in its order, without comments.
fn lines(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(page)).unwrap();
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).map(|line| line.split(" #").next().unwrap().trim().to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

// Control: with `nuncio deliveries --waiting` in troubleshooting.md, it is red.
#[tokio::test]
async fn every_line_of_the_pages_for_operators_can_be_typed() {
    let mut t = Harness::plain().await;
    let folder = TempDir::new().unwrap();
    let (address, curl) = (t.url(""), is_installed("curl").await);
    let port = address.rsplit(':').next().unwrap();
    let mut dotenv = format!("WEBHOOK_HOST=127.0.0.1\nWEBHOOK_PORT={port}\n");
    for name in [
        "DISCORD_TOKEN",
        "DISCORD_API_URL",
        "DISCORD_WEBHOOK_CHANNELS",
        "NUNCIO_DATABASE_URL",
        "NUNCIO_ENCRYPTION_KEY",
        "XTSYSTEMS_API_URL",
        "WEBHOOK_SECRET",
    ] {
        dotenv.push_str(&format!("{name}='{}'\n", t.variable(name)));
    }
    std::fs::write(folder.path().join(".env"), dotenv).unwrap();
    for parents in [".local/share/bash-completion/completions", ".local/share/man/man1"] {
        std::fs::create_dir_all(folder.path().join(parents)).unwrap();
    }
    let (mut typed, mut left) = (0, 0);
    for page in ["docs/running.md", "docs/troubleshooting.md", "docs/runbook.md", "docs/upgrading.md"] {
        for line in lines(page) {
            for path in line.split_whitespace().filter(|word| word.starts_with("deploy/")) {
                assert!(root().join(path).exists(), "{page}: there is no {path}");
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let expected: &[i32] = match words[..] {
                // What changes the machine, or needs an engine; the list of a release has a test of its own.
                ["sudo" | "docker" | ".ci/sbom", ..] => {
                    left += 1;
                    continue;
                }
                ["curl", ..] if !curl => continue,
                ["nuncio", "db", "restore", ..] => {
                    t.stop().await;
                    &[0]
                }
                // A problem that it finds in this set-up is no fault of the page.
                ["nuncio", "doctor"] => &[0, 1],
                ["nuncio" | "curl", ..] => &[0],
                _ => panic!("{page}: nobody types {line:?}"),
            };
            let line = line.replace("http://localhost:3000", &address);
            let done = types(folder.path(), &format!("HOME=$PWD; {line}")).await;
            let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
            assert!(expected.contains(&done.status.code().unwrap()), "{page}: {line}: {said}");
            typed += 1;
        }
    }
    assert!(typed >= 12 && left >= 10, "{typed} {left}");
    assert!(folder.path().join(".local/share/man/man1/nuncio.1").exists());
    // `nuncio doctor --send` posts into every channel of the map.
    t.boot().await;
    t.settle().await;
    for (name, _) in t.discord.channels() {
        let channel = t.channel(&name);
        channel.next_messages(channel.unread().len()).await;
    }
    t.finish().await;
}

/// Every page for people, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.chain(
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "fuzz/README.md", ".github/SECURITY.md"]
            .map(|page| root().join(page)),
    );
    let pages = pages.filter(|page| page.extension().is_some_and(|end| end == "md"));
    pages.map(|page| (page.clone(), std::fs::read_to_string(page).unwrap())).collect()
}
