//! Validation of components: rows of buttons and selects, and the trees of messages that consist of components only
//! (Discord: "Component Reference").

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::form::Form;

/// Maximum rows of a message, and buttons of a row.
const ROW: usize = 5;
/// Maximum components of a tree, nested ones included.
const TREE: usize = 40;
/// Maximum characters of all text displays of a tree.
const TREE_TEXT: usize = 4000;
/// Maximum characters of a link button's URL.
const LINK: usize = 512;

const ACTION_ROW: i64 = 1;
const BUTTON: i64 = 2;
const STRING_SELECT: i64 = 3;
const LINK_STYLE: i64 = 5;
const PREMIUM_STYLE: i64 = 6;
const TEXT_DISPLAY: i64 = 10;
/// Types allowed at the top of a tree: action row, section, text display, gallery, file, separator, container.
const TOP_OF_TREE: [i64; 7] = [1, 9, 10, 12, 13, 14, 17];

/// The keys of all component types together.
const KEYS: [&str; 24] = [
    "type",
    "id",
    "custom_id",
    "style",
    "label",
    "disabled",
    "emoji",
    "url",
    "sku_id",
    "options",
    "placeholder",
    "min_values",
    "max_values",
    "channel_types",
    "default_values",
    "content",
    "media",
    "items",
    "description",
    "spoiler",
    "spacing",
    "divider",
    "file",
    "accent_color",
];

/// Totals over a whole message.
#[derive(Default)]
struct Seen {
    custom_ids: HashSet<String>,
    count: usize,
    text: usize,
}

/// Parses `components`; `None` if the key is absent. Each component gets an `id`, numbered as Discord does.
pub(super) fn components(form: &mut Form, body: &Map<String, Value>, tree: bool) -> Option<Vec<Value>> {
    let list = form.list(body, "components")?;
    let top: &[i64] = if tree { &TOP_OF_TREE } else { &[ACTION_ROW] };
    form.count("components", list.len(), 0..=if tree { TREE } else { ROW });
    let mut seen = Seen::default();
    let mut shown = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let path = format!("components.{index}");
        let Some(given) = form.dictionary(&path, value) else { continue };
        match kind(given) {
            Some(kind) if top.contains(&kind) => shown.push(component(form, given, &path, &mut seen)),
            _ => {
                let names: String = top.iter().map(|kind| format!("{kind}, ")).collect();
                let message = format!("Value of field \"type\" must be one of ({}).", names.trim_end());
                form.refuse(&path, "UNION_TYPE_CHOICES", &message);
            }
        }
    }
    if tree && seen.count > TREE {
        form.refuse("components", "BASE_TYPE_MAX_LENGTH", &format!("Must be {TREE} or fewer in length."));
    }
    if seen.text > TREE_TEXT {
        let message = format!("The cumulative text display content must be {TREE_TEXT} or fewer in length.");
        form.refuse("components", "COMPONENT_MAX_TEXT_SIZE_EXCEEDED", &message);
    }
    Some(shown)
}

fn kind(given: &Map<String, Value>) -> Option<i64> {
    given.get("type").and_then(Value::as_i64)
}

fn component(form: &mut Form, given: &Map<String, Value>, path: &str, seen: &mut Seen) -> Value {
    seen.count += 1;
    let mut shown = shown(given);
    let id = form.integer(given, &format!("{path}.id"), 0..=i64::from(i32::MAX)).filter(|id| *id > 0);
    shown.insert("id".to_owned(), id.map_or_else(|| seen.count.into(), Value::from));
    match kind(given) {
        Some(ACTION_ROW) => row(form, given, path),
        Some(BUTTON) => button(form, given, path, seen),
        Some(3 | 5..=8) => select(form, given, path, seen),
        Some(TEXT_DISPLAY) => {
            let text = form.required_text(given, &format!("{path}.content"), TREE_TEXT);
            seen.text += text.map_or(0, |text| text.chars().count());
        }
        _ => {}
    }
    if let Some(inner) = form.list(given, &format!("{path}.components")) {
        let inner = inner.iter().enumerate().filter_map(|(index, value)| {
            let path = format!("{path}.components.{index}");
            form.dictionary(&path, value).map(|given| component(form, given, &path, seen))
        });
        shown.insert("components".to_owned(), Value::Array(inner.collect()));
    }
    if let Some(accessory) = form.object(given, &format!("{path}.accessory")) {
        let accessory = component(form, accessory, &format!("{path}.accessory"), seen);
        shown.insert("accessory".to_owned(), accessory);
    }
    Value::Object(shown)
}

