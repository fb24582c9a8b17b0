//! The variables of one process: the real environment over the `.env` of a directory. Code here never changes the
//! process's environment, so each test can use its own variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::dotenv;
use crate::config::placeholder::is_placeholder;
use crate::config::report::{ConfigProblem, InvalidValue};
use crate::config::variable::{self, DATABASE_URL, IGNORED, PLANNED};

/// Where a value was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The real environment.
    Environment,
    /// Our own `.env`, at this line.
    File(usize),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("in the environment"),
            Self::File(line) => write!(f, ".env line {line}"),
        }
    }
}

/// Every set variable, and the problems found while reading them. `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, (String, Origin)>,
    pub(super) problems: Vec<ConfigProblem>,
    pub(super) notes: Vec<String>,
    /// Whether there is a `.env`.
    pub(super) has_file: bool,
    /// The folder of `.env`, even if the file does not exist.
    pub(super) folder: PathBuf,
}

impl Variables {
    /// The environment of this process over `.env` in `dir`. Never fails: read errors are reported with the
    /// problems of the configuration.
    #[must_use]
    pub fn load(dir: &Path) -> Self {
        Self { folder: dir.to_owned(), ..Self::read(dir) }
    }

    /// The path of `.env`; `None` if there is none.
    #[must_use]
    pub fn dotenv(&self) -> Option<PathBuf> {
        self.has_file.then(|| self.folder.join(".env"))
    }

