//! No two files of a room lead to each other, by whatever way: what both need is in a third.
//!
//! An arrow leads from a file to each file of the same room whose items it names, through re-exports to where they are
//! defined. What a file takes from the files above it (`lane/waiting.rs` from `lane.rs`) does not count: those are one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The path of a module without `crate`: `["dispatch", "lane"]`.
type Module = Vec<String>;

const EXPORTS: &[&str] = &["pub use ", "pub(crate) use ", "pub(super) use "];

/// The files of the program as modules, each with its text.
#[derive(Default)]
struct House {
    files: BTreeMap<Module, String>,
}

impl House {
    fn of_the_product() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut house = Self::default();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let within = path.strip_prefix(&root).unwrap().with_extension("");
                    let text = std::fs::read_to_string(&path).unwrap();
                    house.add(&within.to_str().unwrap().replace('/', "::"), &text);
                }
            }
        }
        house
    }

    fn add(&mut self, module: &str, text: &str) {
        let code: Vec<&str> = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default()
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default())
            .collect();
        self.files.insert(module.split("::").map(str::to_owned).collect(), code.join("\n"));
    }

    /// The file in which the item at `path` is defined.
    fn file_of(&self, path: &[String]) -> Option<Module> {
        let mut length = path.len();
        while !self.files.contains_key(&path[..length]) {
            length = length.checked_sub(1).filter(|length| *length > 0)?;
        }
        let (file, item) = (path[..length].to_vec(), path.get(length));
        let reexported = item.and_then(|item| {
            let paths = statements(&self.files[&file], EXPORTS).into_iter().map(|path| absolute(&file, path));
            paths.flatten().find(|path| path.last() == Some(item) && path[..] != path_of(&file, item)[..])
        });
        match reexported {
            Some(path) => self.file_of(&path),
            None => Some(file),
        }
    }

    /// The files that `file` takes something from, in its own room and not above it, each with a path that leads there.
    fn arrows(&self, file: &Module) -> BTreeMap<Module, Module> {
        let text = &self.files[file];
        // What is only handed on is not used here.
        let handed_on = statements(text, EXPORTS);
        let mut paths = statements(text, &["use "]);
        paths.retain(|path| !handed_on.contains(path) || text.matches(last_of(path)).count() > 1);
        // A file names what is in its own modules without `use`; where it says that it hands it on, it does not use it.
        let code: Vec<&str> =
            text.split(';').filter(|code| !EXPORTS.iter().any(|word| code.contains(word))).collect();
        let children =
            self.files.keys().filter(|other| other.len() == file.len() + 1 && other.starts_with(file));
        for child in children.map(|child| &child[file.len()]) {
            paths.extend(code.iter().any(|code| code.contains(&format!("{child}::"))).then(|| child.clone()));
        }
        for (at, _) in text.match_indices("crate::").chain(text.match_indices("super::")) {
            let end = text[at..].find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            let path = &text[at..at + end.unwrap_or(text.len() - at)];
            // With braces behind it, it is a statement's.
            paths.extend((!path.ends_with("::")).then(|| path.to_owned()));
        }
        paths
            .into_iter()
            .filter_map(|path| absolute(file, path))
            .filter_map(|path| Some((self.file_of(&path)?, path)))
            .filter(|(other, _)| other[0] == file[0] && !file.starts_with(other))
            .collect()
    }

    /// All files that lead to each other, room by room.
    fn circles(&self) -> Vec<BTreeSet<Module>> {
        let arrows: BTreeMap<&Module, BTreeMap<Module, Module>> =
            self.files.keys().map(|file| (file, self.arrows(file))).collect();
        let reached = |from: &Module| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![from.clone()]);
            while let Some(file) = next.pop() {
                for other in arrows[&file].keys() {
                    if seen.insert(other.clone()) {
                        next.push(other.clone());
                    }
                }
            }
            seen
        };
        let reach: BTreeMap<&Module, BTreeSet<Module>> =
            self.files.keys().map(|file| (file, reached(file))).collect();
        let circle = |file: &Module| {
            reach[file].iter().filter(|other| reach[other].contains(file)).cloned().collect::<BTreeSet<_>>()
        };
        let circles: BTreeSet<_> = self.files.keys().map(circle).filter(|circle| circle.len() > 1).collect();
        circles.into_iter().collect()
    }
}

