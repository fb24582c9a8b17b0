//! Validation of application commands: names, options, choices (Discord: "Application Commands"), and an
//! application's autocomplete choices.
//!
//! Empty values that clients send without intent (`options: []`, `channel_types: []`, `min_value: null`) count as
//! absent.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::form::Form;
use crate::sandbox::discord::model::Refusal;

/// Maximum options of a command, subcommands of a group, and choices of an option.
const EACH: usize = 25;
/// Maximum characters of all names, descriptions and values of a command.
const SUM: usize = 8000;

const SUBCOMMAND: i64 = 1;
const GROUP: i64 = 2;
const STRING: i64 = 3;
const INTEGER: i64 = 4;
const CHANNEL: i64 = 7;
const NUMBER: i64 = 10;
const LAST: i64 = 11;

/// Parses a command into its display form. With `before`, the body is a change of that command.
pub fn command(body: &Value, before: Option<&Map<String, Value>>) -> Result<Map<String, Value>, Refusal> {
    let mut form = Form::default();
    let Some(given) = super::object(&mut form, body) else { return Err(form.into()) };
    let mut all = before.cloned().unwrap_or_default();
    // The type of a command never changes.
    let kept = |key: &str| before.is_none() || key != "type";
    all.extend(given.iter().filter(|(key, _)| kept(key)).map(|(key, value)| (key.clone(), value.clone())));
    let mut reader = Reader { form, sum: 0 };
    let shown = reader.command(&all);
    if reader.sum > SUM {
        let message = format!("Application command exceeds maximum size of {SUM}");
        reader.form.refuse("", "APPLICATION_COMMAND_TOO_LARGE", &message);
    }
    reader.form.finish(shown)
}

/// Parses the choices of an autocompletion: at most 25.
pub fn choices(body: &Value) -> Result<Vec<Value>, Refusal> {
    let mut form = Form::default();
    let Some(given) = super::object(&mut form, body) else { return Err(form.into()) };
    if given.get("choices").is_none_or(Value::is_null) {
        form.required("choices");
    }
    let mut reader = Reader { form, sum: 0 };
    let choices = reader.choices(given, "choices", None).unwrap_or_default();
    reader.form.finish(choices)
}

struct Reader {
    form: Form,
    sum: usize,
}

impl Reader {
    fn command(&mut self, given: &Map<String, Value>) -> Map<String, Value> {
        let mut shown = Map::new();
        let kind = self.form.integer(given, "type", i64::MIN..=i64::MAX).unwrap_or(1);
        if !(1..=4).contains(&kind) {
            let message = "Value must be one of (1, 2, 3, 4).";
            self.form.refuse("type", "BASE_TYPE_CHOICES", message);
        }
        shown.insert("type".to_owned(), kind.into());
        let slash = kind == 1;
        shown.insert("name".to_owned(), self.name(given, "name", slash).into());
        let description = self.form.text(given, "description", 0..=100).unwrap_or_default();
        if slash && description.is_empty() {
            self.form.required("description");
        } else if !slash && !description.is_empty() {
            let message = "Context menu commands cannot have description";
            self.form.refuse(
                "description",
                "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_CANNOT_BE_SET",
                message,
            );
        }
        self.sum += description.chars().count();
        shown.insert("description".to_owned(), description.into());
        for (key, most) in [("name_localizations", 32), ("description_localizations", 100)] {
            self.localized(given, key, most, &mut shown);
        }
        let bits = self.form.text(given, "default_member_permissions", 0..=20);
        if bits.as_ref().is_some_and(|bits| bits.parse::<u64>().is_err()) {
            let message = "Value is not a bit set in a string.";
            self.form.refuse("default_member_permissions", "BITSET_TYPE_CONVERT", message);
        }
        shown.insert("default_member_permissions".to_owned(), bits.map_or(Value::Null, Value::from));
        for key in ["nsfw", "dm_permission"] {
            if let Some(flag) = self.form.flag(given, key) {
                shown.insert(key.to_owned(), flag.into());
            }
        }
        for (key, most) in [("contexts", 2), ("integration_types", 1)] {
            if let Some(list) = self.numbers(given, key, most) {
                shown.insert(key.to_owned(), list);
            }
        }
        match self.options(given, "options", 0) {
            Some(_) if !slash => {
                let message = "Context menu commands cannot have options";
                self.form.refuse(
                    "options",
                    "APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS_CANNOT_BE_SET",
                    message,
                );
            }
            Some(options) => _ = shown.insert("options".to_owned(), options.into()),
            None => {}
        }
        shown
    }

