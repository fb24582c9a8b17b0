//! The unattended prompt: a missing answer is an error, and so is a wrong one.

use crate::cli::print;
use crate::secret::Secret;
use crate::setup::{Choices, Prompt, PromptQuestion, SetupStop};

/// Answers each question with its unattended default.
pub(super) struct Unattended;

impl Prompt for Unattended {
    fn text(&mut self, question: &PromptQuestion<'_>, default: Option<&str>) -> Result<String, SetupStop> {
        default.map(str::to_owned).ok_or_else(|| missing(question))
    }

    fn secret(&mut self, question: &PromptQuestion<'_>) -> Result<Secret, SetupStop> {
        Err(missing(question))
    }

    fn choose(&mut self, question: &PromptQuestion<'_>, choices: &Choices) -> Result<usize, SetupStop> {
        choices.unattended.ok_or_else(|| missing(question))
    }

    fn choose_several(
        &mut self,
        _: &PromptQuestion<'_>,
        _: &[String],
        _: &[usize],
    ) -> Result<Vec<usize>, SetupStop> {
        Ok(Vec::new())
    }

    fn confirm(&mut self, _: &str, unattended: bool) -> Result<bool, SetupStop> {
        Ok(unattended)
    }

    fn wrong(&mut self, found: &str, remedy: &str) -> Result<(), SetupStop> {
        Err(SetupStop::Wrong { found: found.to_owned(), remedy: remedy.to_owned() })
    }

    fn say(&mut self, text: &str) {
        print(text);
    }

    fn wait_for(&mut self, _: Option<&'static str>) {}

    fn was_nudged(&mut self) -> Result<bool, SetupStop> {
        Ok(false)
    }
}

fn missing(question: &PromptQuestion<'_>) -> SetupStop {
    let what = question.text.trim_end_matches([':', '?']).to_owned();
    SetupStop::Missing { what: format!("\"{what}\""), instead: question.instead.to_owned() }
}
