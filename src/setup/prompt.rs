//! Questions, and the prompt that answers them.

use std::path::PathBuf;

use crate::config::Report;
use crate::secret::Secret;

/// The source of answers: an operator at a terminal, or an unattended run with flags only.
pub trait Prompt {
    /// Asks for a line of text; `default` is the answer if nothing is typed.
    ///
    /// # Errors
    /// If the operator stops, or the run is unattended.
    fn text(&mut self, question: &PromptQuestion<'_>, default: Option<&str>) -> Result<String, SetupStop>;

    /// Asks for text that is not shown while it is typed.
    ///
    /// # Errors
    /// If the operator stops, or the run is unattended.
    fn secret(&mut self, question: &PromptQuestion<'_>) -> Result<Secret, SetupStop>;

    /// Asks for one of several choices; returns its index.
    ///
    /// # Errors
    /// If the operator stops, or the run is unattended without a default.
    fn choose(&mut self, question: &PromptQuestion<'_>, choices: &Choices) -> Result<usize, SetupStop>;

    /// Asks for any number of choices, of which those in `chosen` are selected at first; returns their indexes.
    ///
    /// # Errors
    /// If the operator stops.
    fn choose_several(
        &mut self,
        question: &PromptQuestion<'_>,
        choices: &[String],
        chosen: &[usize],
    ) -> Result<Vec<usize>, SetupStop>;

    /// Asks for yes or no; `unattended` is the answer of an unattended run.
    ///
    /// # Errors
    /// If the operator stops.
    fn confirm(&mut self, question: &str, unattended: bool) -> Result<bool, SetupStop>;

    /// Reports a value that cannot be accepted. The caller then asks again, if the run is attended.
    ///
    /// # Errors
    /// [`SetupStop::Wrong`] if the run is unattended.
    fn wrong(&mut self, found: &str, remedy: &str) -> Result<(), SetupStop>;

    /// Prints a sentence.
    fn say(&mut self, text: &str);

    /// Shows that setup waits for something; `None` ends it.
    fn wait_for(&mut self, what: Option<&'static str>);

    /// Whether the operator pressed Enter since the last call.
    ///
    /// # Errors
    /// If the operator stops.
    fn was_nudged(&mut self) -> Result<bool, SetupStop>;
}

/// A question with its help text.
#[derive(Clone, Copy, Debug)]
pub struct PromptQuestion<'a> {
    /// The question itself.
    pub text: &'a str,
    /// A line below the question; empty if there is none.
    pub help: &'a str,
    /// The flag that answers it beforehand, for a sentence: `--guild ID`.
    pub instead: &'a str,
}

/// The choices of a question.
#[derive(Clone, Debug)]
pub struct Choices {
    /// A line for each choice.
    pub lines: Vec<String>,
    /// The index of the choice that is selected first.
    pub cursor: usize,
    /// The index that an unattended run takes; `None` if a flag must give it.
    pub unattended: Option<usize>,
}

/// Why setup ended before it changed anything.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SetupStop {
    /// The operator stopped it.
    #[error("Stopped. Nothing was written, and nothing was changed at Discord or XTSystems.")]
    Aborted,
    /// An unattended run lacks this answer.
    #[error("{what} was not given, and with --yes nobody is asked. Give {instead}. Nothing was written.")]
    Missing {
        /// The question.
        what: String,
        /// The flag that gives the answer.
        instead: String,
    },
    /// A value is wrong, and the run is unattended.
    #[error("{found} {remedy}\nNothing was written.")]
    Wrong {
        /// What was found.
        found: String,
        /// What to do.
        remedy: String,
    },
    /// Variables are wrong that setup does not ask for.
    #[error(
        "{0}\nnuncio setup does not ask for these: mend them in .env, then run it again. Nothing was written."
    )]
    Configuration(Report),
    /// `.env` cannot be read or written.
    #[error("{} {why}. Nothing was written: {remedy}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, as the end of a sentence.
        why: String,
        /// What to do.
        remedy: String,
    },
}
