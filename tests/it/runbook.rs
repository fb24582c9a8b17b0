//! `docs/runbook.md`: an entry for everything that nuncio reports to an operator.

use std::path::{Path, PathBuf};

use nuncio::hub::{Condition, ProblemCode};
use nuncio::samples;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The part of the page below the heading `## title`.
fn part(title: &str) -> String {
    let page = std::fs::read_to_string(root().join("docs/runbook.md")).unwrap();
    let rest = page.split(&format!("\n## {title}\n")).nth(1).unwrap();
    rest.split("\n## ").next().unwrap().to_owned()
}

fn headings(part: &str) -> Vec<&str> {
    part.lines().filter_map(|line| line.strip_prefix("### ")).collect()
}

// Control: with a code more in `codes!`, or a section less, it is red.
#[test]
fn every_problem_has_its_section_and_every_section_its_problem() {
    let codes = Condition::ALL.iter().map(|condition| condition.as_str());
    let codes: Vec<&str> = codes.chain(ProblemCode::ALL.iter().map(|code| code.as_str())).collect();
    let part = part("Problems in `/health`");
    assert_eq!(headings(&part), codes);
    for section in part.split("\n### ").skip(1) {
        let code = section.lines().next().unwrap();
        for word in ["**Means:**", "**nuncio did:**", "**Over when:**"] {
            assert!(section.contains(word), "{code} has no {word}");
        }
    }
}

#[test]
fn every_card_of_nuncios_own_has_its_section() {
    let kinds: Vec<&str> = samples::own().iter().map(|sample| sample.kind).collect();
    assert_eq!(headings(&part("Cards that nuncio posts")), kinds);
}

fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// The first text in quotes of `rest`, its lines joined.
fn first_text(rest: &str) -> String {
    let mut text = String::new();
    let mut letters = rest[rest.find('"').unwrap() + 1..].chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('\n') => {
                    let mut ahead = letters.clone();
                    while ahead.next().is_some_and(char::is_whitespace) {
                        letters.next();
                    }
                }
                Some(escaped) => text.push(escaped),
                None => break,
            },
            letter => text.push(letter),
        }
    }
    text
}

// Errors that only pass on a sentence of a problem (`"{sentence}"`) are in the first part of the page. Control: without the
// row of "a route could not be saved", that line is named.
#[test]
fn every_error_of_the_log_is_in_the_table() {
    let table = part("Lines in the log").replace('\n', " ");
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut found = 0;
    for (path, text) in files {
        // The demo and the sandbox are nobody's alarm.
        if path.ends_with("cli/demo.rs") || path.components().any(|part| part.as_os_str() == "sandbox") {
            continue;
        }
        for rest in text.split("tracing::error!(").skip(1) {
            let line = first_text(rest);
            let phrases =
                line.split(['{', '}']).step_by(2).flat_map(|piece| piece.split([':', ';', '.', ',', '(']));
            let phrases: Vec<&str> = phrases.map(str::trim).filter(|phrase| phrase.len() > 11).collect();
            if phrases.is_empty() {
                continue;
            }
            assert!(
                phrases.iter().any(|phrase| table.contains(phrase)),
                "{}: no row of docs/runbook.md is about {line:?}",
                path.display()
            );
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}
