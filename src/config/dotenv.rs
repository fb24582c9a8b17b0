//! Reads a `.env` file: with dotenvy, but so that JSON survives unquoted and no value ever reaches a message.
//!
//! dotenvy takes the inner quotes off an unquoted value and puts variables in place of `$NAME`; an unquoted value that
//! begins like JSON is therefore found whole and quoted before dotenvy sees it. dotenvy's errors quote the line they
//! are about, secrets included: they are dropped, and the line is counted here.

use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

use serde::de::IgnoredAny;

use crate::config::report::{Problem, Wrong};
use crate::config::variable;

/// One variable of the file.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Dotenv {
    pub(super) entries: Vec<Entry>,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<String>,
}

/// Reads the text of a file.
pub(super) fn read(text: &str) -> Dotenv {
    let mut found = Dotenv::default();
    let lines = requoted(text.strip_prefix('\u{feff}').unwrap_or(text), &mut found.problems);
    let taken = Rc::new(Cell::new(0));
    let mut items = dotenvy::from_read_iter(OneByOne {
        lines: lines.clone().into_iter(),
        current: Vec::new(),
        taken: Rc::clone(&taken),
    });
    loop {
        let before = taken.get();
        let Some(item) = items.next() else { break };
        let upto = taken.get();
        let start = (before..upto).find(|at| !is_empty(&lines[*at])).unwrap_or(before);
        match item {
            Ok((name, value)) => {
                if has_expansion(&lines[start..upto].join("\n")) {
                    found.notes.push(format!(
                        "{name} (.env line {}): a $ in it was taken for a variable and replaced; put the value in single quotes to keep it as it is",
                        start + 1
                    ));
                }
                found.entries.push(Entry { name, value, line: start + 1 });
            }
            Err(_) => found.refuse(&lines[start], start + 1, upto - start),
        }
    }
    found
}

impl Dotenv {
    /// Records that dotenvy could not read the `count` lines from `line` on: a problem if a variable of ours may be in
    /// them, else a note.
    fn refuse(&mut self, text: &str, line: usize, count: usize) {
        let name = assignment(text).map(|(name, _)| name);
        let fix = "Put the value in single quotes: spaces, # and \\ need them.";
        if count > 1 {
            self.problems.push(problem(
                name,
                line,
                "opens a quote that is never closed",
                "Close it, or put the whole value in the other kind of quotes.",
            ));
        } else if name.is_none_or(variable::is_known) {
            self.problems.push(problem(name, line, "cannot be read", fix));
        } else if let Some(name) = name {
            self.notes.push(format!("{name} (.env line {line}) cannot be read and was left out"));
        }
    }
}

fn problem(name: Option<&str>, line: usize, what: &str, fix: &str) -> Problem {
    Problem {
        variable: name.unwrap_or(".env").to_owned(),
        place: if name.is_some() { format!(".env line {line}") } else { format!("line {line}") },
        wrong: Wrong::new(what, fix),
    }
}

/// The lines of `text`, each unquoted JSON value in quotes and on one line (followed by empty ones, so that lines keep
/// their numbers).
fn requoted(text: &str, problems: &mut Vec<Problem>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let line = rest.split_inclusive('\n').next().unwrap_or(rest);
        let number = lines.len() + 1;
        let json = assignment(line).filter(|(_, at)| line[*at..].starts_with(['{', '[']));
        let mut taken = line.len();
        match json.map(|(name, at)| (name, at, json_length(&rest[at..]))) {
            Some((_, at, Ok(length))) => {
                let value = &rest[at..at + length];
                lines.push(format!("{}{}", &rest[..at], quoted(value)));
                lines.extend(value.matches('\n').map(|_| String::new()));
                taken = rest[at + length..].find('\n').map_or(rest.len(), |end| at + length + end + 1);
            }
            Some((name, _, Err(what))) if variable::is_json(name) => {
                problems.push(problem(Some(name), number, &what, "Check its brackets and quotes."));
                lines.push(String::new());
            }
            // A secret may begin with a brace.
            Some((_, _, Err(_))) | None => lines.push(line.trim_end_matches(['\n', '\r']).to_owned()),
        }
        rest = &rest[taken..];
    }
    lines
}

/// The length of the JSON value that `text` begins with. After it, its last line may hold a comment and nothing else.
fn json_length(text: &str) -> Result<usize, String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => {}
        // Syntax errors of serde_json name what was expected and where, never what was found.
        Some(Err(error)) => {
            return Err(format!("begins like JSON but is not ({error}, counted from its start)"));
        }
        None => return Err("is empty".to_owned()),
    }
    let length = values.byte_offset();
    let after = text[length..].lines().next().unwrap_or_default().trim_start();
    if after.is_empty() || after.starts_with('#') {
        Ok(length)
    } else {
        Err("has something after its JSON".to_owned())
    }
}

