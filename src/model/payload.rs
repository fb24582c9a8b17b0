//! Reading what platforms send: every field may be absent, null, empty or of another type.
//!
//! Nothing here fails. A scalar is read as text (`1001` and `"1001"` are the same); objects and arrays are not text.

use serde_json::Value;

/// The first of `names` that `data` holds as non-blank text, number or boolean, trimmed.
#[must_use]
pub fn text(data: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| data.get(name).and_then(scalar))
}

/// A scalar as trimmed text; `None` for null, blank text, arrays and objects.
#[must_use]
pub fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}
