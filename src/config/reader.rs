//! A reader for variables that collects every problem, so that all of them are reported at once.

use std::path::Path;

use crate::config::placeholder::is_placeholder;
use crate::config::report::{ConfigProblem, InvalidValue, Report, placeholder_note};
use crate::config::variables::Variables;

/// The variables being read, and the problems so far.
pub(super) struct Reader<'a> {
    variables: &'a Variables,
    problems: Vec<ConfigProblem>,
    placeholders: Vec<String>,
    notes: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Starts with the problems found while the variables were gathered.
    pub(super) fn new(variables: &'a Variables) -> Self {
        Self {
            variables,
            problems: variables.problems.clone(),
            placeholders: Vec::new(),
            notes: variables.notes.clone(),
        }
    }

    /// A reader without problems and notes about variables whose names do not begin with `prefix`. An unreadable `.env`
    /// affects every variable, so that problem stays.
    pub(super) fn of(variables: &'a Variables, prefix: &str) -> Self {
        let mut reader = Self::new(variables);
        reader.problems.retain(|problem| problem.variable.starts_with(prefix) || problem.is_of_the_file());
        reader.notes.retain(|note| note.starts_with(prefix));
        reader
    }

    /// The value of `name`; `None` if it is not set, empty or a placeholder. Records a placeholder.
    pub(super) fn text(&mut self, name: &str) -> Option<&'a str> {
        let (value, _) = self.variables.lookup(name).filter(|(value, _)| !value.trim().is_empty())?;
        if is_placeholder(value) {
            self.placeholder(name);
            return None;
        }
        Some(value)
    }

    /// The parsed value of `name`; `None` if it is not set, or refused (which is recorded).
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        let value = self.text(name)?;
        parse(value).map_err(|wrong| self.problem(name, wrong)).ok()
    }

    /// The parsed value of `name`; `default` if it is not set, or refused (which is recorded).
    pub(super) fn or<T>(
        &mut self,
        name: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> T {
        self.optional(name, parse).unwrap_or(default)
    }

    /// Whether there is a `.env`.
    pub(super) const fn has_dotenv(&self) -> bool {
        self.variables.has_file
    }

    /// The folder of `.env`, even if the file does not exist.
    pub(super) fn folder(&self) -> &'a Path {
        &self.variables.folder
    }

    /// Whether `name` is set, even to an empty value.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.variables.lookup(name).is_some()
    }

    /// Whether `name` contained a placeholder.
    pub(super) fn is_placeholder(&self, name: &str) -> bool {
        self.placeholders.iter().any(|placeholder| placeholder == name)
    }

    /// Whether `name` has a problem already: then it is not reported as missing as well.
    pub(super) fn has_problem(&self, name: &str) -> bool {
        self.problems.iter().any(|problem| problem.variable == name)
    }

    /// Records a problem with `name`.
    pub(super) fn problem(&mut self, name: &str, wrong: InvalidValue) {
        let place = self.variables.lookup(name).map(|(_, origin)| origin.to_string()).unwrap_or_default();
        self.problems.push(ConfigProblem { variable: name.to_owned(), place, wrong });
    }

    /// Records a harmless oddity.
    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Records that `name` (a variable, or a key within one) contains a placeholder.
    pub(super) fn placeholder(&mut self, name: impl Into<String>) {
        let name = name.into();
        if !self.placeholders.contains(&name) {
            self.placeholders.push(name);
        }
    }

    /// Finishes: returns the notes, or all problems.
    pub(super) fn finish(mut self) -> Result<Vec<String>, Report> {
        if self.variables.is_file_unread() {
            // Variables that seem missing may be in that file.
            let problems = self.variables.problems.clone();
            return Err(Report { problems, placeholders: Vec::new(), notes: Vec::new(), bare: false });
        }
        if !self.problems.is_empty() {
            return Err(Report {
                problems: self.problems,
                placeholders: self.placeholders,
                notes: self.notes,
                bare: self.variables.is_bare(),
            });
        }
        if !self.placeholders.is_empty() {
            self.notes.push(placeholder_note(&self.placeholders));
        }
        Ok(self.notes)
    }
}
