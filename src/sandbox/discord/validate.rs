//! Validation of message bodies: lengths, counts and shapes, checked before anything else.
//!
//! It parses the JSON of a request into a [`Draft`] or an [`Edit`], trimmed and in display form, or into the tree of
//! all its errors. It knows nothing of channels, users or permissions. Unknown keys are ignored, as Discord ignores
//! them. Lengths are counted in Unicode code points, after trimming.

use serde_json::{Map, Value};

use crate::sandbox::Snowflake;
use crate::sandbox::discord::model::{AllowedMentions, Draft, EPHEMERAL, Edit, Reference, Refusal};

mod command;
mod component;
mod embed;
mod form;
mod modal;
mod place;

pub use command::{choices, command};
pub use form::Form;
pub use modal::modal;
pub use place::{channel, opening, tags, webhook_name};

/// Maximum characters of a message's content (Discord: "Create Message").
const CONTENT: usize = 2000;
/// Maximum characters of a nonce.
const NONCE: usize = 25;
/// Maximum ids in each list of `allowed_mentions`.
const MENTIONS: usize = 100;
/// How many messages one bulk delete may contain.
const BULK: std::ops::RangeInclusive<usize> = 2..=100;
/// Maximum files of a message.
const FILES: usize = 10;
/// The flags that a message may be sent with: `SUPPRESS_EMBEDS`, `SUPPRESS_NOTIFICATIONS`, `IS_VOICE_MESSAGE`,
/// `IS_COMPONENTS_V2`. Others are ignored.
const SETTABLE_FLAGS: u64 = 1 << 2 | 1 << 12 | 1 << 13 | 1 << 15;
/// The flag of messages that consist of components only.
const COMPONENTS_V2: u64 = 1 << 15;

/// Parses the body of Create Message.
pub fn draft(body: &Value) -> Result<Draft, Refusal> {
    read(body, SETTABLE_FLAGS)
}

/// Parses a message that answers an interaction; it may be ephemeral.
pub fn answer(body: &Value) -> Result<Draft, Refusal> {
    read(body, SETTABLE_FLAGS | EPHEMERAL)
}

fn read(body: &Value, settable: u64) -> Result<Draft, Refusal> {
    let mut form = Form::default();
    let Some(body) = object(&mut form, body) else { return Err(form.into()) };
    let flags = flags(&mut form, body, settable).unwrap_or(0);
    let draft = Draft {
        content: form.text(body, "content", 0..=CONTENT).unwrap_or_default(),
        embeds: embed::embeds(&mut form, body).unwrap_or_default(),
        components: component::components(&mut form, body, flags & COMPONENTS_V2 != 0).unwrap_or_default(),
        files: Vec::new(),
        allowed_mentions: allowed_mentions(&mut form, body),
        nonce: nonce(&mut form, body),
        enforce_nonce: form.flag(body, "enforce_nonce").unwrap_or(false),
        tts: form.flag(body, "tts").unwrap_or(false),
        flags,
        reference: reference(&mut form, body),
    };
    if flags & COMPONENTS_V2 != 0 {
        alone(&mut form, !draft.content.is_empty(), !draft.embeds.is_empty());
    }
    form.finish(draft)
}

/// Parses the body of Edit Message for a message with the flags `before`. `null` clears a field, an absent one stays.
/// A message that consists of components only stays so.
pub fn edit(body: &Value, before: u64) -> Result<Edit, Refusal> {
    let mut form = Form::default();
    let Some(body) = object(&mut form, body) else { return Err(form.into()) };
    let flags = flags(&mut form, body, SETTABLE_FLAGS).map(|flags| flags | before & COMPONENTS_V2);
    let tree = flags.unwrap_or(before) & COMPONENTS_V2 != 0;
    let has = |key: &str| body.contains_key(key);
    let edit = Edit {
        content: form.text(body, "content", 0..=CONTENT).or_else(|| has("content").then(String::new)),
        embeds: embed::embeds(&mut form, body).or_else(|| has("embeds").then(Vec::new)),
        components: component::components(&mut form, body, tree).or_else(|| has("components").then(Vec::new)),
        allowed_mentions: allowed_mentions(&mut form, body),
        flags,
    };
    if tree {
        let content = edit.content.as_ref().is_some_and(|content| !content.is_empty());
        alone(&mut form, content, edit.embeds.as_ref().is_some_and(|embeds| !embeds.is_empty()));
    }
    form.finish(edit)
}