fn last_of(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

fn path_of(file: &Module, item: &str) -> Module {
    file.iter().cloned().chain([item.to_owned()]).collect()
}

/// What the statements that begin with one of `words` name, one path for each item.
fn statements(text: &str, words: &[&str]) -> Vec<String> {
    let mut paths = Vec::new();
    for word in words {
        for (at, _) in text.match_indices(word) {
            let begins = text[..at].chars().next_back().is_none_or(char::is_whitespace);
            let tree = text[at + word.len()..].split(';').next().unwrap_or_default();
            if begins {
                expand("", &tree.split_whitespace().collect::<String>(), &mut paths);
            }
        }
    }
    paths
}

/// `a::{b, c::d}` → `a::b`, `a::c::d`.
fn expand(before: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((path, rest)) = tree.split_once('{') else {
        let path = format!("{before}{tree}");
        let path = path.strip_suffix("::self").unwrap_or(&path).to_owned();
        paths.push(path);
        return;
    };
    let (before, inner) = (format!("{before}{path}"), rest.strip_suffix('}').unwrap_or(rest));
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if start < at {
                    expand(&before, &inner[start..at], paths);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// A path as it is named in `file`, from the root of the crate; `None` for other crates.
fn absolute(file: &Module, path: String) -> Option<Module> {
    let mut parts: Vec<String> = path.split("::").map(str::to_owned).collect();
    let mut module = match parts.remove(0).as_str() {
        "crate" => Vec::new(),
        "super" => file[..file.len() - 1].to_vec(),
        "self" => file.clone(),
        child => path_of(file, child),
    };
    while parts.first().is_some_and(|part| part == "super") {
        parts.remove(0);
        module.pop();
    }
    // `use x as y`: blanks are gone by now.
    module.extend(parts);
    Some(module)
}

#[test]
fn no_files_of_a_room_lead_to_each_other() {
    let house = House::of_the_product();
    let mut ties = String::new();
    for circle in house.circles() {
        for file in &circle {
            for (other, path) in house.arrows(file).into_iter().filter(|(other, _)| circle.contains(other)) {
                let (file, other) = (file.join("/"), other.join("/"));
                ties.push_str(&format!("src/{file}.rs takes {} from src/{other}.rs\n", path.join("::")));
            }
        }
        ties.push('\n');
    }
    assert!(
        ties.is_empty(),
        "these files lead to each other: put what ties them into a file of its own\n\n{ties}"
    );
}

// The control of the test above: a circle that was planted is found, through a module's re-export as well, and what only
// looks like one is not.
#[test]
fn a_planted_circle_is_found() {
    let mut house = House::default();
    house.add("room", "mod one;\nmod two;\npub use two::Two;\npub struct Shared;");
    house.add("room::one", "use crate::room::{Shared, Two};\npub struct One;");
    house.add(
        "room::two",
        "use std::fmt;\n// use crate::room::one::One;\nuse super::Shared;\npub struct Two;",
    );
    house.add("room::two::part", "use crate::room::two::Two;");
    house.add("other", "use crate::room::one::One;");
    assert!(house.circles().is_empty(), "{:?}", house.circles());
    house.add("room::two::part", "fn f() -> crate::room::one::One { todo!() }");
    assert!(house.circles().is_empty());
    house.add("room::two", "use crate::room::two::part::f;\npub struct Two;");
    let file = |path: &str| path.split("::").map(str::to_owned).collect::<Module>();
    assert_eq!(
        house.circles(),
        [BTreeSet::from([file("room::one"), file("room::two"), file("room::two::part")])]
    );
}
