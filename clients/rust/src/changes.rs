//! Which settings were changed. Their values never leave the application.

use serde::Serialize;
use serde_json::{Map, Value};

/// The names of the settings that differ, for [`Dispatcher::settings_update`](crate::Dispatcher::settings_update): new
/// and changed ones in the order of `after`, then those that are gone. Values are compared here and sent nowhere.
///
/// Takes JSON values and everything that serializes as a JSON object. `null` is an object without settings.
///
/// ```
/// use serde_json::json;
///
/// let before = json!({ "site_name": "Acme", "smtp_password": "old" });
/// let after = json!({ "site_name": "Acme", "smtp_password": "new" });
/// assert_eq!(nuncio_client::changed_fields(&before, &after), ["smtp_password"]);
/// ```
#[must_use]
pub fn changed_fields(before: &(impl Serialize + ?Sized), after: &(impl Serialize + ?Sized)) -> Vec<String> {
    let (before, after) = (object(before), object(after));
    let changed =
        after.iter().filter(|(name, value)| before.get(*name).is_none_or(|before| !same(before, value)));
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    changed.chain(gone).map(|(name, _)| name.clone()).collect()
}

/// Equal as JSON shows them: 1 and 1.0 are one number.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}

fn object(settings: &(impl Serialize + ?Sized)) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}
