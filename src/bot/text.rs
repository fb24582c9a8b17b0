//! Escaping of external text within our sentences: nothing in it pings, links or formats.

use crate::render::{self, Surface};

/// Maximum length of external text within a sentence.
const GLIMPSE: usize = 300;

/// Escapes external text for a sentence, cut to 300 characters.
pub(super) fn plain(text: &str) -> String {
    glimpse(text, GLIMPSE)
}

/// Escapes external text for a sentence, cut to `max` characters.
pub(super) fn glimpse(text: &str, max: usize) -> String {
    // A reply is formatted as an embed is: a summary line is not.
    render::short(text, max).write(Surface::Embed)
}

/// Formats external text as inline code.
pub(super) fn quoted(text: &str) -> String {
    let text: String = text.chars().take(GLIMPSE).collect();
    render::code(&text).write(Surface::Embed)
}