/// A component in its display form: known keys, without nulls, texts trimmed, with Discord's defaults.
fn shown(given: &Map<String, Value>) -> Map<String, Value> {
    let known = given.iter().filter(|(key, value)| KEYS.contains(&key.as_str()) && !value.is_null());
    let trimmed = known.map(|(key, value)| {
        let value = value.as_str().map_or_else(|| value.clone(), |text| text.trim().into());
        (key.clone(), value)
    });
    let mut shown: Map<String, Value> = trimmed.collect();
    let defaults = match kind(given) {
        Some(3 | 5..=8) => json!({"min_values": 1, "max_values": 1}),
        Some(11) => json!({"description": null, "spoiler": false}),
        Some(13) => json!({"name": null, "size": null, "spoiler": false}),
        Some(14) => json!({"divider": true, "spacing": 1}),
        Some(17) => json!({"accent_color": null, "spoiler": false}),
        _ => Value::Null,
    };
    for (key, value) in defaults.as_object().into_iter().flatten() {
        shown.entry(key).or_insert_with(|| value.clone());
    }
    shown
}

fn row(form: &mut Form, given: &Map<String, Value>, path: &str) {
    let at = format!("{path}.components");
    let Some(inner) = form.list(given, &at) else { return form.required(&at) };
    let kinds: Vec<Option<i64>> = inner.iter().map(|one| one.get("type").and_then(Value::as_i64)).collect();
    let selects = kinds.iter().filter(|kind| matches!(kind, Some(3 | 5..=8))).count();
    for (index, kind) in kinds.iter().enumerate() {
        if !matches!(kind, Some(2 | 3 | 5..=8)) {
            let message = "Value of field \"type\" must be one of (2, 3, 5, 6, 7, 8).";
            form.refuse(&format!("{at}.{index}"), "UNION_TYPE_CHOICES", message);
        }
    }
    if selects > 0 && kinds.len() > 1 {
        let message = "The specified component exceeds the maximum width";
        form.refuse(&at, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", message);
    } else {
        form.count(&at, inner.len(), 1..=ROW);
    }
}

fn button(form: &mut Form, given: &Map<String, Value>, path: &str, seen: &mut Seen) {
    let at = |key: &str| format!("{path}.{key}");
    let label = form.text(given, &at("label"), 0..=80).filter(|label| !label.is_empty());
    form.flag(given, &at("disabled"));
    let has = |key: &str| given.get(key).is_some_and(|value| !value.is_null());
    if !has("style") {
        return form.required(&at("style"));
    }
    let style = match form.integer(given, &at("style"), i64::MIN..=i64::MAX) {
        Some(style @ 1..=PREMIUM_STYLE) => style,
        Some(_) => {
            let message = "Value must be one of (1, 2, 3, 4, 5, 6).";
            return form.refuse(&at("style"), "BASE_TYPE_CHOICES", message);
        }
        None => return,
    };
    if style == PREMIUM_STYLE {
        return;
    }
    if label.is_none() && !has("emoji") {
        form.required(&at("label"));
    }
    if style == LINK_STYLE {
        if form.url(given, &at("url"), LINK, &["http", "https", "discord"]).is_none() {
            form.refuse(&at("url"), "BUTTON_COMPONENT_URL_REQUIRED", "A url is required");
        }
        if has("custom_id") {
            both(form, path);
        }
    } else {
        if has("url") {
            both(form, path);
        }
        custom_id(form, given, path, seen);
    }
}

fn both(form: &mut Form, path: &str) {
    let message = "A custom id and url cannot both be specified";
    form.refuse(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message);
}

fn select(form: &mut Form, given: &Map<String, Value>, path: &str, seen: &mut Seen) {
    custom_id(form, given, path, seen);
    form.text(given, &format!("{path}.placeholder"), 0..=150);
    if kind(given) != Some(STRING_SELECT) {
        return;
    }
    let at = format!("{path}.options");
    let Some(options) = form.list(given, &at) else { return form.required(&at) };
    form.count(&at, options.len(), 1..=25);
    for (index, option) in options.iter().enumerate() {
        let at = format!("{at}.{index}");
        let Some(option) = form.dictionary(&at, option) else { continue };
        form.required_text(option, &format!("{at}.label"), 100);
        form.required_text(option, &format!("{at}.value"), 100);
        form.text(option, &format!("{at}.description"), 0..=100);
    }
}

/// A custom id is required and must be unique in a message, disabled components included.
fn custom_id(form: &mut Form, given: &Map<String, Value>, path: &str, seen: &mut Seen) {
    let at = format!("{path}.custom_id");
    let Some(id) = form.text(given, &at, 1..=100) else { return form.required(&at) };
    if !seen.custom_ids.insert(id) {
        form.refuse(&at, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated");
    }
}
