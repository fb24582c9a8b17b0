//! D-12: no token stands in this repository.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;

/// What tokens look like. Written so that none of these lines looks like one.
static PATTERNS: LazyLock<[(&str, Regex); 6]> = LazyLock::new(|| {
    [
        ("the address of a Discord webhook", r"/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,}"),
        ("the token of a Discord bot", r"[MNO][A-Za-z0-9_-]{22,28}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"),
        ("a token of GitHub", r"\b(ghp|gho|ghs|ghr|github_pat)_[A-Za-z0-9_]{30,}"),
        ("a token of Slack", r"\bxox[abpr]-[A-Za-z0-9-]{20,}"),
        ("a key of AWS", r"\bAKIA[0-9A-Z]{16}\b"),
        ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    ]
    .map(|(what, pattern)| (what, Regex::new(pattern).unwrap()))
});

fn tokens_in(text: &str) -> Vec<&'static str> {
    PATTERNS.iter().filter(|(_, pattern)| pattern.is_match(text)).map(|(what, _)| *what).collect()
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    let planted = [
        format!("https://discord.com/api/webhooks/1200000000000000001/{}", "aB3_-".repeat(14)),
        format!("MTIw{}.Gabcde.{}", "A".repeat(22), "b".repeat(38)),
        format!("ghp_{}", "a1".repeat(18)),
        format!("xoxb-{}", "1".repeat(24)),
        format!("AKIA{}", "A1".repeat(8)),
        format!("-----BEGIN {}PRIVATE KEY-----", "RSA "),
    ];
    for (text, (what, _)) in planted.iter().zip(PATTERNS.iter()) {
        assert_eq!(tokens_in(text), [*what], "{text}");
    }
    assert!(tokens_in("https://discord.com/api/webhooks/ID/TOKEN").is_empty());
}

#[test]
fn no_token_stands_in_a_tracked_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        println!("no git, or no repository: the tracked files were not scanned");
        return;
    };
    let names = String::from_utf8(listed.stdout).unwrap();
    let mut scanned = 0;
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        // One that is deleted and not committed yet is no longer there.
        let Ok(bytes) = std::fs::read(root.join(name)) else { continue };
        let found = tokens_in(&String::from_utf8_lossy(&bytes));
        assert!(found.is_empty(), "{name} holds {found:?}");
        scanned += 1;
    }
    assert!(scanned > 300, "{scanned} files");
}
