//! Questions, and whoever answers them.

use std::path::PathBuf;

use crate::config::Report;
use crate::secret::Secret;

/// Whoever answers: a person at a terminal, or nobody, where everything was given beforehand.
pub trait Prompt {
    /// A line of text; `default` if nothing is typed.
    ///
    /// # Errors
    /// If the person stops, or nobody can answer.
    fn text(&mut self, question: &Question<'_>, default: Option<&str>) -> Result<String, Stop>;

    /// Something that is not shown while it is typed.
    ///
    /// # Errors
    /// If the person stops, or nobody can answer.
    fn secret(&mut self, question: &Question<'_>) -> Result<Secret, Stop>;

    /// One of several: its place in the list.
    ///
    /// # Errors
    /// If the person stops, or nobody can answer.
    fn choose(&mut self, question: &Question<'_>, choices: &Choices) -> Result<usize, Stop>;

    /// Any number of several: their places in the list.
    ///
    /// # Errors
    /// If the person stops.
    fn choose_several(&mut self, question: &Question<'_>, choices: &[String]) -> Result<Vec<usize>, Stop>;

    /// Yes or no; `unattended` is what nobody answers.
    ///
    /// # Errors
    /// If the person stops.
    fn confirm(&mut self, question: &str, unattended: bool) -> Result<bool, Stop>;

    /// Something that was given cannot be taken. The question is asked again, if there is somebody to answer.
    ///
    /// # Errors
    /// [`Stop::Wrong`] if there is nobody.
    fn wrong(&mut self, found: &str, remedy: &str) -> Result<(), Stop>;

    /// Says something.
    fn say(&mut self, text: &str);

    /// Shows that something is waited for, or nothing any more.
    fn wait_for(&mut self, what: Option<&'static str>);

    /// Whether the person pressed Enter since this was asked last.
    ///
    /// # Errors
    /// If the person stops.
    fn was_nudged(&mut self) -> Result<bool, Stop>;
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The question itself.
    pub text: &'a str,
    /// A line below it; empty if there is none.
    pub help: &'a str,
    /// What gives the answer beforehand, for a sentence: `--guild ID`.
    pub instead: &'a str,
}

/// What can be chosen.
#[derive(Clone, Debug)]
pub struct Choices {
    /// A line each.
    pub lines: Vec<String>,
    /// Where a person begins.
    pub cursor: usize,
    /// What counts where nobody is asked; `None`: then it must be given.
    pub unattended: Option<usize>,
}

/// Why setup ended before it changed anything.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Stop {
    /// The person stopped it.
    #[error("Stopped. Nothing was written, and nothing was changed at Discord or XTSystems.")]
    Aborted,
    /// Nobody is asked, and this was not given.
    #[error("{what} was not given, and with --yes nobody is asked. Give {instead}. Nothing was written.")]
    Missing {
        /// The question.
        what: String,
        /// What gives the answer.
        instead: String,
    },
    /// Something is wrong, and nobody can be asked for something better.
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
