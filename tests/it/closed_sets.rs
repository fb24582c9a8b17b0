//! Closed sets: for a new source, family or sink the compiler names each place that must know it, because no match over
//! them has an arm for the rest. `.ci/closed-sets` adds a source and a family and lists those places.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

const SETS: [&str; 3] = ["Source", "Family", "Sink"];
/// The sets' own files, in which `Self::` is one of them.
const HOMES: [&str; 3] = ["src/model/source.rs", "src/model/family.rs", "src/model/sink.rs"];
/// Comments, strings and letters: they may hold braces.
static NOISE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r##"(?s)//[^\n]*|r#".*?"#|r"[^"]*"|"(?:\\.|[^"\\])*"|'(?:\\[^']*|[^'\\\n])'"##).unwrap()
});
static MATCH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bmatch\b[^{};]*\{").unwrap());
static REST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^&?(?:_|[a-z]\w*|Some\(_\)|Some\([a-z]\w*\))$").unwrap());
const PATCH: &str = include_str!("../fixtures/add_a_source_and_a_family.patch");

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Every file of the product, but for the sandbox, which knows none of the sets.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut folders) = (Vec::new(), vec![root.join("src")]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.retain(|(name, _)| !name.starts_with("src/sandbox"));
    files
}

/// The patterns of each `match` in `code`, one list per match.
fn matches(code: &str) -> Vec<Vec<String>> {
    let code = NOISE.replace_all(code, "\"\"").into_owned();
    MATCH.find_iter(&code).map(|found| patterns(&code[found.end()..])).collect()
}

/// The patterns of the arms in `body`, up to the brace that closes it.
fn patterns(body: &str) -> Vec<String> {
    let (mut found, mut pattern, mut depth, mut in_pattern) = (Vec::new(), String::new(), 0, true);
    let mut letters = body.chars().peekable();
    let mut is_block = false;
    while let Some(letter) = letters.next() {
        if depth == 0 && in_pattern && letter == '=' && letters.peek() == Some(&'>') {
            letters.next();
            found.push(std::mem::take(&mut pattern).trim().trim_start_matches(',').trim().to_owned());
            in_pattern = false;
            while letters.peek().is_some_and(|next| next.is_whitespace()) {
                letters.next();
            }
            is_block = letters.peek() == Some(&'{');
            continue;
        }
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth -= 1,
            '}' if depth == 0 => return found,
            '}' => {
                depth -= 1;
                in_pattern |= depth == 0 && is_block && !in_pattern;
                if in_pattern && depth == 0 && is_block {
                    is_block = false;
                    continue;
                }
            }
            ',' if depth == 0 => in_pattern = true,
            _ => {}
        }
        if in_pattern {
            pattern.push(letter);
        }
    }
    found
}

/// `text` at each `mark` that is in no bracket.
fn split(text: &str, mark: char) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ if letter == mark && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + mark.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// The parts of a pattern: those of a tuple, else itself; once for each alternative.
fn parts(pattern: &str) -> Vec<Vec<&str>> {
    let pattern = pattern.split(" if ").next().unwrap_or_default();
    let tuple = |one: &'_ str| one.starts_with('(') && one.ends_with(')');
    split(pattern, '|')
        .into_iter()
        .map(|one| if tuple(one) { split(&one[1..one.len() - 1], ',') } else { vec![one] })
        .collect()
}

/// What names a member of a closed set.
fn member(names: &[&str]) -> Regex {
    Regex::new(&format!(r"(?:^|[^\w:])(?:\w+::)*(?:{})::", names.join("|"))).unwrap()
}

/// The patterns in `code` that stand for the rest of a closed set, which `member` names.
fn rests(code: &str, member: &Regex) -> Vec<String> {
    let mut found = Vec::new();
    for arms in matches(code) {
        let arms: Vec<Vec<Vec<&str>>> = arms.iter().map(|arm| parts(arm)).collect();
        let alternatives = || arms.iter().flatten();
        for place in 0..alternatives().map(Vec::len).max().unwrap_or_default() {
            let at = |parts: &Vec<&str>| parts.get(place).copied().map(str::to_owned);
            if alternatives().filter_map(at).any(|part| member.is_match(&part)) {
                // A lone `_` stands for the whole tuple.
                let lone = alternatives().filter(|parts| place > 0 && parts.len() == 1);
                let lone = lone.filter_map(|parts| parts.first());
                let all = alternatives().filter_map(at).chain(lone.map(|part| (*part).to_owned()));
                found.extend(all.filter(|part| REST.is_match(part)));
            }
        }
    }
    found
}

#[test]
fn no_match_over_a_closed_set_has_an_arm_for_the_rest() {
    let (of_a_set, at_home) = (member(&SETS), member(&[SETS.as_slice(), &["Self"]].concat()));
    for (name, code) in sources() {
        let found = rests(&code, if HOMES.contains(&name.as_str()) { &at_home } else { &of_a_set });
        assert!(found.is_empty(), "{name}: {found:?} hides a source, family or sink that is added");
    }
}

// The control of the test above.
#[rstest::rstest]
#[case("match a { Sink::Channel(id) => f(id), Sink::XtSystems => { g() } }", 0)]
#[case("match a { Sink::Channel(id) => f(id), _ => { g() } }", 1)]
#[case("match a { Sink::Channel(id) => { f(id) } other => g(other) }", 1)]
#[case("match a { Some(Sink::Channel(_)) => 1, None | Some(_) => 2 }", 1)]
#[case("match (a, b) { (Source::Nuncio, \"}\") => 1, (Source::XtSystems, _) | (Source::Nuncio, _) => 2 }", 0)]
#[case("match (a, b) { (Source::Nuncio, '}') => 1, (_, 'x') => 2 }", 1)]
#[case("match (a, b) { (Family::Test, c) => 1, _ => 2 }", 1)]
#[case("match word { \"a\" => Family::Test, _ => Family::Other }", 0)]
#[case("match a { Family::Test => match b { _ => 1 }, Family::Other => 2 }", 0)]
fn a_planted_rest_is_found(#[case] code: &str, #[case] count: usize) {
    let found = rests(code, &member(&SETS));
    assert_eq!(found.len(), count, "{found:?}");
}

/// The patch that adds a source and a family still applies to the two files, so `.ci/closed-sets` works.
#[test]
fn the_patch_that_adds_a_source_and_a_family_applies() {
    let mut hunks = 0;
    for file in PATCH.split("diff --git ").skip(1) {
        let path = file.lines().find_map(|line| line.strip_prefix("+++ b/")).unwrap();
        let text = read(path);
        for hunk in file.split("\n@@ ").skip(1) {
            let lines = hunk.lines().skip(1);
            let before: Vec<&str> = lines
                .filter(|line| !line.starts_with('+'))
                .map(|line| line.get(1..).unwrap_or_default())
                .collect();
            assert!(text.contains(&before.join("\n")), "{path} no longer has:\n{}", before.join("\n"));
            hunks += 1;
        }
    }
    assert_eq!(hunks, 2);
}
