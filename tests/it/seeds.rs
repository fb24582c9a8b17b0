//! Holds `docs/coverage.md` against the code, and against the two documents that describe the systems nuncio replaces.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::Harness;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// One row of a table in `docs/coverage.md`: its cells without the outer bars.
type Row = Vec<String>;

/// The rows of the tables below `heading`, without their heads.
fn rows(heading: &str) -> Vec<Row> {
    let page = read("docs/coverage.md");
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).unwrap_or_default();
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    let is_body = |line: &&str| line.starts_with("| ") && !line.starts_with("| ---");
    let heads = ["| lines |", "| what |", "| entry |"];
    section
        .lines()
        .filter(is_body)
        .filter(|line| !heads.iter().any(|head| line.starts_with(head)))
        .map(cells)
        .collect()
}

fn lines_of(row: &Row) -> RangeInclusive<usize> {
    let (first, last) = row[0].split_once('–').unwrap_or((&row[0], &row[0]));
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("not a range of lines: {row:?}"));
    number(first)..=number(last)
}

/// The tests a cell names as `path::name`.
fn tests_in(cell: &str) -> Vec<(&str, &str)> {
    cell.split_whitespace()
        .filter_map(|word| word.trim_matches(['`', ',', ';']).split_once(".rs::"))
        .collect()
}

fn states() -> impl Iterator<Item = (String, String)> {
    let documents = ["The Node bot", "The TypeScript dispatcher"].into_iter().flat_map(rows);
    let chosen = rows("What was chosen for nuncio").into_iter().filter(|row| row.len() == 3);
    documents
        .map(|row| (row[2].clone(), row[3].clone()))
        .chain(chosen.map(|row| (row[1].clone(), row[2].clone())))
}

#[test]
fn every_test_that_is_named_exists() {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut named = 0;
    for (state, proof) in states() {
        assert!(["yes", "differs", "not yet", "no claim"].contains(&state.as_str()), "{state}: {proof}");
        assert!(!proof.is_empty(), "a state without a proof or a reason");
        let tests = tests_in(&proof);
        assert!(
            state != "yes" || !tests.is_empty() || proof.starts_with("README, "),
            "\"yes\" wants a test: {proof}"
        );
        for (path, name) in tests {
            let path = format!("{path}.rs");
            let text = files.entry(path.clone()).or_insert_with(|| read(&path));
            assert!(
                text.contains(&format!("fn {name}(")),
                "docs/coverage.md names a test that is not there: {path}::{name}"
            );
            named += 1;
        }
    }
    assert!(named > 60, "only {named} tests are named: were the tables read?");
}

/// The documents, where they are: in `NUNCIO_SEEDS`, else beside the repository.
fn document(marker: &str) -> Option<String> {
    let folder = std::env::var_os("NUNCIO_SEEDS").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| root().join("../shared/seeds"));
    let files = std::fs::read_dir(folder).ok()?.filter_map(|entry| std::fs::read(entry.ok()?.path()).ok());
    files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).find(|text| text.contains(marker))
}

fn uncovered(text: &str, rows: &[Row]) -> Vec<usize> {
    let covered: BTreeSet<usize> = rows.iter().flat_map(lines_of).collect();
    let says_something = |line: &str| !line.trim().is_empty();
    let lines = text.lines().enumerate().filter(|(_, line)| says_something(line)).map(|(index, _)| index + 1);
    lines.filter(|number| !covered.contains(number)).collect()
}

#[test]
fn no_line_of_the_two_documents_is_left_out() {
    for (heading, marker) in
        [("The Node bot", "integration-setup.js"), ("The TypeScript dispatcher", "webhook-dispatcher.ts")]
    {
        let rows = rows(heading);
        assert!(rows.len() > 30, "{heading}: the table was not read");
        // No line has two rows, and they stand in order.
        for pair in rows.windows(2) {
            assert!(lines_of(&pair[0]).end() < lines_of(&pair[1]).start(), "{pair:?}");
        }
        let Some(text) = document(marker) else {
            println!("{heading}: the document is not here; only the table itself was checked");
            continue;
        };
        assert_eq!(uncovered(&text, &rows), Vec::<usize>::new(), "{heading}: lines without a row");
        // Control: a row less, and its lines are missed.
        assert!(!uncovered(&text, &rows[1..]).is_empty());
        assert!(
            lines_of(rows.last().unwrap()).end() <= &text.lines().count(),
            "{heading}: the table is longer"
        );
    }
}

#[test]
fn the_roadmap_names_what_is_not_there_yet() {
    let readme = read("README.md");
    let roadmap = readme.split("## Roadmap").nth(1).unwrap().split("\n## ").next().unwrap().to_lowercase();
    for promise in ["filtering", "templates", "multi-server", "analytics"] {
        assert!(roadmap.contains(promise), "the README's roadmap does not name: {promise}");
    }
}

#[test]
fn the_packages_are_those_that_were_chosen() {
    let manifest = read("Cargo.toml");
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names: BTreeSet<&str> =
        dependencies.lines().filter_map(|line| Some(line.split_once('=')?.0.trim())).collect();
    for chosen in [
        "serenity",
        "poise",
        "axum",
        "tokio",
        "hmac",
        "sha2",
        "hex",
        "serde",
        "serde_json",
        "tracing",
        "dotenvy",
        "tower_governor",
    ] {
        assert!(names.contains(chosen), "{chosen} is not among the dependencies");
    }
}

#[test]
fn the_top_level_is_what_was_asked_for() {
    let asked =
        ["Cargo.toml", "Cargo.lock", "src", "migrations", ".env.example", "README.md", "LICENSE", "tests"];
    for entry in asked {
        assert!(root().join(entry).exists(), "{entry} is missing");
    }
    assert!(read("LICENSE").starts_with("MIT License"));
    let explained: String = rows("What was chosen for nuncio")
        .iter()
        .filter(|row| row.len() == 2)
        .map(|row| row[0].clone())
        .collect();
    let listed = Command::new("git").args(["ls-tree", "--name-only", "HEAD"]).current_dir(root()).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        println!("not a git checkout: what else stands at the top was not checked");
        return;
    };
    for entry in String::from_utf8(listed.stdout).unwrap().lines() {
        let is_explained = explained.contains(&format!("`{entry}`"));
        assert!(
            asked.contains(&entry) || is_explained,
            "docs/coverage.md does not say why {entry} is at the top"
        );
    }
}

#[tokio::test]
async fn the_legend_is_the_documented_one() {
    let t = Harness::with(|variables| {
        variables.insert("CARDS".to_owned(), "append".to_owned());
        variables.insert("COALESCE".to_owned(), "off".to_owned());
    })
    .await;
    // What each kind of news looks like, by the color its card has in Discord.
    for (sample, channel, color) in [
        ("ticket_closed.json", "tickets", 3_066_993),
        ("alert_triggered.json", "alerts", 15_158_332),
        ("ticket_updated.json", "tickets", 16_776_960),
        ("asset_created.json", "assets", 3_447_003),
        ("machine_registered.json", "machines", 15_105_570),
        ("ticket_created.json", "tickets", 65_535),
    ] {
        t.sends(sample).await;
        t.settle().await;
        let message = t.channel(channel).next_message().await;
        assert_eq!(message.0["embeds"][0]["color"], color, "{sample}");
    }
    t.finish().await;
}
