//! A confirmation before muting a kind that never arrived, with its "Mute anyway" button.
//!
//! The button and the embed below the question hold the request, so it works after a restart.

use std::time::Duration;

use crate::bot::interaction::{ComponentClick, ComponentInput, Interaction};
use crate::bot::reply::{ReplyButton, ReplyEmbed, ReplyRow};

const BUTTON: &str = "v1:mute-anyway:";
/// Discord: `custom_id` ≤ 100.
const LONGEST: usize = 100;
/// The embed's title above the reason.
const REASON: &str = "Reason";

/// A mute request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MuteRequest {
    pub(super) kind: String,
    pub(super) span: Duration,
    pub(super) reason: String,
}

/// The button and the embed with the reason. If the kind is too long for a custom id, there is no button.
pub(super) fn question(kind: &str, span: Duration, reason: &str) -> (Vec<ReplyRow>, Option<ReplyEmbed>) {
    let id = format!("{BUTTON}{}:{kind}", span.as_secs());
    if id.len() > LONGEST {
        return (Vec::new(), None);
    }
    let embed = (!reason.is_empty()).then(|| ReplyEmbed::new(REASON, reason));
    (vec![ReplyRow::buttons([ReplyButton::secondary(id, "Mute anyway")])], embed)
}

/// Parses a click on the button; `None` if it is another button.
pub(super) fn of(interaction: &Interaction, click: &ComponentClick) -> Option<MuteRequest> {
    if !matches!(click.input, ComponentInput::Button) {
        return None;
    }
    let (seconds, kind) = click.custom_id.strip_prefix(BUTTON)?.split_once(':')?;
    let mut embeds = interaction.message.iter().flat_map(|message| &message.embeds);
    let embed = embeds.find(|embed| embed.title.as_deref() == Some(REASON));
    Some(MuteRequest {
        kind: kind.to_owned(),
        span: Duration::from_secs(seconds.parse().ok()?),
        reason: embed.and_then(|embed| embed.description.clone()).unwrap_or_default(),
    })
}
