//! An editor for variables in the text of a `.env` that preserves everything else: comments, order, unknown
//! lines, line endings.
//!
//! A variable that is present changes in the line that counts, its last one. A missing one goes below the comment that
//! shows it (`#NAME=example`), else to the end. The new text is parsed again before it is returned.

use std::ops::Range;

use crate::config::dotenv;
use crate::config::effective::showable;
use crate::config::variable;

/// Replacement text for a secret.
const HIDDEN: &str = "••••";
/// Characters that need no quotes in any parser of such files.
const PLAIN: &[u8] = b"_-./:@,+%~=";

/// An edited text.
#[derive(Clone)]
pub struct Edited {
    /// The whole text.
    pub text: String,
    /// The changed lines, in the order of the text, safe to show.
    pub changes: Vec<ChangedLine>,
}

/// One changed line. Secrets are masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedLine {
    /// The old line; `None` if the line is new.
    pub before: Option<String>,
    /// The new line.
    pub after: String,
}

/// A range of the text and its replacement.
struct LineChange<'a> {
    name: &'a str,
    at: Range<usize>,
    put: String,
    before: Option<String>,
}

/// Sets each of `values` in `text`; values that are set already stay as they are. `None` if the edited text does not
/// parse back to these values, which is a bug in nuncio.
#[must_use]
pub fn edit(text: &str, values: &[(&str, String)]) -> Option<Edited> {
    let found = dotenv::read(text);
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut changes = Vec::new();
    for (name, value) in values {
        let entry = found.entries.iter().rfind(|entry| entry.name == *name);
        if entry.is_some_and(|entry| entry.value == *value) {
            continue;
        }
        let put = quoted(value);
        changes.push(match entry {
            Some(entry) => {
                LineChange { name, at: entry.span.clone(), put, before: Some(shown(name, &entry.value)) }
            }
            None => match below_its_comment(text, name) {
                Some(at) => LineChange { name, at: at..at, put: format!("{name}={put}{end}"), before: None },
                None => LineChange {
                    name,
                    at: text.len()..text.len(),
                    put: format!("{name}={put}{end}"),
                    before: None,
                },
            },
        });
    }
    // The sort is stable: equal positions keep the order of `values`.
    changes.sort_by_key(|change| change.at.start);
    let mut edited = String::with_capacity(text.len());
    let mut taken = 0;
    for change in &changes {
        edited.push_str(text.get(taken..change.at.start)?);
        if change.before.is_none() && !edited.is_empty() && !edited.ends_with('\n') {
            edited.push_str(end);
        }
        edited.push_str(&change.put);
        taken = change.at.end;
    }
    edited.push_str(text.get(taken..)?);
    is_as_wanted(&found, &edited, values).then(|| {
        let line = |change: &LineChange<'_>| {
            let value = values.iter().find(|(name, _)| *name == change.name).map(|(_, value)| value.as_str());
            ChangedLine {
                before: change.before.clone(),
                after: shown(change.name, value.unwrap_or_default()),
            }
        };
        Edited { changes: changes.iter().map(line).collect(), text: edited }
    })
}

/// Whether the new text has the wanted values and leaves all others unchanged.
fn is_as_wanted(before: &dotenv::Dotenv, text: &str, values: &[(&str, String)]) -> bool {
    let now = dotenv::read(text);
    let last = |read: &dotenv::Dotenv, name: &str| {
        read.entries.iter().rfind(|entry| entry.name == name).map(|entry| entry.value.clone())
    };
    let is_wanted = |name: &str| values.iter().any(|(wanted, _)| *wanted == name);
    let others = before.entries.iter().filter(|entry| !is_wanted(&entry.name));
    before.problems.len() == now.problems.len()
        && values.iter().all(|(name, value)| last(&now, name).as_ref() == Some(value))
        && others.map(|entry| entry.name.as_str()).all(|name| last(&now, name) == last(before, name))
}

/// The start of the line after the last comment that shows the variable.
fn below_its_comment(text: &str, name: &str) -> Option<usize> {
    let mut at = 0;
    let mut below = None;
    let mut is_inside = false;
    for line in text.split_inclusive('\n') {
        let comment = line.trim_start_matches('\u{feff}').trim_start().strip_prefix('#').map(str::trim_start);
        at += line.len();
        is_inside = comment.is_some_and(|rest| {
            rest.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
        });
        if is_inside && line.ends_with('\n') {
            below = Some(at);
        }
    }
    // The last line of the text may lack a line ending.
    if is_inside { None } else { below }
}

/// Quotes a value for every parser of such files: bare where that is safe, else in single quotes, else in double
/// quotes.
fn quoted(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || PLAIN.contains(&byte);
    if value.bytes().all(is_plain) {
        return value.to_owned();
    }
    if !value.contains(['\'', '\r', '\n']) {
        return format!("'{value}'");
    }
    let escaped = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n").replace('\r', r"\r");
    format!("\"{}\"", escaped.replace('$', r"\$"))
}

