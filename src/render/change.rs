//! Field changes, as far as the payload alone shows them: an "updated" event always holds the new state, and only from
//! some platforms the old one.

use std::collections::HashSet;

use serde_json::Value;

use super::facts::{readable, word};
use super::markdown::Markdown;
use super::text::{literal, number, short};
use crate::model::payload;

/// Maximum graphemes of a value; a longer one is shown as "changed".
const VALUE: usize = 40;
/// Maximum number of listed changes.
const LISTED: usize = 6;
/// Fields that change with every event and carry no information.
const SILENT: [&str; 5] = ["updated_at", "updated_by", "modified_at", "last_modified", "version"];

/// One field that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldChange {
    /// The field's name on the platform.
    pub(super) name: String,
    old: Option<String>,
    new: Option<String>,
}

impl FieldChange {
    fn new(name: &str, old: Option<&Value>, new: Option<&Value>) -> Self {
        let name = name.to_owned();
        if payload::is_secret(&name) {
            // Only the fact that a secret changed may be shown.
            let same = (old.is_some() && old == new).then(|| payload::HIDDEN.to_owned());
            return Self { name, old: same.clone(), new: same };
        }
        Self { name, old: old.and_then(word), new: new.and_then(word) }
    }

    /// Whether its values are clear without the field's name: both are known and short.
    pub(super) fn is_pair(&self) -> bool {
        let short =
            |value: &Option<String>| value.as_ref().is_some_and(|value| value.chars().count() <= VALUE);
        short(&self.old) && short(&self.new)
    }

    /// "high → critical", or as much of it as is known.
    pub(super) fn values(&self) -> Markdown {
        let long = |value: &Option<String>| value.as_ref().is_some_and(|value| value.chars().count() > VALUE);
        if long(&self.old) || long(&self.new) {
            return literal("changed");
        }
        let shown = |value: &str| short(&readable(value), VALUE);
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => [shown(old), literal(" → "), shown(new)].into(),
            (None, Some(new)) => shown(new),
            (Some(old), None) => [shown(old), literal(" → nothing")].into(),
            (None, None) => literal("changed"),
        }
    }

    /// "priority: high → critical", for a list.
    pub(super) fn named(&self) -> Markdown {
        self.behind_name(": ")
    }

    /// "priority high → critical", for a sentence.
    pub(super) fn described(&self) -> Markdown {
        self.behind_name(" ")
    }

    fn behind_name(&self, between: &'static str) -> Markdown {
        let name = Some(short(&readable(&self.name), VALUE));
        Markdown::join([name, Some(self.values())], between)
    }
}

/// All changes in the payload, each field once, in the payload's order.
pub(super) fn changes(data: &Value) -> Vec<FieldChange> {
    let mut seen: HashSet<String> = SILENT.map(str::to_owned).into();
    let found = listed(data).into_iter().chain(against_old_state(data)).chain(prefixed(data));
    found
        .filter(|change| change.old.is_none() || change.old != change.new)
        .filter(|change| seen.insert(change.name.clone()))
        .collect()
}

/// The named changes, separated by `between`, with "… (n more)" at the end if there are too many.
pub(super) fn list(changes: &[FieldChange], between: &'static str) -> Option<Markdown> {
    let more = changes.len().saturating_sub(LISTED) as u64;
    let more = (more > 0).then(|| [literal("… ("), number(more), literal(" more)")].into());
    let shown = changes.iter().take(LISTED).map(|change| Some(change.named()));
    (!changes.is_empty()).then(|| Markdown::join(shown.chain([more]), between))
}

