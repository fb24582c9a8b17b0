//! A `.env` parser compatible with the Node bot's library where that is safe: an unquoted value may contain spaces,
//! quotes and JSON, and a `$` is a literal `$`.
//!
//! This module finds where a value begins and ends and rewrites it in double quotes; `dotenvy` parses the quoted value,
//! escapes included. On its own, `dotenvy` would refuse an unquoted value with a space, strip the quotes of JSON, and
//! replace `$NAME` with values of the environment.
//!
//! It is stricter where a value would silently change: an unclosed quote, text after a closing quote, a
//! line that assigns nothing. An unquoted value ends at a `#` only after a space. No value ever enters a message.

use std::ops::Range;

use serde::de::IgnoredAny;

use crate::config::report::{ConfigProblem, InvalidValue};
use crate::config::variable;

/// One variable of the file.
#[derive(Clone, Debug)]
pub(super) struct DotenvEntry {
    pub(super) name: String,
    pub(super) value: String,
    /// Line number, from 1.
    pub(super) line: usize,
    /// Byte range of the value in the text, including its quotes.
    pub(super) span: Range<usize>,
}

/// The parsed file.
#[derive(Clone, Debug, Default)]
pub(super) struct Dotenv {
    pub(super) entries: Vec<DotenvEntry>,
    pub(super) problems: Vec<ConfigProblem>,
    pub(super) notes: Vec<String>,
}

/// Parses the text of a file.
pub(super) fn read(text: &str) -> Dotenv {
    let mut found = Dotenv::default();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut number = 1;
    while !rest.is_empty() {
        let line = rest.split_inclusive('\n').next().unwrap_or(rest);
        let place = (text.len() - rest.len(), number);
        let taken = if is_empty(line) { line.len() } else { found.take(rest, line, place) };
        number += rest[..taken].matches('\n').count();
        rest = &rest[taken..];
    }
    found
}

impl Dotenv {
    /// Parses the assignment in `line`, the first line of `rest`, which begins at byte `begin` of the text and in its
    /// line `number`. Returns how many bytes of `rest` it takes, as whole lines.
    fn take(&mut self, rest: &str, line: &str, (begin, number): (usize, usize)) -> usize {
        let Some((name, at)) = assignment(line) else {
            let fix = "A line is NAME=value, or a comment that begins with #. A value of several lines needs quotes around it.";
            self.problems.push(problem(None, number, "cannot be read", fix));
            return line.len();
        };
        match value(name, &rest[at..]) {
            Ok((value, length)) => {
                let after = &rest[at + length..];
                if variable::is_known(name) && is_cut_by_the_old_bot(&rest[at..at + length]) {
                    self.notes.push(format!(
                        "{name} (.env line {number}): the # belongs to the value (the old bot ended the value there). \
                         Single quotes around the value make this clear"
                    ));
                }
                let value_length = rest[at..at + length].trim_end().len();
                let span = begin + at..begin + at + value_length;
                self.entries.push(DotenvEntry { name: name.to_owned(), value, line: number, span });
                at + length + after.find('\n').map_or(after.len(), |end| end + 1)
            }
            Err(wrong) => {
                if variable::is_known(name) {
                    self.problems.push(problem(Some(name), number, &wrong.what, &wrong.fix));
                } else {
                    self.notes.push(format!("{name} (.env line {number}) cannot be read and was left out"));
                }
                line.len()
            }
        }
    }
}

fn problem(name: Option<&str>, line: usize, what: &str, fix: &str) -> ConfigProblem {
    ConfigProblem {
        variable: name.unwrap_or(".env").to_owned(),
        place: if name.is_some() { format!(".env line {line}") } else { format!("line {line}") },
        wrong: InvalidValue::new(what, fix),
    }
}

/// The value of `name` at the start of `text`, and its length in `text`, up to a comment or the line's end.
fn value(name: &str, text: &str) -> Result<(String, usize), InvalidValue> {
    let line = text.split('\n').next().unwrap_or_default();
    match text.chars().next() {
        Some(quote @ ('\'' | '"' | '`')) => {
            let length = quoted(&text[1..], quote).ok_or_else(|| {
                InvalidValue::new(
                    "opens a quote that is never closed",
                    "Close it, or put the whole value in the other kind of quotes.",
                )
            })?;
            // Each of the two quotes is one byte.
            ends_after(&text[length + 2..], "its closing quote")?;
            Ok((unquoted_by_dotenvy(&text[1..=length], quote == '"')?, length + 2))
        }
        Some('{' | '[') => match json_length(text) {
            Ok(length) => Ok((unquoted_by_dotenvy(&text[..length], false)?, length)),
            Err(what) if variable::is_json(name) => {
                Err(InvalidValue::new(what, "Check its brackets and quotes."))
            }
            // A secret may begin with a brace.
            Err(_) => unquoted(line),
        },
        _ => unquoted(line),
    }
}

