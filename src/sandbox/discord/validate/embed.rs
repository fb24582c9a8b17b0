//! Validation of embeds: their limits (Discord: "Embed Limits") and their display form.

use serde_json::{Map, Value, json};

use super::form::Form;
use crate::clock::Timestamp;
use crate::sandbox::discord::model::iso;

/// Maximum embeds of a message.
const EMBEDS: usize = 10;
/// Maximum fields of an embed.
const FIELDS: usize = 25;
/// Maximum characters of titles, descriptions, names, values, footers and authors over all embeds of a message.
const SUM: usize = 6000;
/// Maximum characters of a URL.
const URL: usize = 2048;
/// The largest color value.
const WHITE: i64 = 0xFF_FFFF;
/// Allowed schemes of URLs in an embed.
const WEB: [&str; 2] = ["http", "https"];
/// Allowed schemes of image URLs.
const IMAGES: [&str; 3] = ["http", "https", "attachment"];

/// Parses `embeds`; `None` if the key is absent.
pub(super) fn embeds(form: &mut Form, body: &Map<String, Value>) -> Option<Vec<Value>> {
    let list = form.list(body, "embeds")?;
    form.count("embeds", list.len(), 0..=EMBEDS);
    let mut sum = 0;
    let embeds = list.iter().enumerate().filter_map(|(index, value)| {
        let path = format!("embeds.{index}");
        let given = form.dictionary(&path, value)?;
        Some(embed(form, given, &path, &mut sum))
    });
    let embeds = embeds.collect();
    if sum > SUM {
        form.refuse(
            "embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
            &format!("Embed size exceeds maximum size of {SUM}"),
        );
    }
    Some(embeds)
}

fn embed(form: &mut Form, given: &Map<String, Value>, path: &str, sum: &mut usize) -> Value {
    let mut shown = Map::from_iter([("type".to_owned(), json!("rich"))]);
    let mut keep = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown.insert(key.to_owned(), value);
        }
    };
    let at = |key: &str| format!("{path}.{key}");
    keep("url", form.url(given, &at("url"), URL, &WEB).map(Value::from));
    keep("title", counted(form.text(given, &at("title"), 0..=256), sum));
    keep("description", counted(form.text(given, &at("description"), 0..=4096), sum));
    keep("color", form.integer(given, &at("color"), 0..=WHITE).map(Value::from));
    keep("timestamp", timestamp(form, given, &at("timestamp")));
    keep("fields", fields(form, given, &at("fields"), sum));
    keep("author", named(form, given, &at("author"), ("name", 256), sum));
    keep("footer", named(form, given, &at("footer"), ("text", 2048), sum));
    keep("image", image(form, given, &at("image")));
    keep("thumbnail", image(form, given, &at("thumbnail")));
    let substance = ["title", "description", "fields", "author", "footer", "image", "thumbnail"];
    let wanted = substance.iter().any(|key| given.get(*key).is_some_and(|value| !value.is_null()));
    if !wanted || !substance.iter().any(|key| shown.contains_key(*key)) {
        form.required(&at("description"));
    }
    Value::Object(shown)
}

/// Adds a text to the sum of characters; an empty one counts as absent.
fn counted(text: Option<String>, sum: &mut usize) -> Option<Value> {
    let text = text.filter(|text| !text.is_empty())?;
    *sum += text.chars().count();
    Some(text.into())
}

fn fields(form: &mut Form, given: &Map<String, Value>, path: &str, sum: &mut usize) -> Option<Value> {
    let list = form.list(given, path).filter(|list| !list.is_empty())?;
    form.count(path, list.len(), 0..=FIELDS);
    let fields = list.iter().enumerate().filter_map(|(index, value)| {
        let path = format!("{path}.{index}");
        let field = form.dictionary(&path, value)?;
        let name = counted(form.required_text(field, &format!("{path}.name"), 256), sum);
        let value = counted(form.required_text(field, &format!("{path}.value"), 1024), sum);
        let inline = form.flag(field, &format!("{path}.inline")).unwrap_or(false);
        Some(json!({"name": name, "value": value, "inline": inline}))
    });
    Some(Value::Array(fields.collect()))
}

/// An author or a footer: a required text, and URLs.
fn named(
    form: &mut Form,
    given: &Map<String, Value>,
    path: &str,
    (key, most): (&str, usize),
    sum: &mut usize,
) -> Option<Value> {
    let part = form.object(given, path)?;
    let mut shown = Map::new();
    shown.insert(key.to_owned(), counted(form.required_text(part, &format!("{path}.{key}"), most), sum)?);
    if let Some(url) = form.url(part, &format!("{path}.url"), URL, &WEB).filter(|_| key == "name") {
        shown.insert("url".to_owned(), url.into());
    }
    if let Some(icon) = form.url(part, &format!("{path}.icon_url"), URL, &IMAGES) {
        shown.insert("icon_url".to_owned(), icon.clone().into());
        shown.insert("proxy_icon_url".to_owned(), icon.into());
    }
    Some(Value::Object(shown))
}

fn image(form: &mut Form, given: &Map<String, Value>, path: &str) -> Option<Value> {
    let image = form.object(given, path)?;
    let at = format!("{path}.url");
    let Some(url) = form.url(image, &at, URL, &IMAGES) else {
        form.required(&at);
        return None;
    };
    Some(json!({"url": url, "proxy_url": url, "width": 0, "height": 0, "flags": 0}))
}

/// An ISO 8601 time; a date alone is valid too.
fn timestamp(form: &mut Form, given: &Map<String, Value>, path: &str) -> Option<Value> {
    let text = form.text(given, path, 0..=100)?;
    let parsed = Timestamp::parse_rfc3339(&text)
        .or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")))
        .or_else(|| Timestamp::parse_rfc3339(&format!("{text}:00Z")));
    if parsed.is_none() {
        let message = format!("Could not parse {text}. Should be ISO8601.");
        form.refuse(path, "DATE_TIME_TYPE_PARSE", &message);
    }
    parsed.map(|at| iso(at).into())
}