    fn read(dir: &Path) -> Self {
        let path = dir.join(".env");
        match std::fs::read(&path) {
            Ok(bytes) => {
                let mut variables = Self::new(std::env::vars_os(), Some(&bytes));
                if is_readable_by_others(&path) {
                    variables.notes.push(
                        ".env holds secrets, and other users of this machine may read it: chmod 600 .env"
                            .to_owned(),
                    );
                }
                variables
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Self::new(std::env::vars_os(), None),
            Err(error) => {
                let mut variables = Self::new(std::env::vars_os(), None);
                variables.has_file = true;
                variables.file_problem(
                    &format!("cannot be read ({})", error.kind()),
                    "Make it a file that this user may read.",
                );
                variables
            }
        }
    }

    /// Variables as if set in the environment, without a `.env`.
    #[must_use]
    pub fn from_map<K: Into<OsString>, V: Into<OsString>>(values: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::new(values.into_iter().map(|(name, value)| (name.into(), value.into())), None)
    }

    /// Variables as if `text` was the `.env` and the environment was empty.
    #[must_use]
    pub fn from_dotenv(text: &str) -> Self {
        Self::new(std::iter::empty(), Some(text.as_bytes()))
    }

    /// `environment` over the contents of a `.env`.
    #[must_use]
    pub fn new(environment: impl IntoIterator<Item = (OsString, OsString)>, dotenv: Option<&[u8]>) -> Self {
        let mut variables = Self { has_file: dotenv.is_some(), ..Self::default() };
        if let Some(bytes) = dotenv {
            variables.read_file(bytes);
        }
        for (name, value) in environment {
            // Many programs export DATABASE_URL: only the one in our own file is meant for us.
            let Some(name) = name.to_str().filter(|name| variable::is_known(name) && *name != DATABASE_URL)
            else {
                continue;
            };
            match value
                .into_string()
                .map_err(|_| InvalidValue::new("is not text in UTF-8", "Set it anew."))
                .and_then(bare)
            {
                Ok(value) => {
                    variables.values.insert(name.to_owned(), (value, Origin::Environment));
                }
                Err(wrong) => {
                    // The value in the file does not count either.
                    variables.values.remove(name);
                    let place = Origin::Environment.to_string();
                    variables.problems.push(ConfigProblem { variable: name.to_owned(), place, wrong });
                }
            }
        }
        variables.note_later();
        variables
    }

    fn read_file(&mut self, bytes: &[u8]) {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
                return self
                    .file_problem(&format!("is not text in UTF-8 (line {line})"), "Save it as UTF-8.");
            }
        };
        let file = dotenv::read(text);
        self.problems.extend(file.problems);
        self.notes.extend(file.notes);
        let mut ignored = Vec::new();
        let mut repeated: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for entry in file.entries {
            if let Some(meant) = variable::misspelt(&entry.name) {
                self.notes.push(format!(
                    "{} (.env line {}) is not a variable of nuncio: is {meant} meant?",
                    entry.name, entry.line
                ));
            }
            if IGNORED.iter().any(|prefix| entry.name.starts_with(prefix)) {
                ignored.push(entry.name);
            } else if !variable::is_known(&entry.name) {
                // Not one of our variables, and possibly secret.
            } else {
                let (count, last) = repeated.entry(entry.name.clone()).or_default();
                (*count, *last) = (*count + 1, entry.line);
                self.values.insert(entry.name, (entry.value, Origin::File(entry.line)));
            }
        }
        for (name, (count, last)) in repeated.into_iter().filter(|(_, (count, _))| *count > 1) {
            self.notes.push(format!(
                "{name} is set {count} times in .env: the last one counts (line {last}). Delete the others"
            ));
        }
        match ignored.as_slice() {
            [] => {}
            [name] => self.notes.push(format!(
                "{name} in .env is not used by nuncio (it is the old bot's); you can delete it"
            )),
            names => self.notes.push(format!(
                "{} in .env are not used by nuncio (they are the old bot's); you can delete them",
                names.join(", ")
            )),
        }
    }

    fn note_later(&mut self) {
        for name in PLANNED.iter().map(|variable| variable.name) {
            if self.lookup(name).is_some_and(|(value, _)| !value.is_empty()) {
                self.notes.push(format!("{name} is set, but this version does not use it yet"));
            }
        }
    }

    fn file_problem(&mut self, what: &str, fix: &str) {
        self.problems.push(ConfigProblem {
            variable: ".env".to_owned(),
            place: String::new(),
            wrong: InvalidValue::new(what, fix),
        });
    }

    /// Whether `.env` exists and could not be read: then its contents are unknown.
    pub(super) fn is_file_unread(&self) -> bool {
        self.problems.iter().any(ConfigProblem::is_of_the_file)
    }

    /// The raw value of `name`, and where it was set.
    pub(super) fn lookup(&self, name: &str) -> Option<(&str, Origin)> {
        self.values.get(name).map(|(value, origin)| (value.as_str(), *origin))
    }

    /// Copies the setting of `name` from `other`.
    pub(super) fn take_from(&mut self, other: &Self, name: &str) {
        match other.values.get(name) {
            Some(value) => drop(self.values.insert(name.to_owned(), value.clone())),
            None => drop(self.values.remove(name)),
        }
    }

    /// The value of `name`; `None` if it counts as not set: empty, or a placeholder of the example.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        let (value, _) = self.lookup(name)?;
        (!value.trim().is_empty() && !is_placeholder(value)).then_some(value)
    }

    /// Whether `name` was set, even to an empty value on purpose.
    #[must_use]
    pub fn is_decided(&self, name: &str) -> bool {
        self.lookup(name).is_some_and(|(value, _)| !is_placeholder(value))
    }

    /// Sets `name` as if in the environment, or removes it, together with its problems.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.problems.retain(|problem| problem.variable != name);
        match value {
            Some(value) => {
                drop(self.values.insert(name.to_owned(), (value.to_owned(), Origin::Environment)));
            }
            None => drop(self.values.remove(name)),
        }
    }

    /// Whether nothing was configured: no `.env`, and none of our variables except those about logs.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        !self.has_file
            && self.values.keys().all(|name| matches!(name.as_str(), "RUST_LOG" | "LOG_LEVEL" | "LOG_DIR"))
    }
}

