//! Validation of modals: forms that an application opens for a user (Discord: "Modals").

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::form::Form;
use crate::sandbox::discord::model::Refusal;

/// Maximum components at the top level of a modal.
const ROWS: usize = 5;
/// Maximum characters of a text input's value.
const INPUT: i64 = 4000;

const ACTION_ROW: i64 = 1;
const TEXT_INPUT: i64 = 4;
const TEXT_DISPLAY: i64 = 10;
const LABEL: i64 = 18;

/// Parses a modal into its display form.
pub fn modal(body: &Value) -> Result<Value, Refusal> {
    let mut form = Form::default();
    let Some(given) = super::object(&mut form, body) else { return Err(form.into()) };
    let custom_id = form.required_text(given, "custom_id", 100);
    let title = form.required_text(given, "title", 45);
    let Some(list) = form.list(given, "components") else {
        form.required("components");
        return Err(form.into());
    };
    form.count("components", list.len(), 1..=ROWS);
    let mut reader = Reader { form, seen: HashSet::new(), count: 0 };
    let rows: Vec<Value> = list
        .iter()
        .enumerate()
        .filter_map(|(index, row)| reader.row(row, &format!("components.{index}")))
        .collect();
    reader.form.finish(json!({"custom_id": custom_id, "title": title, "components": rows}))
}

struct Reader {
    form: Form,
    seen: HashSet<String>,
    count: u32,
}

impl Reader {
    fn row(&mut self, value: &Value, path: &str) -> Option<Value> {
        let given = self.form.dictionary(path, value)?;
        self.count += 1;
        let mut shown = json!({"type": given.get("type"), "id": self.count});
        match given.get("type").and_then(Value::as_i64) {
            Some(ACTION_ROW) => {
                let at = format!("{path}.components");
                let inner = self.form.list(given, &at).unwrap_or_default();
                if inner.len() != 1 {
                    self.form.count(&at, inner.len(), 1..=1);
                }
                let inner = inner.iter().enumerate();
                let inner: Vec<Value> = inner
                    .filter_map(|(index, input)| self.input(input, &format!("{at}.{index}"), true))
                    .collect();
                shown["components"] = inner.into();
            }
            Some(LABEL) => {
                shown["label"] = self.form.required_text(given, &format!("{path}.label"), 45).into();
                if let Some(text) = self.form.text(given, &format!("{path}.description"), 0..=100) {
                    shown["description"] = text.into();
                }
                let at = format!("{path}.component");
                match given.get("component") {
                    Some(input) => shown["component"] = self.input(input, &at, false)?,
                    None => self.form.required(&at),
                }
            }
            Some(TEXT_DISPLAY) => {
                shown["content"] = self.form.required_text(given, &format!("{path}.content"), 4000).into();
            }
            _ => {
                let message = "Value of field \"type\" must be one of (1, 10, 18).";
                self.form.refuse(path, "UNION_TYPE_CHOICES", message);
            }
        }
        Some(shown)
    }

    /// A text input, or within a label (which has its text) also a menu.
    fn input(&mut self, value: &Value, path: &str, in_row: bool) -> Option<Value> {
        let given = self.form.dictionary(path, value)?;
        let at = |key: &str| format!("{path}.{key}");
        self.count += 1;
        let kind = given.get("type").and_then(Value::as_i64);
        let mut shown: Map<String, Value> = given
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        shown.insert("id".to_owned(), self.count.into());
        let text = kind == Some(TEXT_INPUT);
        if !text && (in_row || !matches!(kind, Some(3 | 5..=8 | 19 | 21..=23))) {
            let message = "Value of field \"type\" must be one of (4,).";
            self.form.refuse(path, "UNION_TYPE_CHOICES", message);
            return None;
        }
        if let Some(id) = self.form.required_text(given, &at("custom_id"), 100)
            && !self.seen.insert(id)
        {
            let message = "Component custom id cannot be duplicated";
            self.form.refuse(&at("custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", message);
        }
        self.form.flag(given, &at("required"));
        self.form.text(given, &at("placeholder"), 0..=if text { 100 } else { 150 });
        if text {
            if in_row {
                self.form.required_text(given, &at("label"), 45);
            }
            if self.form.integer(given, &at("style"), 1..=2).is_none() && given.get("style").is_none() {
                self.form.required(&at("style"));
            }
            let least = self.form.integer(given, &at("min_length"), 0..=INPUT).unwrap_or(0);
            let most = self.form.integer(given, &at("max_length"), 1..=INPUT).unwrap_or(INPUT);
            if least > most {
                let message = "Must be greater than or equal to min_length.";
                self.form.refuse(&at("max_length"), "TEXT_INPUT_MAX_LENGTH_INVALID", message);
            }
            self.form.text(given, &at("value"), 0..=usize::try_from(INPUT).unwrap_or(0));
        }
        Some(shown.into())
    }
}

#[cfg(test)]
mod tests;
