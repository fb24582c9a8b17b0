//! Cards of dispatches: what a hosting platform reports. Titles, colors and fields are those of the TypeScript dispatcher
//! (`docs/dispatcher.md` has the table).
//!
//! They may be for the platform's customers: no card names nuncio, a kind or another customer, but for the footer's tag.

pub(super) mod alerts;
pub(super) mod custom;
pub(super) mod customers;
pub(super) mod operations;

use serde_json::Value;

use super::facts::Facts;
use super::text::long;
use super::{Markdown, clean, text};

/// Maximum graphemes of a description: an error may come with its stack.
const DESCRIPTION: usize = 1500;
/// Maximum graphemes of a long field.
const DETAILS: usize = 900;

/// A text of the request on one line, also one that elsewhere means "unknown": a server may be called "none".
fn line(facts: &Facts<'_>, name: &str) -> Option<Markdown> {
    Some(text(&string(facts, name)?)).filter(|line| !line.is_empty())
}

/// A long text of the request.
fn lines(facts: &Facts<'_>, name: &str, max: usize) -> Option<Markdown> {
    Some(long(&string(facts, name)?, max)).filter(|lines| !lines.is_empty())
}

/// A text or a number of the request, as written.
fn string(facts: &Facts<'_>, name: &str) -> Option<String> {
    match facts.data().get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A word with a capital letter: `crashed` becomes "Crashed".
fn capital(word: &str) -> String {
    let word = clean::line(word, 40).unwrap_or_default();
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
