//! Thread routes, forum posts included.

use serde_json::{Value, json};

use super::Call;
use super::body::{self, Upload};
use super::reply::Answer;
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::State;
use crate::sandbox::discord::model::{Byline, FORUM, PRIVATE_THREAD, Permission, Refusal, World};
use crate::sandbox::discord::validate;

/// Opens a thread from a message.
pub(super) fn from_message(
    world: &mut World,
    user: Snowflake,
    (channel, message): (Snowflake, Snowflake),
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    if call.method != "POST" {
        return Err(Refusal::MethodNotAllowed);
    }
    world.channel(user, channel)?;
    let Upload { body, .. } = body::read(call)?;
    let opening = validate::opening(&body, false)?;
    created(world.open_thread_from(user, channel, message, opening, now)?)
}

/// Opens a thread without a message, or posts into a forum.
pub(super) fn open(
    state: &mut State,
    user: Snowflake,
    channel: Snowflake,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    if call.method != "POST" {
        return Err(Refusal::MethodNotAllowed);
    }
    let forum = state.world.channel(user, channel)?.kind == FORUM;
    let Upload { body, files } = body::read(call)?;
    let mut opening = validate::opening(&body, forum)?;
    let world = &mut state.world;
    if !forum {
        return created(world.open_thread(user, channel, opening, now)?);
    }
    world.channel_with(user, channel, Permission::SendMessages)?;
    if let Some(message) = &mut opening.message {
        message.files = files;
    }
    let thread = world.open_post(user, channel, opening, Byline::default(), now)?;
    state.ledger.message(true);
    created(thread)
}

fn created(thread: Value) -> Result<Answer, Refusal> {
    Ok(Answer { status: 201, ..Answer::json(thread) })
}

/// The active threads of a guild.
pub(super) fn active(world: &World, user: Snowflake, guild: Snowflake) -> Result<Answer, Refusal> {
    world.guild(user, guild)?;
    Ok(Answer::json(world.list_threads(user, |channel, thread| channel.guild == guild && !thread.archived)))
}

/// The archived threads of a channel.
pub(super) fn archived(
    world: &World,
    user: Snowflake,
    parent: Snowflake,
    private: bool,
) -> Result<Answer, Refusal> {
    world.channel_with(user, parent, Permission::ReadMessageHistory)?;
    let found = world.list_threads(user, |channel, thread| {
        channel.parent == Some(parent) && thread.archived && (channel.kind == PRIVATE_THREAD) == private
    });
    Ok(Answer::json(found))
}

/// The members of a thread.
pub(super) fn members(world: &World, user: Snowflake, channel: Snowflake) -> Result<Answer, Refusal> {
    let place = world.channel(user, channel)?;
    let thread = place.thread.as_ref().ok_or(Refusal::WrongChannelKind)?;
    let members = thread.members.iter().filter_map(|member| world.thread_member(channel, *member).ok());
    Ok(Answer::json(members.collect()))
}

/// A member of a thread: read, add or remove.
pub(super) fn member(
    world: &mut World,
    user: Snowflake,
    channel: Snowflake,
    whom: Option<Snowflake>,
    call: &Call,
) -> Result<Answer, Refusal> {
    let place = world.channel(user, channel)?;
    place.thread.as_ref().ok_or(Refusal::WrongChannelKind)?;
    let guild = place.guild;
    let member = whom.unwrap_or(user);
    match call.method.as_str() {
        "GET" => world.thread_member(channel, member).map(Answer::json),
        "PUT" => {
            let known = world.guild(user, guild)?.members.contains_key(&member);
            known.then_some(()).ok_or(Refusal::UnknownUser)?;
            change(world, channel, |members| {
                if !members.contains(&member) {
                    members.push(member);
                }
            })
        }
        "DELETE" => {
            if member != user {
                world.channel_with(user, channel, Permission::ManageThreads)?;
            }
            change(world, channel, |members| members.retain(|known| *known != member))
        }
        _ => Err(Refusal::MethodNotAllowed),
    }
}

fn change(
    world: &mut World,
    channel: Snowflake,
    change: impl FnOnce(&mut Vec<Snowflake>),
) -> Result<Answer, Refusal> {
    let place = world.thread_mut(channel)?;
    if place.archived {
        return Err(Refusal::ThreadArchived);
    }
    change(&mut place.members);
    let count = place.members.len();
    world.dispatch_thread_members(channel, json!(count));
    Ok(Answer::empty())
}

/// Changes a thread: its name, tags, archived and locked state (Discord: "Modify Channel").
pub(super) fn modify(
    world: &mut World,
    user: Snowflake,
    channel: Snowflake,
    body: &Value,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let place = world.channel(user, channel)?;
    let thread = place.thread.as_ref().ok_or(Refusal::WrongChannelKind)?;
    let moderator = world.channel_with(user, channel, Permission::ManageThreads).is_ok();
    let flag = |key: &str| body.get(key).and_then(Value::as_bool);
    let (archived, locked) = (flag("archived"), flag("locked"));
    let reopens = archived == Some(false);
    if !moderator {
        // Everybody may unarchive a thread that is not locked; its owner may change all but the lock.
        if thread.locked {
            return Err(Refusal::ThreadLocked);
        }
        if locked.is_some() || (thread.owner != user && !reopens) {
            return Err(Refusal::MissingPermissions);
        }
    }
    if thread.archived && !reopens {
        return Err(Refusal::ThreadArchived);
    }
    let (name, _) = validate::channel(body, true)?;
    let tags = body.get("applied_tags").map(|_| validate::tags(body)).transpose()?;
    world.change_channel(channel, |channel| {
        channel.name = name.unwrap_or_else(|| channel.name.clone());
        let Some(thread) = channel.thread.as_mut() else { return };
        if let Some(archived) = archived.filter(|archived| *archived != thread.archived) {
            (thread.archived, thread.archived_at) = (archived, now);
        }
        thread.locked = locked.unwrap_or(thread.locked);
        thread.tags = tags.unwrap_or_else(|| thread.tags.clone());
    })
}
