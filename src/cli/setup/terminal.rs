//! The prompt on a terminal. The only file that knows the prompt library.

use std::io::Read as _;

use inquire::{Confirm, InquireError, MultiSelect, Password, PasswordDisplayMode, Select, Text};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::cli::progress::Progress;
use crate::cli::{say, table};
use crate::secret::Secret;
use crate::setup::{Choices, Prompt, PromptQuestion, SetupStop};

/// How many choices are visible at once.
const PAGE: usize = 12;
/// The key hints for a list of choices.
const KEYS: &str = "↑ ↓ moves, Enter chooses, letters filter, Esc stops";

/// Asks the operator, and shows a progress line while setup waits.
#[derive(Default)]
pub(super) struct Terminal {
    waiting: Option<Progress>,
}

/// What an operator without a configuration wants to do.
pub(super) enum FirstStep {
    Setup,
    Demo,
}

/// Asks an operator without a configuration what to do.
pub(super) fn first_step() -> Option<FirstStep> {
    say("There is no .env here, so nuncio is not configured yet.");
    let lines = vec![
        "Set nuncio up now (nuncio setup)",
        "See it first, without any account (nuncio demo)",
        "Neither",
    ];
    match Select::new("What now?", lines).without_filtering().raw_prompt().map(|chosen| chosen.index) {
        Ok(0) => Some(FirstStep::Setup),
        Ok(1) => Some(FirstStep::Demo),
        _ => None,
    }
}

impl Prompt for Terminal {
    fn text(&mut self, question: &PromptQuestion<'_>, default: Option<&str>) -> Result<String, SetupStop> {
        let mut text = Text::new(question.text);
        text.help_message = help(question);
        text.default = default.filter(|default| !default.is_empty());
        text.prompt().map_err(|error| stop(&error))
    }

    fn secret(&mut self, question: &PromptQuestion<'_>) -> Result<Secret, SetupStop> {
        let mut password = Password::new(question.text)
            .with_display_mode(PasswordDisplayMode::Masked)
            .without_confirmation();
        password.help_message = help(question);
        password.prompt().map(Secret::new).map_err(|error| stop(&error))
    }

    fn choose(&mut self, question: &PromptQuestion<'_>, choices: &Choices) -> Result<usize, SetupStop> {
        let lines: Vec<String> = choices.lines.iter().map(|line| table::clean(line, 200)).collect();
        let mut select =
            Select::new(question.text, lines).with_page_size(PAGE).with_starting_cursor(choices.cursor);
        let help = [question.help, KEYS].join(if question.help.is_empty() { "" } else { " " });
        select.help_message = Some(&help);
        select.raw_prompt().map(|chosen| chosen.index).map_err(|error| stop(&error))
    }

    fn choose_several(
        &mut self,
        question: &PromptQuestion<'_>,
        choices: &[String],
        chosen: &[usize],
    ) -> Result<Vec<usize>, SetupStop> {
        let lines: Vec<String> = choices.iter().map(|line| table::clean(line, 200)).collect();
        let mut select = MultiSelect::new(question.text, lines).with_page_size(PAGE).with_default(chosen);
        select.help_message = help(question);
        let chosen = select.raw_prompt().map_err(|error| stop(&error))?;
        Ok(chosen.into_iter().map(|chosen| chosen.index).collect())
    }

    fn confirm(&mut self, question: &str, _: bool) -> Result<bool, SetupStop> {
        Confirm::new(question).with_default(true).prompt().map_err(|error| stop(&error))
    }

    fn wrong(&mut self, found: &str, remedy: &str) -> Result<(), SetupStop> {
        lines("✗ ", found);
        lines("  ", remedy);
        Ok(())
    }

    fn say(&mut self, text: &str) {
        for line in text.split('\n') {
            let text = line.trim_start();
            let indent = line.len() - text.len();
            lines(&" ".repeat(indent), text);
        }
    }

    fn wait_for(&mut self, what: Option<&'static str>) {
        // The previous line is removed first.
        self.waiting = None;
        self.waiting = what.map(Progress::new);
    }

    fn was_nudged(&mut self) -> Result<bool, SetupStop> {
        let stdin = std::io::stdin();
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let is_ready =
            poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&at_once)).is_ok_and(|ready| ready > 0);
        if !is_ready {
            return Ok(false);
        }
        let mut typed = [0; 256];
        match stdin.lock().read(&mut typed) {
            // End of input: Ctrl-D, or the terminal was closed.
            Ok(0) | Err(_) => Err(SetupStop::Aborted),
            Ok(_) => Ok(true),
        }
    }
}

/// Prints a sentence with a hanging indent.
fn lines(first: &str, text: &str) {
    let lines = table::hanging(first, first.chars().count(), &table::clean(text, usize::MAX));
    lines.iter().for_each(|line| say(line));
}

fn help<'a>(question: &PromptQuestion<'a>) -> Option<&'a str> {
    Some(question.help).filter(|help| !help.is_empty())
}

/// Esc, Ctrl-C and Ctrl-D; a terminal that cannot be read any more counts as closed.
fn stop(_: &InquireError) -> SetupStop {
    SetupStop::Aborted
}