/// Parses a value with `dotenvy`. Only values in double quotes have escapes, and only those that the Node bot's
/// library knew.
fn unquoted_by_dotenvy(raw: &str, has_escapes: bool) -> Result<String, InvalidValue> {
    let mut line = String::with_capacity(raw.len() + 4);
    line.push_str("V=\"");
    let mut chars = raw.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' if has_escapes => match chars.next() {
                Some(known @ ('n' | '"' | '\\' | '$')) => line.extend(['\\', known]),
                // The escape that dotenvy does not know.
                Some('r') => line.push('\r'),
                other => line.extend(['\\', '\\'].into_iter().chain(other)),
            },
            '\\' | '"' | '$' => line.extend(['\\', char]),
            _ => line.push(char),
        }
    }
    line.push('"');
    // Its errors contain the value: they are dropped.
    let read = dotenvy::from_read_iter(line.as_bytes()).next().and_then(Result::ok);
    read.map(|(_, value)| value)
        .ok_or_else(|| InvalidValue::new("cannot be read", "Put the whole value in single quotes."))
}

/// An unquoted value: up to a comment, without trailing blanks.
fn unquoted(line: &str) -> Result<(String, usize), InvalidValue> {
    let bytes = line.as_bytes();
    let is_comment = |at: &usize| bytes[*at] == b'#' && (*at == 0 || bytes[*at - 1].is_ascii_whitespace());
    let length = (0..bytes.len()).find(is_comment).unwrap_or(bytes.len());
    Ok((unquoted_by_dotenvy(line[..length].trim(), false)?, length))
}

/// The length of the text before the closing `quote`. A backslash escapes a quote only within double quotes.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            _ if char == quote => return Some(at),
            '\\' if quote == '"' => drop(chars.next()?),
            _ => {}
        }
    }
    None
}

/// Checks that a value in quotes or JSON is followed on its line by a comment or nothing.
fn ends_after(text: &str, what: &str) -> Result<(), InvalidValue> {
    let after = text.lines().next().unwrap_or_default().trim_start();
    if after.is_empty() || after.starts_with('#') {
        return Ok(());
    }
    Err(InvalidValue::new(
        format!("has something after {what}"),
        "Remove it, or put the whole value in the other kind of quotes.",
    ))
}

/// Whether the Node bot's library would have cut an unquoted value at a `#` that belongs to it here.
fn is_cut_by_the_old_bot(value: &str) -> bool {
    !value.starts_with(['\'', '"', '`', '{', '[']) && value.contains('#')
}

/// The length of the JSON value at the start of `text`.
fn json_length(text: &str) -> Result<usize, String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => {}
        // Syntax errors of serde_json name what was expected and where, never the content.
        Some(Err(error)) => {
            return Err(format!("begins like JSON but is not ({error}, counted from its start)"));
        }
        None => return Err("is empty".to_owned()),
    }
    let length = values.byte_offset();
    ends_after(&text[length..], "its JSON").map(|()| length).map_err(|wrong| wrong.what)
}

/// The name that a line assigns to, and where its value begins.
fn assignment(line: &str) -> Option<(&str, usize)> {
    let text = line.trim_start();
    let text = text.strip_prefix("export ").map_or(text, str::trim_start);
    let is_part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-');
    let (name, rest) = text.split_at(text.find(|char| !is_part(char))?);
    // The old bot's library accepted `NAME: value` as well.
    let value = match rest.strip_prefix(": ") {
        Some(value) => value,
        None => rest.trim_start_matches([' ', '\t']).strip_prefix('=')?,
    };
    let value = value.trim_start_matches([' ', '\t']);
    (!name.is_empty()).then(|| (name, line.len() - value.len()))
}