    /// A name; names of slash commands and options must be lower case without spaces.
    fn name(&mut self, given: &Map<String, Value>, path: &str, strict: bool) -> String {
        let Some(name) = self.form.required_text(given, path, 32) else { return String::new() };
        let allowed = |c: char| c.is_alphanumeric() || "-_'".contains(c) || is_mark(c);
        // Letters without a lower case stay as they are.
        let lower = name.to_lowercase() == name;
        if strict && (!lower || !name.chars().all(allowed)) {
            let message = "Command name is invalid";
            self.form.refuse(path, "APPLICATION_COMMAND_INVALID_NAME", message);
        }
        self.sum += name.chars().count();
        name
    }

    fn localized(
        &mut self,
        given: &Map<String, Value>,
        path: &str,
        most: usize,
        shown: &mut Map<String, Value>,
    ) {
        let Some(names) = self.form.object(given, path) else { return };
        let key = path.rsplit('.').next().unwrap_or(path).to_owned();
        for locale in names.keys() {
            self.form.text(names, &format!("{path}.{locale}"), 1..=most);
        }
        shown.insert(key, names.clone().into());
    }

    /// A list of distinct numbers from 0 to `most`.
    fn numbers(&mut self, given: &Map<String, Value>, path: &str, most: u64) -> Option<Value> {
        let list = self.form.list(given, path)?;
        let mut seen = HashSet::new();
        for (index, one) in list.iter().enumerate() {
            if one.as_u64().is_none_or(|number| number > most || !seen.insert(number)) {
                let message = format!("Value must be one of (0..{most}).");
                self.form.refuse(&format!("{path}.{index}"), "BASE_TYPE_CHOICES", &message);
            }
        }
        Some(list.to_vec().into())
    }

