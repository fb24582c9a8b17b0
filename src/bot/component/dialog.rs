//! Dialogs (Discord modals), opened without any lookup, so that they open at once.

use crate::bot::reply::{Dialog, TextInput};
use crate::hub::Click;
use crate::model::DecisionAction;

/// The input that a dialog requests.
struct DialogQuestion {
    title: &'static str,
    label: &'static str,
    hint: &'static str,
    least: usize,
    most: usize,
}

const fn question(press: DecisionAction) -> Option<DialogQuestion> {
    Some(match press {
        DecisionAction::Deny => DialogQuestion {
            title: "Deny this machine",
            label: "Why?",
            hint: "Shown on the card and sent to XTSystems",
            least: 3,
            most: 400,
        },
        DecisionAction::Note => DialogQuestion {
            title: "A note to this ticket",
            label: "Note",
            hint: "Goes to XTSystems under your name",
            least: 3,
            most: 1000,
        },
        DecisionAction::Close => DialogQuestion {
            title: "Close this ticket",
            label: "How was it solved?",
            hint: "Goes to XTSystems as its resolution",
            least: 3,
            most: 400,
        },
        _ => return None,
    })
}

/// The dialog that a button opens; `None` if it opens none.
pub(super) fn of(click: &Click) -> Option<Dialog> {
    let DialogQuestion { title, label, hint, least, most } = question(click.press)?;
    let custom_id = format!("v1:{}:{}", click.press.as_str(), click.token.as_str());
    Some(Dialog::new(custom_id, title, TextInput::paragraph(label, hint, least..=most)))
}

/// Checks the length of the input; an error is a sentence. Discord counts surrounding whitespace, people do not.
pub(super) fn check(click: &Click) -> Result<(), String> {
    let Some(DialogQuestion { least, most, .. }) = question(click.press) else { return Ok(()) };
    let length = click.text.as_deref().unwrap_or_default().chars().count();
    if (least..=most).contains(&length) {
        return Ok(());
    }
    Err(format!("Please write {least} to {most} characters, and send it again: nothing was done yet."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_keeps_to_what_discord_takes() {
        for question in DecisionAction::ALL.into_iter().filter_map(question) {
            assert!(question.title.chars().count() <= 45 && question.label.chars().count() <= 45);
            assert!(question.hint.chars().count() <= 100);
            assert!(question.least <= question.most && question.most <= 4000);
        }
    }
}
