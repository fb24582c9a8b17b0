//! A type's name means one thing: no two rooms define types of the same name. The sandbox is left out: it is a model of
//! Discord with words of its own, and will be a crate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Every Rust programmer reads these with their module's name.
const IDIOMS: [&str; 4] = ["Error", "Inner", "Result", "State"];
const KEYWORDS: [&str; 4] = ["struct ", "enum ", "trait ", "type "];

/// Name, and the rooms that define a type of this name.
#[derive(Default)]
struct Names(BTreeMap<String, BTreeSet<String>>);

impl Names {
    fn add(&mut self, room: &str, text: &str) {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for line in code.lines() {
            // Associated types belong to their trait: only what stands at the margin defines a name.
            let line = line.strip_prefix("pub ").unwrap_or(line);
            let line = line
                .strip_prefix("pub(")
                .and_then(|line| line.split_once(") "))
                .map_or(line, |(_, rest)| rest);
            let Some(rest) = KEYWORDS.iter().find_map(|keyword| line.strip_prefix(keyword)) else { continue };
            let name = rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap();
            self.0.entry(name.to_owned()).or_default().insert(room.to_owned());
        }
    }

    fn in_two_rooms(&self) -> Vec<String> {
        let several =
            self.0.iter().filter(|(name, rooms)| rooms.len() > 1 && !IDIOMS.contains(&name.as_str()));
        several.map(|(name, rooms)| format!("{name} in {rooms:?}")).collect()
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn each_types_name_is_unique() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut names = Names::default();
    for path in sources(&root) {
        let within = path.strip_prefix(&root).unwrap().with_extension("");
        let room = within.iter().next().unwrap().to_str().unwrap();
        if room != "sandbox" && path.extension().is_some_and(|extension| extension == "rs") {
            names.add(room, &std::fs::read_to_string(&path).unwrap());
        }
    }
    assert!(names.0.len() > 400, "{}", names.0.len());
    assert_eq!(names.in_two_rooms(), Vec::<String>::new());
}

#[test]
fn a_planted_name_is_found() {
    let mut names = Names::default();
    names.add(
        "store",
        "pub(super) struct Page<T>(T);\nenum Error {}\n#[cfg(test)]\nmod tests {\nstruct Case;\n}",
    );
    names.add("store", "struct Page;");
    names.add("bot", "    type Page = u8;\npub enum Error {}\nstruct Pages;\nstruct Case;");
    assert_eq!(names.in_two_rooms(), Vec::<String>::new());
    names.add("bot", "pub(in crate::bot) type Page = u8;");
    assert_eq!(names.in_two_rooms(), [r#"Page in {"bot", "store"}"#]);
}