/// `changes: {"priority": ["high","critical"]}`, `{"priority": {"from": …, "to": …}}`, `[{"field": …, …}]`,
/// `["priority"]`.
fn listed(data: &Value) -> Vec<FieldChange> {
    let Some(value) = ["changes", "changed_fields", "changed", "diff"].iter().find_map(|name| data.get(name))
    else {
        return Vec::new();
    };
    match value {
        Value::Object(fields) => fields.iter().map(|(name, change)| one(data, name, change)).collect(),
        Value::Array(list) => list
            .iter()
            .filter_map(|item| {
                let name = item.as_str().or_else(|| {
                    ["field", "name", "attribute", "key"].iter().find_map(|key| item.get(key)?.as_str())
                })?;
                Some(one(data, name, item))
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn one(data: &Value, name: &str, change: &Value) -> FieldChange {
    let inside = |names: &[&str]| names.iter().find_map(|name| change.get(name));
    match change {
        Value::Array(pair) if pair.len() == 2 => FieldChange::new(name, pair.first(), pair.last()),
        Value::Object(_) => FieldChange::new(
            name,
            inside(&["from", "old", "before", "previous", "old_value"]),
            inside(&["to", "new", "after", "current", "new_value"]).or_else(|| data.get(name)),
        ),
        // A bare name in a list: the new state is next to the list.
        Value::String(text) if text == name => FieldChange::new(name, None, data.get(name)),
        scalar => FieldChange::new(name, None, Some(scalar)),
    }
}

/// `previous: {"priority": "high"}` next to the new state.
fn against_old_state(data: &Value) -> Vec<FieldChange> {
    let state = |names: &[&str]| names.iter().find_map(|name| data.get(name)?.as_object());
    let Some(old) = state(&["previous", "old", "before", "previous_values", "old_values"]) else {
        return Vec::new();
    };
    let new = state(&["current", "new", "after", "new_values"]);
    let new = |name: &str| new.map_or_else(|| data.get(name), |new| new.get(name));
    old.iter().map(|(name, value)| FieldChange::new(name, Some(value), new(name))).collect()
}

/// `previous_priority`, `old_priority` next to `priority`.
fn prefixed(data: &Value) -> Vec<FieldChange> {
    let Some(fields) = data.as_object() else { return Vec::new() };
    fields
        .iter()
        .filter_map(|(key, old)| {
            let name = ["previous_", "prev_", "old_"].iter().find_map(|prefix| key.strip_prefix(prefix))?;
            let new = fields.get(name)?;
            (word(old).is_some() || word(new).is_some()).then(|| FieldChange::new(name, Some(old), Some(new)))
        })
        .filter(|change| change.old != change.new)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::render::Surface;

    #[rstest::rstest]
    #[case(json!({"changes": {"priority": ["high", "critical"]}}), "priority: high → critical")]
    #[case(json!({"changes": {"priority": {"from": "high", "to": "critical"}}}), "priority: high → critical")]
    #[case(json!({"changes": {"priority": {"old": 1, "new": 2}}}), "priority: 1 → 2")]
    #[case(json!({"changes": [{"field": "status", "old_value": "open", "new_value": "in_progress"}]}), "status: open → in progress")]
    #[case(json!({"changed_fields": ["priority", "x"], "priority": "high"}), "priority: high, x: changed")]
    #[case(json!({"changes": {"assigned_to": "bob", "updated_at": "now"}}), "assigned to: bob")]
    #[case(json!({"previous": {"priority": "high", "title": "a"}, "priority": "low", "title": "a"}), "priority: high → low")]
    #[case(json!({"before": {"a": 1}, "after": {"a": null}}), "a: 1 → nothing")]
    #[case(json!({"previous_priority": "high", "old_status": "open", "priority": "low", "status": "open"}), "priority: high → low")]
    #[case(json!({"changes": {"api_key": ["old one", "new one"], "accessToken": "x"}}), "api key: changed, accessToken: changed")]
    #[case(json!({"previous": {"password": "x"}, "password": "y"}), "password: changed")]
    #[case(json!({"changes": {"description": ["short", "x".repeat(50)]}}), "description: changed")]
    #[case(json!({"changes": {"*a*": ["@everyone", "<@1>"]}}), "\\*a\\*: @\u{200B}everyone → \\<@\u{200B}1>")]
    #[case(json!({"changes": ["a", "b", "c", "d", "e", "f", "g", "h", "i"], "b": 2}), "a: changed, b: 2, c: changed, d: changed, e: changed, f: changed, … (3 more)")]
    fn told(#[case] data: Value, #[case] text: &str) {
        assert_eq!(list(&changes(&data), ", ").unwrap().write(Surface::Embed), text);
    }

    #[rstest::rstest]
    #[case(json!({"previous": {"password": "x"}, "password": "x"}))]
    #[case(json!({"changes": 5, "priority": "high"}))]
    #[case(json!({"changes": [5, null, {}]}))]
    #[case(json!({"previous_priority": "high"}))]
    #[case(json!([1, 2]))]
    #[case(json!(null))]
    fn not_told(#[case] data: Value) {
        assert_eq!(changes(&data), []);
    }
}
