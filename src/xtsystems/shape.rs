//! Deserializers for fields whose type differs between platforms: ids and texts that may be numbers, or absent.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A string, or a number as a string; anything else becomes empty.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}

/// An id: a non-empty string or a number.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = text(deserializer)?;
    if id.is_empty() {
        Err(serde::de::Error::custom("an id that is neither text nor number"))
    } else {
        Ok(id)
    }
}
