//! The variables of one process: the real environment over the `.env` of a directory. Nothing here changes the
//! process's environment, so tests can have as many as they like.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::dotenv;
use crate::config::report::{Problem, Wrong};
use crate::config::variable::{self, DATABASE_URL, IGNORED, LATER};

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

/// Every variable that is set, and what was noticed while reading them. `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, (String, Origin)>,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<String>,
    has_file: bool,
    /// Where `.env` stands, or would.
    pub(super) folder: PathBuf,
}

impl Variables {
    /// The environment of this process over `.env` in `dir`. Reading never fails: what is wrong is told with the
    /// problems of the configuration.
    #[must_use]
    pub fn load(dir: &Path) -> Self {
        Self { folder: dir.to_owned(), ..Self::read(dir) }
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

    /// Variables as if they were set in the environment, without a `.env`.
    #[must_use]
    pub fn from_map<K: Into<OsString>, V: Into<OsString>>(values: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::new(values.into_iter().map(|(name, value)| (name.into(), value.into())), None)
    }

    /// Variables as if `text` stood in `.env` and nothing in the environment.
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
            // DATABASE_URL is exported by many programs: only the one in our own file is meant for us.
            let Some(name) = name.to_str().filter(|name| variable::is_known(name) && *name != DATABASE_URL)
            else {
                continue;
            };
            match value.into_string() {
                Ok(value) => {
                    variables.values.insert(name.to_owned(), (value, Origin::Environment));
                }
                Err(_) => variables.problems.push(Problem {
                    variable: name.to_owned(),
                    place: Origin::Environment.to_string(),
                    wrong: Wrong::new("is not text in UTF-8", "Set it anew."),
                }),
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
        for entry in file.entries {
            if let Some(meant) = variable::misspelt(&entry.name) {
                self.notes.push(format!(
                    "{} (.env line {}) is no variable of ours: is {meant} meant?",
                    entry.name, entry.line
                ));
            }
            if IGNORED.iter().any(|prefix| entry.name.starts_with(prefix)) {
                ignored.push(entry.name);
            } else if !variable::is_known(&entry.name) {
                // Somebody else's, and maybe secret.
            } else if let Some((_, first)) = self.values.get(&entry.name) {
                self.notes.push(format!(
                    "{} (.env line {}) is set twice: the first one counts ({first})",
                    entry.name, entry.line
                ));
            } else {
                self.values.insert(entry.name, (entry.value, Origin::File(entry.line)));
            }
        }
        if !ignored.is_empty() {
            self.notes
                .push(format!("{} in .env: of the old bot, and not used by nuncio", ignored.join(", ")));
        }
    }

    fn note_later(&mut self) {
        for name in LATER {
            if self.lookup(name).is_some_and(|(value, _)| !value.is_empty()) {
                self.notes.push(format!("{name} is set, but this version does not use it yet"));
            }
        }
    }

    fn file_problem(&mut self, what: &str, fix: &str) {
        self.problems.push(Problem {
            variable: ".env".to_owned(),
            place: String::new(),
            wrong: Wrong::new(what, fix),
        });
    }

    /// The value of `name`, as it stands, and where it was set.
    pub(super) fn lookup(&self, name: &str) -> Option<(&str, Origin)> {
        self.values.get(name).map(|(value, origin)| (value.as_str(), *origin))
    }

    /// Whether nothing was configured: no `.env`, and no variable of ours but the ones about logs.
    pub(super) fn is_bare(&self) -> bool {
        !self.has_file
            && self.values.keys().all(|name| matches!(name.as_str(), "RUST_LOG" | "LOG_LEVEL" | "LOG_DIR"))
    }
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
    "WEBHOOK_SECERT (.env line 1) is no variable of ours: is WEBHOOK_SECRET meant?",
    "LOG_DIR (.env line 7) is set twice: the first one counts (.env line 6)",
    "GITHUB_TOKEN, AGIXT_URI in .env: of the old bot, and not used by nuncio",
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

    #[test]
    fn debug_shows_names_only() {
        assert_eq!(format!("{:?}", Variables::from_dotenv("WEBHOOK_SECRET=canary")), r#"{"WEBHOOK_SECRET"}"#);
    }
}