fn is_empty(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        let found = read(text);
        assert_eq!(found.problems, []);
        found.entries.first().expect("one variable").value.clone()
    }

    // Item 28. The Node bot's library (dotenv 16) reads the cases marked `node` with the same result.
    #[rstest::rstest]
    #[case::unquoted_json_node(
        r#"M={"ticket.created":["123"],"default":["9"]}"#,
        r#"{"ticket.created":["123"],"default":["9"]}"#
    )]
    #[case::single_quoted_node(r#"M='{"default":["9"]}'"#, r#"{"default":["9"]}"#)]
    #[case::exported_node("export M = [\"1\"]  # why", r#"["1"]"#)]
    #[case::dollar_and_quotes(r#"M={"a b":"$HOME 'x' \"y\" \\ #"}"#, r#"{"a b":"$HOME 'x' \"y\" \\ #"}"#)]
    #[case::several_lines("M={\r\n \"a\": [\r\n \"1\"]\r\n}\r\nN=1", "{\r\n \"a\": [\r\n \"1\"]\r\n}")]
    #[case::no_line_end("M={} ", "{}")]
    #[case::marked("\u{feff}M=1", "1")]
    #[case::not_json_but_may_begin_so_node("M={abc}", "{abc}")]
    #[case::comment_node("M=abc # it's a comment", "abc")]
    #[case::spaces_node("M=a b  c \t\r\n", "a b  c")]
    #[case::quotes_inside_node("M=it's \"so\"", "it's \"so\"")]
    #[case::no_expansion_node("M=ab$HOME$", "ab$HOME$")]
    #[case::nor_in_double_quotes_node("M=\"ab${HOME}\"", "ab${HOME}")]
    #[case::backslash_node(r"M=C:\dir\$x", r"C:\dir\$x")]
    #[case::line_break_node(r#"M="a\nb\d""#, "a\nb\\d")]
    #[case::backticks_node("M=`a \"b\" 'c'` # d", "a \"b\" 'c'")]
    #[case::colon_node("M: abc", "abc")]
    #[case::empty_node("M= # nothing", "")]
    #[case::several_lines_in_quotes_node("M='a\n# b\nN=c'\n", "a\n# b\nN=c")]
    #[case::sharp_inside("M=a#b", "a#b")]
    #[case::escaped(r#"M="a\"b\\\$""#, r#"a"b\$"#)]
    #[case::unknown_escapes(r#"M="a\ \'b\r""#, "a\\ \\'b\r")]
    #[case::ends_with_a_backslash(r"M='a\'", r"a\")]
    fn values_survive(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(value(text), expected);
    }

    #[test]
    fn lines_are_counted_over_comments_and_values_of_several_lines() {
        let found = read("# one\n\nPING={\n}\nA=1\nB='x\ny'\nWEBHOOK_SECRET='a' b\nC=2\n");
        let lines: Vec<_> = found.entries.iter().map(|entry| (entry.name.as_str(), entry.line)).collect();
        assert_eq!(lines, [("PING", 3), ("A", 5), ("B", 6), ("C", 9)]);
        assert_eq!(found.problems[0].variable, "WEBHOOK_SECRET");
        assert_eq!(found.problems[0].place, ".env line 8");
    }

    #[test]
    fn what_cannot_be_read_is_named_but_not_shown() {
        let found = read(
            "WEBHOOK_SECRET=\"canary\" one\nPING={\"canary\":\nTITLE='my canary\n=canary\ncanary\nDISCORD_TOKEN='canary\nX=1\n",
        );
        let text = format!("{:?} {:?}", found.problems, found.notes);
        assert!(!text.contains("canary"), "{text}");
        let named: Vec<_> = found.problems.iter().map(|problem| problem.variable.as_str()).collect();
        assert_eq!(named, ["WEBHOOK_SECRET", "PING", ".env", ".env", "DISCORD_TOKEN"]);
        assert_eq!(found.notes, ["TITLE (.env line 3) cannot be read and was left out"]);
        assert_eq!(found.entries[0].name, "X");
    }

    #[rstest::rstest]
    #[case("WEBHOOK_SECRET=ab#cd", 1)]
    #[case("WEBHOOK_SECRET='ab#cd'", 0)]
    #[case("WEBHOOK_SECRET=ab # cd", 0)]
    #[case("OTHER=ab#cd", 0)]
    fn a_sharp_that_the_old_bot_took_for_a_comment_is_noted(#[case] text: &str, #[case] notes: usize) {
        assert_eq!(read(text).notes.len(), notes, "{:?}", read(text).notes);
    }

    proptest::proptest! {
        // Control: without the backslash before `$`, `$A` cannot be read and `${HOME}` is this machine's.
        #[test]
        fn a_value_comes_through_dotenvy_as_it_is(text in "([\"'`{}#$\\\\ \r\n\tü=]|[a-z]{1,3}|\\$[A-Z]{1,4}|\\PC){0,30}") {
            proptest::prop_assert_eq!(unquoted_by_dotenvy(&text, false), Ok(text));
        }

        #[test]
        fn any_text_can_be_read(text in "([A-Z]{1,2}[=: ]{1,2}|[\"'`{}#$\\\\ \r\n\tü]|[a-z]{1,3}){0,30}") {
            let found = read(&text);
            for entry in found.entries {
                proptest::prop_assert!(entry.line >= 1 && entry.line <= text.lines().count().max(1));
            }
        }
    }
}
