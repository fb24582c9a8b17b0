//! The unattended prompt: a missing answer is an error, and so is a wrong one.

use crate::cli::print;
use crate::secret::Secret;
use crate::setup::{Choices, Prompt, Question, Stop};

/// Answers each question with its unattended default.
pub(super) struct Unattended;

impl Prompt for Unattended {
    fn text(&mut self, question: &Question<'_>, default: Option<&str>) -> Result<String, Stop> {
        default.map(str::to_owned).ok_or_else(|| missing(question))
    }

    fn secret(&mut self, question: &Question<'_>) -> Result<Secret, Stop> {
        Err(missing(question))
    }

    fn choose(&mut self, question: &Question<'_>, choices: &Choices) -> Result<usize, Stop> {
        choices.unattended.ok_or_else(|| missing(question))
    }

    fn choose_several(&mut self, _: &Question<'_>, _: &[String], _: &[usize]) -> Result<Vec<usize>, Stop> {
        Ok(Vec::new())
    }

    fn confirm(&mut self, _: &str, unattended: bool) -> Result<bool, Stop> {
        Ok(unattended)
    }

    fn wrong(&mut self, found: &str, remedy: &str) -> Result<(), Stop> {
        Err(Stop::Wrong { found: found.to_owned(), remedy: remedy.to_owned() })
    }

    fn say(&mut self, text: &str) {
        print(text);
    }

    fn wait_for(&mut self, _: Option<&'static str>) {}

    fn was_nudged(&mut self) -> Result<bool, Stop> {
        Ok(false)
    }
}

fn missing(question: &Question<'_>) -> Stop {
    let what = question.text.trim_end_matches([':', '?']).to_owned();
    Stop::Missing { what: format!("\"{what}\""), instead: question.instead.to_owned() }
}
