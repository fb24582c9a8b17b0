//! Text from outside within a sentence of ours: nothing in it pings, links or formats.

use crate::render::{self, Surface};

/// The longest text from outside within a sentence.
const GLIMPSE: usize = 300;

/// Text from outside within a sentence, of at most 300 characters.
pub(super) fn plain(text: &str) -> String {
    glimpse(text, GLIMPSE)
}

/// Text from outside within a sentence, of at most `max` characters.
pub(super) fn glimpse(text: &str, max: usize) -> String {
    // An answer is formatted as an embed is: a summary line is not.
    render::short(text, max).write(Surface::Embed)
}

/// Text from outside as code.
pub(super) fn quoted(text: &str) -> String {
    let text: String = text.chars().take(GLIMPSE).collect();
    render::code(&text).write(Surface::Embed)
}
