//! The share of a rate-limit bucket that a message may use.

use crate::discord::Share;
use crate::model::{Message, Priority};

/// How much of a bucket `message` may use: the last slot is reserved for decisions and edits after a click.
pub(in crate::dispatch) fn share_of(message: &Message) -> Share {
    let decides = message.deliveries.first().is_some_and(|delivery| delivery.priority == Priority::Decision);
    if decides { Share::Full } else { Share::Ordinary }
}