/// Components only means: neither text nor embeds.
fn alone(form: &mut Form, content: bool, embeds: bool) {
    for (key, used) in [("content", content), ("embeds", embeds)] {
        if used {
            let message =
                format!("The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2");
            form.refuse(key, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", &message);
        }
    }
}

/// Parses the body of Bulk Delete Messages.
pub fn message_ids(body: &Value) -> Result<Vec<Snowflake>, Refusal> {
    let mut form = Form::default();
    let Some(body) = object(&mut form, body) else { return Err(form.into()) };
    let Some(list) = body.get("messages").and_then(Value::as_array) else {
        form.required("messages");
        return Err(form.into());
    };
    form.count("messages", list.len(), BULK);
    let ids = list.iter().enumerate().filter_map(|(at, id)| form.id(&format!("messages.{at}"), id)).collect();
    form.finish(ids)
}

/// Checks the number of files in a message.
pub fn file_count(count: usize) -> Result<(), Refusal> {
    let mut form = Form::default();
    form.count("attachments", count, 0..=FILES);
    form.finish(())
}

fn object<'a>(form: &mut Form, body: &'a Value) -> Option<&'a Map<String, Value>> {
    if !body.is_object() {
        form.refuse("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType");
    }
    body.as_object()
}

fn flags(form: &mut Form, body: &Map<String, Value>, settable: u64) -> Option<u64> {
    let flags = form.integer(body, "flags", 0..=i64::from(i32::MAX))?;
    u64::try_from(flags).ok().map(|flags| flags & settable)
}

fn nonce(form: &mut Form, body: &Map<String, Value>) -> Option<Value> {
    let nonce = body.get("nonce").filter(|nonce| !nonce.is_null())?;
    match nonce {
        Value::String(text) if text.chars().count() > NONCE => {
            let message = format!("Must be {NONCE} or fewer characters long.");
            form.refuse("nonce", "NONCE_TYPE_TOO_LONG", &message);
        }
        Value::String(_) => {}
        Value::Number(number) if number.is_i64() || number.is_u64() => {}
        _ => form.refuse("nonce", "NONCE_TYPE_INVALID_TYPE", "This field must be a string or integer."),
    }
    Some(nonce.clone())
}

fn reference(form: &mut Form, body: &Map<String, Value>) -> Option<Reference> {
    let reference = form.object(body, "message_reference")?;
    let message = form.snowflake(reference, "message_reference.message_id");
    if message.is_none() && reference.get("message_id").is_none_or(Value::is_null) {
        form.required("message_reference.message_id");
    }
    Some(Reference {
        channel: form.snowflake(reference, "message_reference.channel_id"),
        message: message?,
        must_exist: form.flag(reference, "message_reference.fail_if_not_exists").unwrap_or(true),
    })
}

fn allowed_mentions(form: &mut Form, body: &Map<String, Value>) -> Option<AllowedMentions> {
    let given = form.object(body, "allowed_mentions")?;
    let mut allowed = AllowedMentions {
        users: ids(form, given, "allowed_mentions.users"),
        roles: ids(form, given, "allowed_mentions.roles"),
        replied_user: form.flag(given, "allowed_mentions.replied_user").unwrap_or(false),
        ..AllowedMentions::default()
    };
    for (index, kind) in
        form.list(given, "allowed_mentions.parse").iter().flat_map(|list| list.iter()).enumerate()
    {
        let explicit = match kind.as_str() {
            Some("users") => {
                allowed.all_users = true;
                !allowed.users.is_empty()
            }
            Some("roles") => {
                allowed.all_roles = true;
                !allowed.roles.is_empty()
            }
            Some("everyone") => {
                allowed.everyone = true;
                false
            }
            _ => {
                form.refuse(
                    &format!("allowed_mentions.parse.{index}"),
                    "BASE_TYPE_CHOICES",
                    "Value must be one of ('users', 'roles', 'everyone').",
                );
                false
            }
        };
        if explicit {
            let kind = kind.as_str().unwrap_or_default();
            let message = format!("parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.");
            form.refuse("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", &message);
        }
    }
    Some(allowed)
}

fn ids(form: &mut Form, given: &Map<String, Value>, path: &str) -> Vec<Snowflake> {
    let Some(list) = form.list(given, path) else { return Vec::new() };
    form.count(path, list.len(), 0..=MENTIONS);
    list.iter().enumerate().filter_map(|(index, id)| form.id(&format!("{path}.{index}"), id)).collect()
}

#[cfg(test)]
mod tests;
