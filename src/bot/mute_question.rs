//! The question whether a kind that never came is really meant, with its button "Mute anyway".
//!
//! What was asked for stands in the button and in the embed below the question, so it works after a restart.

use std::time::Duration;

use serenity::all::{
    ButtonStyle, ComponentInteraction, ComponentInteractionDataKind, CreateActionRow, CreateButton,
    CreateEmbed,
};

const BUTTON: &str = "v1:mute-anyway:";
/// Discord: `custom_id` ≤ 100.
const LONGEST: usize = 100;
/// What the embed with the reason is called.
const REASON: &str = "Reason";

/// What somebody wants to mute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) kind: String,
    pub(super) span: Duration,
    pub(super) reason: String,
}

/// What stands below the question: the button, and the reason that was given. No button where the kind is too long for it.
pub(super) fn question(
    kind: &str,
    span: Duration,
    reason: &str,
) -> (Vec<CreateActionRow>, Option<CreateEmbed>) {
    let id = format!("{BUTTON}{}:{kind}", span.as_secs());
    if id.len() > LONGEST {
        return (Vec::new(), None);
    }
    let button = CreateButton::new(id).label("Mute anyway").style(ButtonStyle::Secondary);
    let embed = (!reason.is_empty()).then(|| CreateEmbed::new().title(REASON).description(reason));
    (vec![CreateActionRow::Buttons(vec![button])], embed)
}

/// What a click on it means; `None` if it is another button.
pub(super) fn of(component: &ComponentInteraction) -> Option<Wanted> {
    if !matches!(component.data.kind, ComponentInteractionDataKind::Button) {
        return None;
    }
    let (seconds, kind) = component.data.custom_id.strip_prefix(BUTTON)?.split_once(':')?;
    let embed = component.message.embeds.iter().find(|embed| embed.title.as_deref() == Some(REASON));
    Some(Wanted {
        kind: kind.to_owned(),
        span: Duration::from_secs(seconds.parse().ok()?),
        reason: embed.and_then(|embed| embed.description.clone()).unwrap_or_default(),
    })
}