    /// Options; `None` if there are none. `depth` is 0 in the command, 1 in a group, 2 in a subcommand.
    fn options(&mut self, given: &Map<String, Value>, path: &str, depth: u8) -> Option<Vec<Value>> {
        let list = self.form.list(given, path).filter(|list| !list.is_empty())?.to_vec();
        self.form.count(path, list.len(), 0..=EACH);
        let mut names = HashSet::new();
        let (mut optional, mut values, mut nested) = (false, false, false);
        let mut shown = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let at = format!("{path}.{index}");
            let Some(option) = self.form.dictionary(&at, value) else { continue };
            let read = self.option(option, &at, depth);
            if !names.insert(read["name"].clone()) {
                let message = "Option names must be unique";
                let at = format!("{at}.name");
                self.form.refuse(&at, "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", message);
            }
            if read["required"] == true && optional {
                let message = "Required options must be placed before non-required options";
                self.form.refuse(&at, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message);
            }
            let inner = matches!(read["type"].as_i64(), Some(SUBCOMMAND | GROUP));
            optional |= !inner && read["required"] != true;
            values |= !inner;
            nested |= inner;
            if values && nested {
                let message = "Sub-command and sub-command group option types are mutually exclusive to all \
                               other types";
                self.form.refuse(&at, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message);
            }
            shown.push(read);
        }
        Some(shown)
    }

    fn option(&mut self, given: &Map<String, Value>, path: &str, depth: u8) -> Value {
        let at = |key: &str| format!("{path}.{key}");
        let kind = self.form.integer(given, &at("type"), i64::MIN..=i64::MAX);
        // A command may contain groups and subcommands, a group subcommands, a subcommand neither.
        let least = match depth {
            0 | 1 => SUBCOMMAND,
            _ => STRING,
        };
        let kind = match kind {
            Some(kind) if kind == GROUP && depth > 0 => None,
            Some(kind) if (least..=LAST).contains(&kind) => Some(kind),
            Some(_) => None,
            None => {
                self.form.required(&at("type"));
                Some(STRING)
            }
        };
        let Some(kind) = kind else {
            let message = "Value must be one of the types of options that may stand here.";
            self.form.refuse(&at("type"), "BASE_TYPE_CHOICES", message);
            return Value::Null;
        };
        let mut shown = Map::from_iter([("type".to_owned(), json!(kind))]);
        shown.insert("name".to_owned(), self.name(given, &at("name"), true).into());
        let description = self.form.required_text(given, &at("description"), 100).unwrap_or_default();
        self.sum += description.chars().count();
        shown.insert("description".to_owned(), description.into());
        self.localized(given, &at("name_localizations"), 32, &mut shown);
        self.localized(given, &at("description_localizations"), 100, &mut shown);
        if matches!(kind, SUBCOMMAND | GROUP) {
            let depth = if kind == GROUP { 1 } else { 2 };
            if let Some(options) = self.options(given, &at("options"), depth) {
                shown.insert("options".to_owned(), options.into());
            }
            return shown.into();
        }
        if self.form.flag(given, &at("required")) == Some(true) {
            shown.insert("required".to_owned(), true.into());
        }
        self.values(given, path, kind, &mut shown);
        shown.into()
    }

    /// The constraints on an option's value.
    fn values(&mut self, given: &Map<String, Value>, path: &str, kind: i64, shown: &mut Map<String, Value>) {
        let at = |key: &str| format!("{path}.{key}");
        let autocomplete = self.form.flag(given, &at("autocomplete")) == Some(true);
        if autocomplete {
            shown.insert("autocomplete".to_owned(), true.into());
        }
        if matches!(kind, STRING | INTEGER | NUMBER)
            && let Some(choices) = self.choices(given, &at("choices"), Some(kind))
        {
            if autocomplete && !choices.is_empty() {
                let message = "Autocomplete options cannot have choices";
                self.form.refuse(&at("choices"), "APPLICATION_COMMAND_AUTOCOMPLETE_CHOICES", message);
            }
            if !choices.is_empty() {
                shown.insert("choices".to_owned(), choices.into());
            }
        }
        for (key, least) in [("min_length", 0), ("max_length", 1)].into_iter().filter(|_| kind == STRING) {
            if let Some(length) = self.form.integer(given, &at(key), least..=6000) {
                shown.insert(key.to_owned(), length.into());
            }
        }
        for key in ["min_value", "max_value"].iter().filter(|_| matches!(kind, INTEGER | NUMBER)) {
            match given.get(*key).filter(|value| !value.is_null()) {
                Some(value) if value.is_number() => _ = shown.insert((*key).to_owned(), value.clone()),
                Some(value) => {
                    let message = format!("Value {value} is not a number.");
                    self.form.refuse(&at(key), "NUMBER_TYPE_COERCE", &message);
                }
                None => {}
            }
        }
        if kind == CHANNEL
            && let Some(kinds) = self.numbers(given, &at("channel_types"), 16)
            && kinds.as_array().is_some_and(|kinds| !kinds.is_empty())
        {
            shown.insert("channel_types".to_owned(), kinds);
        }
    }

    /// Choices, whose values must be of the option's kind; any kind, if it is unknown.
    fn choices(&mut self, given: &Map<String, Value>, path: &str, kind: Option<i64>) -> Option<Vec<Value>> {
        let list = self.form.list(given, path)?.to_vec();
        self.form.count(path, list.len(), 0..=EACH);
        let mut shown = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let at = |key: &str| format!("{path}.{index}.{key}");
            let Some(choice) = self.form.dictionary(&format!("{path}.{index}"), value) else { continue };
            let name = self.form.required_text(choice, &at("name"), 100).unwrap_or_default();
            self.sum += name.chars().count();
            let value = choice.get("value").cloned().unwrap_or(Value::Null);
            let fits = match kind {
                Some(INTEGER) => value.is_i64(),
                Some(NUMBER) => value.is_number(),
                Some(_) => value.is_string(),
                None => value.is_string() || value.is_number(),
            };
            if value.is_null() {
                self.form.required(&at("value"));
            } else if !fits {
                self.form.refuse(&at("value"), "BASE_TYPE_CONVERT", "The value is not of the option's type.");
            } else if let Some(text) = value.as_str() {
                self.form.count(&at("value"), text.chars().count(), 0..=100);
                self.sum += text.chars().count();
            }
            let mut read = json!({"name": name, "value": value});
            if let Some(names) = choice.get("name_localizations").filter(|names| names.is_object()) {
                read["name_localizations"] = names.clone();
            }
            shown.push(read);
        }
        Some(shown)
    }
}

/// Vowel signs and similar marks of Devanagari and Thai, which are not letters but are allowed in names.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{97f}' | '\u{e00}'..='\u{e7f}')
}

#[cfg(test)]
mod tests;