/// A line that is safe to show.
fn shown(name: &str, value: &str) -> String {
    if value.is_empty() {
        format!("{name}=")
    } else if variable::is_secret(name) {
        format!("{name}={HIDDEN}")
    } else {
        format!("{name}={}", showable(value, false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, values: &[(&str, &str)]) -> Edited {
        let values: Vec<_> = values.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        edit(text, &values).expect("a text that is read as that")
    }

    #[rstest::rstest]
    #[case::new("", "WEBHOOK_PORT=3000\n")]
    #[case::there(
        "# why\nWEBHOOK_PORT=1 # so\nOTHER='x y'\n",
        "# why\nWEBHOOK_PORT=3000 # so\nOTHER='x y'\n"
    )]
    #[case::windows("A=1\r\nWEBHOOK_PORT=1\r\nB=2\r\n", "A=1\r\nWEBHOOK_PORT=3000\r\nB=2\r\n")]
    #[case::windows_new("\u{feff}A=1\r\n", "\u{feff}A=1\r\nWEBHOOK_PORT=3000\r\n")]
    #[case::no_line_end("A=1", "A=1\nWEBHOOK_PORT=3000\n")]
    #[case::quotes("export WEBHOOK_PORT = \"1\"", "export WEBHOOK_PORT = 3000")]
    #[case::the_last_counts("WEBHOOK_PORT=1\nWEBHOOK_PORT=2\n", "WEBHOOK_PORT=1\nWEBHOOK_PORT=3000\n")]
    #[case::commented("#WEBHOOK_PORT=1\n\nA=1\n", "#WEBHOOK_PORT=1\nWEBHOOK_PORT=3000\n\nA=1\n")]
    #[case::commented_at_the_end("A=1\n# WEBHOOK_PORT = 1", "A=1\n# WEBHOOK_PORT = 1\nWEBHOOK_PORT=3000\n")]
    #[case::another_name("#WEBHOOK_PORTS=1\nA=1\n", "#WEBHOOK_PORTS=1\nA=1\nWEBHOOK_PORT=3000\n")]
    #[case::unreadable("what is this\nWEBHOOK_PORT=\n", "what is this\nWEBHOOK_PORT=3000\n")]
    #[case::the_same("WEBHOOK_PORT='3000'", "WEBHOOK_PORT='3000'")]
    fn all_else_stays_as_it_is(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(edited(text, &[("WEBHOOK_PORT", "3000")]).text, expected);
    }

    #[test]
    fn values_of_several_lines_are_replaced_whole() {
        let text = "DISCORD_WEBHOOK_CHANNELS={\n \"a\": [\"1\"]\n} # map\nA=1\n";
        let map = r#"{"default":["2"]}"#;
        let expected = format!("DISCORD_WEBHOOK_CHANNELS='{map}' # map\nA=1\n");
        assert_eq!(edited(text, &[("DISCORD_WEBHOOK_CHANNELS", map)]).text, expected);
    }

    // A shell puts variables into double quotes. Control: without the escape of `$` this fails.
    #[test]
    fn a_dollar_stays_a_dollar_in_every_parser() {
        let value = "it's $HOME";
        assert_eq!(edited("", &[("LOG_DIR", value)]).text, "LOG_DIR=\"it's \\$HOME\"\n");
        assert_eq!(edited("", &[("LOG_DIR", "$HOME")]).text, "LOG_DIR='$HOME'\n");
    }

    // Control: without `is_secret` in `shown` this fails.
    #[test]
    fn no_secret_is_shown() {
        let text = "DISCORD_TOKEN=canary\nWEBHOOK_PORT=1\n";
        let edited = edited(
            text,
            &[("DISCORD_TOKEN", "canary2"), ("WEBHOOK_PORT", "2"), ("WEBHOOK_SECRET", "canary3")],
        );
        let lines = format!("{:?}", edited.changes);
        assert!(!lines.contains("canary"), "{lines}");
        assert_eq!(edited.changes[0].before.as_deref(), Some("DISCORD_TOKEN=••••"));
        assert_eq!((edited.changes[1].after.as_str(), edited.changes.len()), ("WEBHOOK_PORT=2", 3));
    }

    proptest::proptest! {
        // Controls: with single quotes around every value, whether it is read back or not, or with none around any, this fails.
        #[test]
        fn whatever_the_value_it_is_read_as_that(
            value in "([\"'`{}#$\\\\ \r\n\tü=]|[a-z]{1,3}|\\PC){0,20}",
            before in "([A-Z]{1,2}=[a-z]{0,2}\r?\n|#[a-z ]{0,3}\n|\n){0,5}",
        ) {
            let edited = edit(&before, &[("LOG_DIR", value.clone())]);
            let edited = edited.expect("a text that is read as that");
            proptest::prop_assert!(edited.text.len() >= before.len());
            let now = dotenv::read(&edited.text);
            let set = now.entries.iter().rfind(|entry| entry.name == "LOG_DIR").map(|entry| &entry.value);
            proptest::prop_assert_eq!(set, Some(&value));
        }
    }
}
