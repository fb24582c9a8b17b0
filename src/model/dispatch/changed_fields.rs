//! The names of settings that differ: values are compared, and never leave this function.

use serde_json::{Map, Value};

/// The top-level names whose values differ: those of `after` in its order, then those that only `before` has. Anything
/// but an object counts as empty.
#[must_use]
pub fn changed_fields(before: &Value, after: &Value) -> Vec<String> {
    let none = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
    let differs = |name: &str, value: &Value| before.get(name).is_none_or(|old| !is_same(old, value));
    let now = after.iter().filter(|(name, value)| differs(name, value));
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    now.chain(gone).map(|(name, _)| name.clone()).collect()
}

/// Equality as in JavaScript: 1 and 1.0 are one number, and the order of an object's names does not count.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| is_same(value, other)))
        }
        _ => one == other,
    }
}
