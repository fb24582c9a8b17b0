//! Reaction and pin routes.

use serde_json::{Value, json};

use super::Call;
use super::reply::Answer;
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::model::{Refusal, World};

/// All reactions of a message, or all with one emoji: list or remove.
pub(super) fn all(
    world: &mut World,
    user: Snowflake,
    (channel, message): (Snowflake, Snowflake),
    emoji: Option<&str>,
    call: &Call,
) -> Result<Answer, Refusal> {
    match (call.method.as_str(), emoji) {
        ("GET", Some(emoji)) => world.reactors(user, channel, message, emoji).map(Answer::json),
        ("DELETE", _) => world.clear_reactions(user, channel, message, emoji).map(|()| Answer::empty()),
        _ => Err(Refusal::MethodNotAllowed),
    }
}

/// The caller's own reaction, or another user's.
pub(super) fn one(
    world: &mut World,
    user: Snowflake,
    (channel, message): (Snowflake, Snowflake),
    (emoji, whose): (&str, Option<Snowflake>),
    call: &Call,
) -> Result<Answer, Refusal> {
    match (call.method.as_str(), whose) {
        ("PUT", None) => world.react(user, channel, message, emoji)?,
        ("DELETE", whose) => world.unreact(user, channel, message, emoji, whose.unwrap_or(user))?,
        _ => return Err(Refusal::MethodNotAllowed),
    }
    Ok(Answer::empty())
}

/// The pinned messages of a channel.
pub(super) fn pins(
    world: &World,
    user: Snowflake,
    channel: Snowflake,
    bare: bool,
    call: &Call,
) -> Result<Answer, Refusal> {
    if call.method != "GET" {
        return Err(Refusal::MethodNotAllowed);
    }
    let found = world.pins(user, channel)?;
    if bare {
        return Ok(Answer::json(found.into_iter().map(|(_, message)| message).collect()));
    }
    let items: Vec<Value> =
        found.into_iter().map(|(at, message)| json!({"pinned_at": at, "message": message})).collect();
    Ok(Answer::json(json!({"items": items, "has_more": false})))
}

/// Pins or unpins a message.
pub(super) fn pin(
    world: &mut World,
    user: Snowflake,
    (channel, message): (Snowflake, Snowflake),
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let pinned = match call.method.as_str() {
        "PUT" => Some(now),
        "DELETE" => None,
        _ => return Err(Refusal::MethodNotAllowed),
    };
    world.pin(user, channel, message, pinned).map(|()| Answer::empty())
}
