//! JSON form validation: reads values from an object and collects errors as Discord's error tree.
//!
//! A path is separated by dots (`embeds.0.title`); the value is looked up by its last part.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use crate::sandbox::Snowflake;
use crate::sandbox::discord::model::Refusal;

/// The errors found in a request so far.
#[derive(Debug, Default)]
pub struct Form(Map<String, Value>);

impl From<Form> for Refusal {
    fn from(form: Form) -> Self {
        Self::Form(form.0)
    }
}

impl Form {
    /// Returns `value` if there are no errors, otherwise all errors.
    pub fn finish<T>(self, value: T) -> Result<T, Refusal> {
        if self.0.is_empty() { Ok(value) } else { Err(self.into()) }
    }

    /// Records an error at `path` (the whole request if empty).
    pub fn refuse(&mut self, path: &str, code: &str, message: &str) {
        let mut at = &mut self.0;
        for part in path.split('.').filter(|part| !part.is_empty()) {
            let next = at.entry(part).or_insert_with(|| json!({}));
            let Value::Object(next) = next else { return };
            at = next;
        }
        if let Value::Array(errors) = at.entry("_errors").or_insert_with(|| json!([])) {
            errors.push(json!({"code": code, "message": message}));
        }
    }

    /// Records that the value at `path` is required.
    pub fn required(&mut self, path: &str) {
        self.refuse(path, "BASE_TYPE_REQUIRED", "This field is required");
    }

    /// Records an error if `length` is not in `allowed`.
    pub fn count(&mut self, path: &str, length: usize, allowed: RangeInclusive<usize>) {
        let (least, most) = (*allowed.start(), *allowed.end());
        if allowed.contains(&length) {
        } else if least == 0 {
            self.refuse(path, "BASE_TYPE_MAX_LENGTH", &format!("Must be {most} or fewer in length."));
        } else {
            let message = format!("Must be between {least} and {most} in length.");
            self.refuse(path, "BASE_TYPE_BAD_LENGTH", &message);
        }
    }

    /// A text, trimmed and without control characters; `None` if absent or null. Numbers become text.
    pub fn text(
        &mut self,
        object: &Map<String, Value>,
        path: &str,
        length: RangeInclusive<usize>,
    ) -> Option<String> {
        let text = match value(object, path)? {
            Value::String(text) => clean(text),
            Value::Number(number) => number.to_string(),
            other => {
                self.refuse(
                    path,
                    "STRING_TYPE_CONVERT",
                    &format!("Could not interpret \"{other}\" as string."),
                );
                return None;
            }
        };
        self.count(path, text.chars().count(), length);
        Some(text)
    }

    /// A required text that must not be empty.
    pub fn required_text(&mut self, object: &Map<String, Value>, path: &str, most: usize) -> Option<String> {
        let text = self.text(object, path, 0..=most);
        let text = text.filter(|text| !text.is_empty());
        if text.is_none() && value(object, path).is_none_or(Value::is_string) {
            self.required(path);
        }
        text
    }

    /// An integer; `None` if absent or null.
    pub fn integer(
        &mut self,
        object: &Map<String, Value>,
        path: &str,
        allowed: RangeInclusive<i64>,
    ) -> Option<i64> {
        let value = value(object, path)?;
        let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
        let Some(number) = number else {
            self.refuse(path, "NUMBER_TYPE_COERCE", &format!("Value \"{}\" is not int.", plain(value)));
            return None;
        };
        if number < *allowed.start() {
            let message = format!("int value should be greater than or equal to {}.", allowed.start());
            self.refuse(path, "NUMBER_TYPE_MIN", &message);
        } else if number > *allowed.end() {
            let message = format!("int value should be less than or equal to {}.", allowed.end());
            self.refuse(path, "NUMBER_TYPE_MAX", &message);
        }
        Some(number)
    }

    /// A boolean; `None` if absent or null.
    pub fn flag(&mut self, object: &Map<String, Value>, path: &str) -> Option<bool> {
        let value = value(object, path)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.refuse(path, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.");
        }
        flag
    }

    /// The id under the last part of `path`.
    pub fn snowflake(&mut self, object: &Map<String, Value>, path: &str) -> Option<Snowflake> {
        let value = value(object, path)?;
        self.id(path, value)
    }

    /// An id as a value: digits in a string, or a number.
    pub fn id(&mut self, path: &str, value: &Value) -> Option<Snowflake> {
        let id = plain(value).parse().ok();
        if id.is_none() {
            self.refuse(path, "NUMBER_TYPE_COERCE", &format!("Value \"{}\" is not snowflake.", plain(value)));
        }
        id
    }

    /// The object under the last part of `path`.
    pub fn object<'a>(
        &mut self,
        object: &'a Map<String, Value>,
        path: &str,
    ) -> Option<&'a Map<String, Value>> {
        let value = value(object, path)?;
        self.dictionary(path, value)
    }

    /// An object as a value.
    pub fn dictionary<'a>(&mut self, path: &str, value: &'a Value) -> Option<&'a Map<String, Value>> {
        if !value.is_object() {
            self.refuse(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType");
        }
        value.as_object()
    }

    /// The list under the last part of `path`.
    pub fn list<'a>(&mut self, object: &'a Map<String, Value>, path: &str) -> Option<&'a [Value]> {
        let value = value(object, path)?;
        if !value.is_array() {
            self.refuse(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
        }
        value.as_array().map(Vec::as_slice)
    }

    /// A URL with one of these schemes and at most `most` characters.
    pub fn url(
        &mut self,
        object: &Map<String, Value>,
        path: &str,
        most: usize,
        schemes: &[&str],
    ) -> Option<String> {
        let url = self.text(object, path, 0..=most).filter(|url| !url.is_empty())?;
        match url.split_once(':') {
            Some((scheme, rest)) if !scheme.is_empty() && !scheme.contains(char::is_whitespace) => {
                let host = rest.strip_prefix("//").unwrap_or_default();
                let host = host.split(['/', '?', '#']).next().unwrap_or_default();
                if !schemes.contains(&scheme.to_ascii_lowercase().as_str()) {
                    let schemes: Vec<_> = schemes.iter().map(|scheme| format!("'{scheme}'")).collect();
                    let message = format!("Scheme \"{scheme}\" must be one of ({}).", schemes.join(", "));
                    self.refuse(path, "URL_TYPE_INVALID_SCHEME", &message);
                } else if host.is_empty() || host.contains(char::is_whitespace) {
                    self.refuse(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.");
                }
            }
            _ => self.refuse(path, "URL_TYPE_INVALID_URL", "Not a well formed URL."),
        }
        Some(url)
    }
}

/// The value under the last part of `path`; `null` counts as absent.
fn value<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let key = path.rsplit('.').next().unwrap_or(path);
    object.get(key).filter(|value| !value.is_null())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Text as Discord stores it: trimmed, without control characters except new lines and tabs.
fn clean(text: &str) -> String {
    let kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().filter(kept).collect::<String>().trim().to_owned()
}