/// In double quotes, so that dotenvy gives back exactly `json` (line breaks become spaces: in valid JSON they never
/// stand inside a string).
fn quoted(json: &str) -> String {
    let mut quoted = String::from("\"");
    for char in json.chars() {
        match char {
            '\\' | '"' | '$' => quoted.extend(['\\', char]),
            '\n' | '\r' => quoted.push(' '),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// The name that a line assigns to, and where its value begins.
fn assignment(line: &str) -> Option<(&str, usize)> {
    let text = line.trim_start();
    let text = text.strip_prefix("export ").map_or(text, str::trim_start);
    let end = text.find(|char: char| !char.is_ascii_alphanumeric() && char != '_' && char != '.')?;
    let (name, rest) = text.split_at(end);
    let value = rest.trim_start_matches([' ', '\t']).strip_prefix('=')?.trim_start_matches([' ', '\t']);
    (!name.is_empty()).then(|| (name, line.len() - value.len()))
}

fn is_empty(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// Whether dotenvy replaced a `$` in the value: one that is neither escaped nor in single quotes.
fn has_expansion(line: &str) -> bool {
    let Some((_, at)) = assignment(line) else { return false };
    let mut quote = None;
    let mut chars = line[at..].chars();
    while let Some(char) = chars.next() {
        match (quote, char) {
            (Some('\''), '\'') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => {
                chars.next();
            }
            (_, '$') => return true,
            (Some(open), _) if char == open => quote = None,
            (None, '\'' | '"') => quote = Some(char),
            (None, _) if char.is_whitespace() => return false,
            _ => {}
        }
    }
    false
}

/// Gives its reader one line at a time and counts them, so that it is known which line an item came from.
struct OneByOne {
    lines: std::vec::IntoIter<String>,
    current: Vec<u8>,
    taken: Rc<Cell<usize>>,
}

impl Read for OneByOne {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.current.is_empty() {
            let Some(line) = self.lines.next() else { return Ok(0) };
            self.current = line.into_bytes();
            self.current.push(b'\n');
            self.taken.set(self.taken.get() + 1);
        }
        let length = buffer.len().min(self.current.len());
        buffer[..length].copy_from_slice(&self.current[..length]);
        self.current.drain(..length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        let found = read(text);
        assert_eq!(found.problems, []);
        found.entries.first().expect("one variable").value.clone()
    }

    #[rstest::rstest]
    #[case::unquoted(
        r#"M={"ticket.created":["123"],"default":["9"]}"#,
        r#"{"ticket.created":["123"],"default":["9"]}"#
    )]
    #[case::single_quoted(r#"M='{"default":["9"]}'"#, r#"{"default":["9"]}"#)]
    #[case::exported("export M = [\"1\"]  # why", r#"["1"]"#)]
    #[case::dollar_and_quotes(r#"M={"a b":"$HOME 'x' \"y\" \\ #"}"#, r#"{"a b":"$HOME 'x' \"y\" \\ #"}"#)]
    #[case::several_lines("M={\r\n \"a\": [\r\n \"1\"]\r\n}\r\nN=1", "{   \"a\": [   \"1\"]  }")]
    #[case::no_line_end("M={} ", "{}")]
    #[case::marked("\u{feff}M=1", "1")]
    #[case::not_json_but_may_begin_so("M={abc}", "{abc}")]
    #[case::comment("M=abc # it's a comment", "abc")]
    fn values_survive(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(value(text), expected);
    }

    #[test]
    fn lines_are_counted_over_comments_and_json_of_several_lines() {
        let found = read("# one\n\nPING={\n}\nA=1\nB='x\ny'\nWEBHOOK_SECRET=a b\nC=2\n");
        let lines: Vec<_> = found.entries.iter().map(|entry| (entry.name.as_str(), entry.line)).collect();
        assert_eq!(lines, [("PING", 3), ("A", 5), ("B", 6), ("C", 9)]);
        assert_eq!(found.problems[0].variable, "WEBHOOK_SECRET");
        assert_eq!(found.problems[0].place, ".env line 8");
    }

    #[test]
    fn what_cannot_be_read_is_named_but_not_shown() {
        let found = read(
            "WEBHOOK_SECRET=canary one\nPING={\"canary\":\nTITLE=my canary\n=canary\nDISCORD_TOKEN='canary\nX=1\n",
        );
        let text = format!("{:?} {:?}", found.problems, found.notes);
        assert!(!text.contains("canary"), "{text}");
        let named: Vec<_> = found.problems.iter().map(|problem| problem.variable.as_str()).collect();
        assert_eq!(named, ["PING", "WEBHOOK_SECRET", ".env", "DISCORD_TOKEN"]);
        assert_eq!(found.notes, ["TITLE (.env line 3) cannot be read and was left out"]);
    }

    #[rstest::rstest]
    #[case("S=ab$cd", true)]
    #[case("S=\"ab$cd\"", true)]
    #[case("S=ab$", true)]
    #[case("S='ab$cd'", false)]
    #[case("S=ab\\$cd", false)]
    #[case("S=ab # 5 $", false)]
    #[case("S={\"a\":\"$b\"}", false)]
    fn expansion_is_told(#[case] text: &str, #[case] told: bool) {
        assert_eq!(!read(text).notes.is_empty(), told, "{:?}", read(text).notes);
    }
}
