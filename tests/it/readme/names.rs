//! What the pages name: source files, commands and tests are there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{pages, root, types};

// Control: with a file renamed in the sources alone, the page that names it is red.
#[test]
fn every_file_of_the_sources_that_a_page_names_is_there() {
    let mut found = 0;
    for (page, text) in pages() {
        for named in text.split('`').skip(1).step_by(2).filter(|named| named.ends_with(".rs")) {
            if named.contains(['{', '*', ' ', '…']) || !named.contains('/') {
                continue;
            }
            let is_there =
                [root().join(named), root().join("src").join(named)].iter().any(|path| path.exists());
            assert!(is_there, "{}: there is no {named}", page.display());
            found += 1;
        }
    }
    assert!(found > 80, "{found}");
}

/// Every `nuncio …` that the pages tell people to type is a command with these options.
#[tokio::test]
async fn every_command_that_the_pages_name_is_there() {
    let mut commands = BTreeSet::new();
    for (page, text) in pages() {
        if page.ends_with("CHANGELOG.md") {
            continue;
        }
        let spans = text.split('`').skip(1).step_by(2).filter(|span| !span.contains('\n'));
        let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
        for line in spans.chain(blocks.flat_map(str::lines)) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let is_word = |word: &&&str| {
                word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && !word.starts_with('-')
            };
            if words.first() == Some(&"nuncio") && words.get(1) != Some(&"help") {
                let path: Vec<&str> = words[1..].iter().take_while(is_word).take(2).copied().collect();
                let options =
                    words.iter().take_while(|word| **word != "#").filter(|word| word.starts_with("--"));
                let options: Vec<&str> = options.map(|word| word.split('=').next().unwrap()).collect();
                commands.insert((path.join(" "), options.join(" ")));
            }
        }
    }
    assert!(commands.len() > 30, "{commands:#?}");
    for (path, options) in commands {
        let help = types(root(), &format!("nuncio {path} --help")).await;
        let said = String::from_utf8_lossy(&help.stdout).into_owned();
        assert!(
            help.status.success(),
            "there is no nuncio {path}: {}",
            String::from_utf8_lossy(&help.stderr)
        );
        for option in options.split_whitespace() {
            let option = option.trim_end_matches(|char: char| !char.is_ascii_alphanumeric());
            assert!(said.contains(option), "nuncio {path} has no {option}: {said}");
        }
    }
}

/// The text of every `.rs` file below `folder`.
fn sources(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| match path.extension() {
        _ if path.is_dir() => sources(&path),
        Some(end) if end == "rs" => std::fs::read_to_string(path).unwrap(),
        _ => String::new(),
    };
    entries.map(read).collect()
}

#[test]
fn every_test_that_the_page_about_trust_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/trust.md")).unwrap();
    let rows = page.split("## Cases that tests hold").nth(1).unwrap().split("\n## ").next().unwrap();
    let tests = sources(&root.join("tests")) + &sources(&root.join("src"));
    let mut found = 0;
    for row in rows.lines().filter(|row| row.starts_with("| ") && row.contains('`')) {
        for name in row.rsplit(" | ").next().unwrap().split('`').skip(1).step_by(2) {
            assert!(tests.contains(&format!("fn {name}(")), "no test is called {name}");
            found += 1;
        }
    }
    assert!(found > 30, "{found}");
}
