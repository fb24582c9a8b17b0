//! The problem report of a configuration: for each problem the variable, what is wrong and how to fix it.
//!
//! Contains no values, only names: no content of a variable may enter a [`ConfigProblem`] or a note.

use std::fmt;

use crate::secret::Secret;

/// Why a parser refuses a value. Never contains the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidValue {
    /// What is wrong, as the end of a sentence that begins with the variable's name: `is not a port number`.
    pub what: String,
    /// How to fix it, as a sentence.
    pub fix: String,
}

impl InvalidValue {
    /// Creates it from the two parts.
    pub fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), fix: fix.into() }
    }
}

/// One problem that prevents the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The variable's name, or `.env` for the file itself.
    pub variable: String,
    /// Where it was set: `.env line 3`, `the environment`; empty if it was not.
    pub place: String,
    /// What is wrong and how to fix it.
    pub wrong: InvalidValue,
}

impl ConfigProblem {
    /// Whether `.env` as a whole is at fault.
    pub(super) fn is_of_the_file(&self) -> bool {
        self.variable == ".env" && self.place.is_empty()
    }

    /// The line of `.env` with the problem.
    pub(super) fn line(&self) -> Option<usize> {
        self.place.strip_prefix(".env line ")?.parse().ok()
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.variable)?;
        if !self.place.is_empty() {
            write!(f, " ({})", self.place)?;
        }
        write!(f, " {}.", self.wrong.what)?;
        for line in self.wrong.fix.lines() {
            write!(f, "\n      {line}")?;
        }
        Ok(())
    }
}

/// Why there is no configuration. Its `Display` is the whole message for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// All problems to fix.
    pub problems: Vec<ConfigProblem>,
    /// The variables (and keys of the route map) that still contain placeholders.
    pub placeholders: Vec<String>,
    /// Oddities that would not prevent the start.
    pub notes: Vec<String>,
    /// Whether nothing was configured at all: no `.env`, and none of our variables in the environment.
    pub bare: bool,
}

impl Report {
    /// A report with this problem only.
    pub(super) fn of(problem: ConfigProblem) -> Self {
        Self { problems: vec![problem], placeholders: Vec::new(), notes: Vec::new(), bare: false }
    }
}

impl std::error::Error for Report {}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bare {
            return three_ways(f);
        }
        let count = self.problems.len();
        let problems = if count == 1 { "problem" } else { "problems" };
        writeln!(f, "nuncio did nothing: {count} {problems} in the configuration.")?;
        for problem in &self.problems {
            write!(f, "\n  {problem}\n")?;
        }
        let has_problem = |name: &&String| self.problems.iter().any(|problem| problem.variable == **name);
        let placeholders: Vec<_> = self.placeholders.iter().filter(|name| !has_problem(name)).collect();
        if !placeholders.is_empty() {
            writeln!(f, "\nStill placeholders of the example, so they count as not set:")?;
            for name in placeholders {
                writeln!(f, "  {name}")?;
            }
        }
        if !self.notes.is_empty() {
            writeln!(f, "\nAlso noticed:")?;
            for note in &self.notes {
                writeln!(f, "  - {note}")?;
            }
        }
        Ok(())
    }
}

/// One line that names every placeholder.
pub(super) fn placeholder_note(names: &[String]) -> String {
    format!("Still placeholders of the example, so they count as not set: {}.", names.join(", "))
}

/// The message for a fresh clone without any configuration.
fn three_ways(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let secret = fresh_secret();
    write!(
        f,
        "nuncio is not configured yet: WEBHOOK_SECRET is not set, and there is no .env here. Three ways on:

  1. See it at work, without a Discord account and without configuration:
         nuncio demo

  2. Set it up: every answer is checked, and a test event is sent in the end:
         nuncio setup

  3. Configure it by hand:
         cp .env.example .env
         chmod 600 .env
     and put your values in. A fresh random secret, ready to copy (XTSystems gets the same one):
         WEBHOOK_SECRET={secret}

Only the API, for a program of yours (no XTSystems)? This is enough, and prints the key:
         nuncio keys create NAME --role admin
Then start nuncio.

No Discord account at hand? `nuncio sandbox` in another terminal is one. Put what it prints into .env: \"api\" as
DISCORD_API_URL, \"bot_token\" as DISCORD_TOKEN, what \"xtsystems\" holds as XTSYSTEMS_API_URL and XTSYSTEMS_API_KEY. Then run
nuncio setup.

In a clone, type `cargo run -- demo` instead of `nuncio demo`. Is nuncio configured already? It reads .env in the folder that
it is started in: go there first.
",
        secret = secret.expose()
    )
}

/// A new random secret of 64 hex digits, to offer to the operator.
pub(super) fn fresh_secret() -> Secret {
    Secret::new(hex::encode(rand::random::<[u8; 32]>()))
}

/// The fix for a missing or unusable `WEBHOOK_SECRET`.
pub(super) fn offer_secret() -> String {
    format!(
        "Use the secret of the webhook in XTSystems, or give both this fresh random one:\nWEBHOOK_SECRET={}",
        fresh_secret().expose()
    )
}