/// Refuses quotes around a value of the environment: there they would be part of the value, which is never intended.
fn bare(value: String) -> Result<String, InvalidValue> {
    let quote = match value.chars().next() {
        Some('\'') if value.len() > 1 && value.ends_with('\'') => "single",
        Some('"') if value.len() > 1 && value.ends_with('"') => "double",
        _ => return Ok(value),
    };
    Err(InvalidValue::new(
        format!("starts with a {quote} quote"),
        "Remove the quotes around it: docker (--env-file) does not, it takes them for a part of the value.",
    ))
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(unix)]
fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_readable_by_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn environment(name: &str, value: &str) -> Vec<(OsString, OsString)> {
        vec![(name.into(), value.into())]
    }

    #[test]
    fn the_real_environment_wins_over_the_file() {
        let variables =
            Variables::new(environment("WEBHOOK_PORT", "1"), Some(b"WEBHOOK_PORT=2\nWEBHOOK_HOST=h"));
        assert_eq!(variables.lookup("WEBHOOK_PORT"), Some(("1", Origin::Environment)));
        assert_eq!(variables.lookup("WEBHOOK_HOST"), Some(("h", Origin::File(2))));
    }

    #[test]
    fn database_url_counts_only_in_our_own_file() {
        assert_eq!(Variables::new(environment("DATABASE_URL", "x"), None).lookup("DATABASE_URL"), None);
        let both = Variables::new(environment("DATABASE_URL", "x"), Some(b"DATABASE_URL=y"));
        assert_eq!(both.lookup("DATABASE_URL"), Some(("y", Origin::File(1))));
    }

    #[test]
    fn odd_things_are_noted_by_name() {
        let notes = Variables::from_dotenv("WEBHOOK_SECERT=canary\nGITHUB_TOKEN=canary\nAGIXT_URI=canary\nSOURCES=9\nOTHER=canary\nLOG_DIR=a\nLOG_DIR=b").notes;
        insta::assert_debug_snapshot!(notes, @r#"
[
    "WEBHOOK_SECERT (.env line 1) is not a variable of nuncio: is WEBHOOK_SECRET meant?",
    "LOG_DIR is set 2 times in .env: the last one counts (line 7). Delete the others",
    "GITHUB_TOKEN, AGIXT_URI in .env are not used by nuncio (they are the old bot's); you can delete them",
    "SOURCES is set, but this version does not use it yet",
]
"#);
    }

    #[test]
    fn a_file_of_another_encoding_is_a_problem() {
        let variables = Variables::new(std::iter::empty(), Some(b"A=1\nB=\xff"));
        assert_eq!(
            variables.problems[0].to_string(),
            ".env is not text in UTF-8 (line 2).\n      Save it as UTF-8."
        );
    }

    // Item 28
    #[test]
    fn the_last_of_equal_lines_counts_and_is_noted_once() {
        let variables = Variables::from_dotenv("LOG_DIR=a\nLOG_DIR=b\nLOG_DIR=c\nGITHUB_TOKEN=x");
        assert_eq!(variables.lookup("LOG_DIR"), Some(("c", Origin::File(3))));
        insta::assert_debug_snapshot!(variables.notes, @r#"
[
    "LOG_DIR is set 3 times in .env: the last one counts (line 3). Delete the others",
    "GITHUB_TOKEN in .env is not used by nuncio (it is the old bot's); you can delete it",
]
"#);
    }

    #[test]
    fn debug_shows_names_only() {
        assert_eq!(format!("{:?}", Variables::from_dotenv("WEBHOOK_SECRET=canary")), r#"{"WEBHOOK_SECRET"}"#);
    }

    // Item 28
    #[test]
    fn a_secret_is_what_the_old_bot_took_it_for() {
        for secret in ["ab$verylongsecretindeed", "two words and more", "it's \"quoted\" inside"] {
            let config =
                Config::from_variables(&Variables::from_dotenv(&format!("WEBHOOK_SECRET={secret}"))).unwrap();
            assert_eq!((config.webhook.secret.as_ref().unwrap().expose(), config.notes.len()), (secret, 0));
        }
    }

    // D: docker's --env-file
    #[rstest::rstest]
    #[case("DISCORD_WEBHOOK_CHANNELS", "'{\"default\":[\"1\"]}'", "starts with a single quote")]
    #[case("DISCORD_WEBHOOK_CHANNELS", "\"{\\\"default\\\":[]}\"", "starts with a double quote")]
    #[case("DISCORD_WEBHOOK_CHANNELS", "'{\"default\":", "starts with a single quote")]
    #[case("WEBHOOK_SECRET", "'0123456789abcdef'", "starts with a single quote")]
    #[case("DISCORD_TOKEN", "\"abc.def.ghi\"", "starts with a double quote")]
    fn quotes_in_the_environment_belong_to_the_value_and_are_refused(
        #[case] name: &str,
        #[case] value: &str,
        #[case] what: &str,
    ) {
        let good = ("WEBHOOK_SECRET", SECRET);
        let report = Config::from_variables(&Variables::from_map([good, (name, value)])).unwrap_err();
        assert_eq!(report.problems.len(), 1, "{report}");
        assert_eq!(
            (report.problems[0].variable.as_str(), report.problems[0].wrong.what.as_str()),
            (name, what)
        );
        assert!(report.problems[0].wrong.fix.starts_with("Remove the quotes around it: docker"));
    }
}
