//! Application command routes: register, change and list.

use serde_json::{Map, Value, json};

use super::Call;
use super::body::{self, Upload};
use super::reply::Answer;
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::model::{Refusal, World};
use crate::sandbox::discord::validate;

/// The commands of a scope: list, create one, or overwrite all.
pub(super) fn all(
    world: &mut World,
    guild: Option<Snowflake>,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let application = world.application();
    match call.method.as_str() {
        "GET" => {
            Ok(Answer::json(world.commands_in(guild).map(|command| command.object(application)).collect()))
        }
        "POST" => {
            let Upload { body, .. } = body::read(call)?;
            let (new, object) = world.register(guild, validate::command(&body, None)?, now)?;
            Ok(Answer { status: if new { 201 } else { 200 }, ..Answer::json(object) })
        }
        "PUT" => {
            let Upload { body, .. } = body::read(call)?;
            let Some(list) = body.as_array() else {
                let message = "Only iterables may be used in a ListType";
                return Err(Refusal::at("", "LIST_TYPE_CONVERT", message));
            };
            let mut errors = Map::new();
            let mut read = Vec::new();
            for (index, command) in list.iter().enumerate() {
                match validate::command(command, None) {
                    Ok(fields) => read.push(fields),
                    Err(Refusal::Form(wrong)) => _ = errors.insert(index.to_string(), wrong.into()),
                    Err(other) => return Err(other),
                }
            }
            if !errors.is_empty() {
                return Err(Refusal::Form(errors));
            }
            world.register_all(guild, read, now).map(Answer::json)
        }
        _ => Err(Refusal::MethodNotAllowed),
    }
}

/// One command: read, change or delete.
pub(super) fn one(
    world: &mut World,
    guild: Option<Snowflake>,
    id: Snowflake,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let application = world.application();
    match call.method.as_str() {
        "GET" => Ok(Answer::json(world.command(guild, id)?.object(application))),
        "PATCH" => {
            let before = world.command(guild, id)?.fields.clone();
            let Upload { body, .. } = body::read(call)?;
            let fields = validate::command(&body, Some(&before))?;
            world.change_command(guild, id, fields, now).map(Answer::json)
        }
        "DELETE" => world.unregister(guild, id).map(|()| Answer::empty()),
        _ => Err(Refusal::MethodNotAllowed),
    }
}

/// Command permissions: none are ever set here.
pub(super) fn permissions(call: &Call) -> Result<Answer, Refusal> {
    match call.method.as_str() {
        "GET" => Ok(Answer::json(json!([]))),
        _ => Err(Refusal::MethodNotAllowed),
    }
}

/// Checks that `user` may act for `application`, in `guild` or globally.
pub(super) fn check_owner(
    world: &World,
    user: Snowflake,
    application: Snowflake,
    guild: Option<Snowflake>,
) -> Result<(), Refusal> {
    if world.application() != user || application != user {
        return Err(Refusal::NotYourApplication);
    }
    // An application has no access in a guild that it is not in; the guild's existence is not revealed.
    let Some(guild) = guild else { return Ok(()) };
    match world.guild(user, guild) {
        Ok(guild) if guild.has_commands => Ok(()),
        _ => Err(Refusal::MissingAccess),
    }
}

/// The body, which must be an object.
pub(super) fn object(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let Upload { body, .. } = body::read(call)?;
    match body {
        Value::Object(object) => Ok(object),
        _ => Err(Refusal::at("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")),
    }
}
