//! Shapes that platforms disagree about: ids and texts that may be numbers, or absent.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A text, or a number as text; anything else is empty.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}

/// An id: a text or a number, and not empty.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = text(deserializer)?;
    if id.is_empty() {
        Err(serde::de::Error::custom("an id that is neither text nor number"))
    } else {
        Ok(id)
    }
}
