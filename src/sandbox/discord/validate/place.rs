//! Validation of webhooks, threads and channels.

use serde_json::{Map, Value};

use super::form::Form;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::model::{Opening, Refusal};

/// Maximum characters of a webhook's name.
const WEBHOOK_NAME: usize = 80;
/// Maximum tags of a forum post.
const TAGS: usize = 5;
/// Minutes of inactivity before a thread is archived; the default is three days.
const ARCHIVE_AFTER: [i64; 4] = [60, 1440, 4320, 10_080];

/// The name of a webhook, or the one that replaces it in a message: at most 80 characters, and not Discord's own
/// (Discord: "Create Webhook"). `None` if absent.
pub fn webhook_name(body: &Value, key: &str) -> Result<Option<String>, Refusal> {
    let mut form = Form::default();
    let Some(given) = super::object(&mut form, body) else { return Err(form.into()) };
    let name = form.text(given, key, 1..=WEBHOOK_NAME);
    let lower = name.as_deref().unwrap_or_default().to_lowercase();
    for word in ["clyde", "discord"].iter().filter(|word| lower.contains(**word)) {
        let message = format!("Username cannot contain \"{word}\"");
        form.refuse(key, "USERNAME_INVALID_CONTAINS", &message);
    }
    form.finish(name)
}

/// The tags of a post: at most five.
pub fn tags(body: &Value) -> Result<Vec<Snowflake>, Refusal> {
    let mut form = Form::default();
    let Some(given) = super::object(&mut form, body) else { return Err(form.into()) };
    let tags = read_tags(&mut form, given);
    form.finish(tags)
}

fn read_tags(form: &mut Form, given: &Map<String, Value>) -> Vec<Snowflake> {
    let list = form.list(given, "applied_tags").unwrap_or_default();
    form.count("applied_tags", list.len(), 0..=TAGS);
    list.iter()
        .enumerate()
        .filter_map(|(index, tag)| form.id(&format!("applied_tags.{index}"), tag))
        .collect()
}

/// Parses a request to open a thread; `post` if it is a forum post, which has a message.
pub fn opening(body: &Value, post: bool) -> Result<Opening, Refusal> {
    let mut form = Form::default();
    let Some(given) = super::object(&mut form, body) else { return Err(form.into()) };
    let name = form.required_text(given, "name", 100).unwrap_or_default();
    let auto_archive = form.integer(given, "auto_archive_duration", i64::MIN..=i64::MAX).unwrap_or(4320);
    if !ARCHIVE_AFTER.contains(&auto_archive) {
        let message = "Value must be one of (60, 1440, 4320, 10080).";
        form.refuse("auto_archive_duration", "BASE_TYPE_CHOICES", message);
    }
    form.integer(given, "rate_limit_per_user", 0..=21_600);
    let kind = form.integer(given, "type", 0..=i64::from(u8::MAX)).and_then(|kind| u8::try_from(kind).ok());
    let invitable = form.flag(given, "invitable").unwrap_or(true);
    let tags = read_tags(&mut form, given);
    if post && !given.get("message").is_some_and(Value::is_object) {
        form.required("message");
    }
    let opening = form.finish(Opening { name, kind, auto_archive, invitable, tags, message: None })?;
    let message = given.get("message").filter(|_| post).map(super::draft).transpose();
    Ok(Opening { message: message.map_err(|refusal| refusal.within("message"))?, ..opening })
}

/// Parses name and topic of a channel; the name is optional only if `partial`.
pub fn channel(body: &Value, partial: bool) -> Result<(Option<String>, Option<String>), Refusal> {
    let mut form = Form::default();
    let Some(given) = super::object(&mut form, body) else { return Err(form.into()) };
    let name = form.text(given, "name", 1..=100);
    if name.is_none() && !partial {
        form.required("name");
    }
    let topic = form.text(given, "topic", 0..=4096);
    form.finish((name, topic))
}
