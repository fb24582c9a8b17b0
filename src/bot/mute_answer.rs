//! Replies to mute requests.

use crate::bot::text::{glimpse, quoted};
use crate::model::Muted;

/// The reply after a successful mute.
pub(super) fn muted(muted: &Muted) -> String {
    let (mute, before) = match muted {
        Muted::Now(mute) | Muted::Already(mute) => (mute, String::new()),
        Muted::Renewed { now, before } => (
            now,
            format!(
                " It was already muted until <t:{}:f> by {}: that mute continues.",
                before.until.as_secs(),
                glimpse(&before.by, 60)
            ),
        ),
        Muted::Replayed => return "That is muted already.".to_owned(),
    };
    format!(
        "{} is muted until <t:{}:f>.{before} Its events, urgent ones included, are kept and summed up in one card at \
         the end. Events that ask for a decision are still shown. `/unmute` ends it sooner.",
        quoted(mute.name()),
        mute.until.as_secs(),
    )
}

/// Ends the reply if nothing was muted.
pub(super) const NOT_MUTED: &str = "Nothing was muted.";
