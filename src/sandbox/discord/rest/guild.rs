//! Guild routes: channels, permission overwrites, and members' roles.

use serde_json::Value;

use super::Call;
use super::body::{self, Upload};
use super::command::object;
use super::reply::Answer;
use super::thread;
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::model::{
    Channel, FORUM, Overwrite, Permission, Permissions, REQUIRE_TAG, Refusal, TEXT, Tag, World,
};
use crate::sandbox::discord::validate::{self, Form};

/// Creates a channel (Discord: "Create Guild Channel"): text, a category, an announcement channel or a forum.
pub(super) fn create_channel(
    world: &mut World,
    user: Snowflake,
    guild: Snowflake,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    if !world.guild(user, guild)?.permissions(user).has(Permission::ManageChannels) {
        return Err(Refusal::MissingPermissions);
    }
    let Upload { body, .. } = body::read(call)?;
    let (name, topic) = validate::channel(&body, false)?;
    let kind = body.get("type").and_then(Value::as_u64).unwrap_or(0);
    let kind = u8::try_from(kind).ok().filter(|kind| matches!(*kind, TEXT | 4 | 5 | FORUM));
    let kind =
        kind.ok_or_else(|| Refusal::at("type", "BASE_TYPE_CHOICES", "Value must be one of (0, 4, 5, 15)."))?;
    let id = world.mint(now);
    let mut channel = Channel::new(id, kind, guild, &name.unwrap_or_default());
    channel.topic = topic;
    channel.parent = body.get("parent_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    shape(world, &mut channel, &body, now)?;
    world.add_place(channel);
    let object = world.channel(user, id)?.object();
    Ok(Answer { status: 201, ..Answer::json(object) })
}

/// Changes a channel or a thread.
pub(super) fn change_channel(
    world: &mut World,
    user: Snowflake,
    id: Snowflake,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let is_thread = world.channel(user, id)?.thread.is_some();
    let Upload { body, .. } = body::read(call)?;
    if is_thread {
        return thread::modify(world, user, id, &body, now).map(Answer::json);
    }
    let mut changed = world.channel_with(user, id, Permission::ManageChannels)?.clone();
    let (name, topic) = validate::channel(&body, true)?;
    changed.name = name.unwrap_or(changed.name);
    if body.get("topic").is_some() {
        changed.topic = topic;
    }
    shape(world, &mut changed, &body, now)?;
    world.change_channel(id, |channel| *channel = changed).map(Answer::json)
}

/// Applies overwrites, flags and tags, if the body has them.
fn shape(world: &mut World, channel: &mut Channel, body: &Value, now: Timestamp) -> Result<(), Refusal> {
    if let Some(list) = body.get("permission_overwrites").and_then(Value::as_array) {
        channel.overwrites = list.iter().map(overwrite).collect::<Result<_, _>>()?;
    }
    if channel.kind == FORUM {
        let flags = body.get("flags").and_then(Value::as_u64);
        channel.flags = flags.map_or(channel.flags, |flags| flags & REQUIRE_TAG);
        if let Some(list) = body.get("available_tags").and_then(Value::as_array) {
            let known = |tag: &Value| tag.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
            let name = |tag: &Value| tag["name"].as_str().unwrap_or_default().to_owned();
            let tags = list.iter().map(|tag| {
                let id = known(tag).unwrap_or_else(|| world.mint(now));
                Tag { id, name: name(tag) }
            });
            channel.tags = tags.collect();
        }
    }
    Ok(())
}

fn overwrite(given: &Value) -> Result<Overwrite, Refusal> {
    let mut form = Form::default();
    let empty = serde_json::Map::new();
    let given = given.as_object().unwrap_or(&empty);
    let id = form.snowflake(given, "id");
    let read = bits(&mut form, given);
    let member = form.integer(given, "type", 0..=1).unwrap_or(0) == 1;
    let (allow, deny) = form.finish(read)?;
    let id = id.ok_or_else(|| Refusal::at("id", "BASE_TYPE_REQUIRED", "This field is required"))?;
    Ok(Overwrite { id, member, allow, deny })
}

fn bits(form: &mut Form, given: &serde_json::Map<String, Value>) -> (Permissions, Permissions) {
    let mut read = |key: &str| {
        let bits = form.integer(given, key, 0..=i64::MAX).unwrap_or(0);
        Permissions::from_bits(bits.unsigned_abs())
    };
    (read("allow"), read("deny"))
}

/// Deletes a channel or a thread.
pub(super) fn delete_channel(world: &mut World, user: Snowflake, id: Snowflake) -> Result<Answer, Refusal> {
    let thread = world.channel(user, id)?.thread.is_some();
    let needed = if thread { Permission::ManageThreads } else { Permission::ManageChannels };
    world.channel_with(user, id, needed)?;
    world.delete_channel(id).map(Answer::json)
}

/// A channel's overwrite for one role or member: set or delete.
pub(super) fn overwrites(
    world: &mut World,
    user: Snowflake,
    (channel, id): (Snowflake, Snowflake),
    call: &Call,
) -> Result<Answer, Refusal> {
    let known = world.channel_with(user, channel, Permission::ManageRoles)?;
    let there = known.overwrites.iter().any(|one| one.id == id);
    match call.method.as_str() {
        "PUT" => {
            let given = object(call)?;
            let mut form = Form::default();
            let (allow, deny) = bits(&mut form, &given);
            let Some(kind) = form.integer(&given, "type", 0..=1) else {
                form.required("type");
                return Err(form.into());
            };
            let one = form.finish(Overwrite { id, member: kind == 1, allow, deny })?;
            world.change_channel(channel, |channel| {
                channel.overwrites.retain(|known| known.id != id);
                channel.overwrites.push(one);
            })?;
        }
        "DELETE" if there => {
            world.change_channel(channel, |channel| channel.overwrites.retain(|known| known.id != id))?;
        }
        "DELETE" => return Err(Refusal::UnknownOverwrite),
        _ => return Err(Refusal::MethodNotAllowed),
    }
    Ok(Answer::empty())
}

/// A member's role: add or remove.
pub(super) fn member_role(
    world: &mut World,
    user: Snowflake,
    (guild, member, role): (Snowflake, Snowflake, Snowflake),
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let found = world.guild(user, guild)?;
    if !found.permissions(user).has(Permission::ManageRoles) {
        return Err(Refusal::MissingPermissions);
    }
    if !found.roles.iter().any(|known| known.id == role) {
        return Err(Refusal::UnknownRole);
    }
    let mut roles = found.members.get(&member).ok_or(Refusal::UnknownMember)?.roles.clone();
    roles.retain(|known| *known != role);
    match call.method.as_str() {
        "PUT" => roles.push(role),
        "DELETE" => {}
        _ => return Err(Refusal::MethodNotAllowed),
    }
    world.add_member(guild, member, roles, now);
    world.dispatch_member(guild, member);
    Ok(Answer::empty())
}
