//! Route handlers: what each route does with the model.

use serde_json::{Value, json};

use super::body::{self, Upload};
use super::query::query;
use super::reply::Answer;
use super::{Call, Route, command, guild, interact, reaction, role, thread, webhook};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::State;
use crate::sandbox::discord::model::{Guild, Page, Posted, Refusal, World};
use crate::sandbox::discord::token::Caller;
use crate::sandbox::discord::validate::{self, Form};

/// Handles routes without an account, which are authorized by a token in the path.
pub(super) fn act_openly(
    state: &mut State,
    route: &Route,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let application = state.world.application();
    let world = &mut state.world;
    match route {
        Route::Callback(id, token) => interact::callback(world, *id, token, call, now),
        // The application's "webhook" is the route for answering its interactions.
        Route::Hook(id, token) if *id == application => match call.method.as_str() {
            "POST" => interact::follow_up(world, token, call, now),
            _ => Err(Refusal::MethodNotAllowed),
        },
        Route::HookMessage(id, token, message) if *id == application => {
            interact::message(world, token, *message, call, now)
        }
        Route::Hook(id, token) => webhook::with_token(state, *id, token, call, now),
        Route::HookMessage(id, token, message) => webhook::message(state, (*id, token), *message, call, now),
        _ => Err(Refusal::Unauthorized),
    }
}

/// Handles `route` as `caller`.
pub(super) fn act(
    state: &mut State,
    caller: Caller,
    route: &Route,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let (address, user, method) = (state.address, caller.user, call.method.as_str());
    let world = &mut state.world;
    let object = match *route {
        Route::Gateway | Route::GatewayBot => json!({
            "url": format!("ws://{address}/gateway"), "shards": 1,
            "session_start_limit": state.gateway.starts.object(now),
        }),
        Route::Me => world.user(user)?.own_object(),
        Route::MyGuilds => my_guilds(world, user),
        Route::User(id) => world.user(id)?.object(),
        Route::Application if world.bot() == user => world.application_object(),
        Route::Application => return Err(Refusal::Unauthorized),
        Route::Guild(guild) => world.guild(user, guild)?.object(),
        Route::GuildChannels(guild) if method == "POST" => {
            return guild::create_channel(world, user, guild, call, now);
        }
        Route::GuildChannels(guild) => {
            world.guild(user, guild)?;
            world.channels().filter(|one| one.guild == guild).map(|one| one.object()).collect()
        }
        Route::GuildRoles(guild) => return role::all(world, user, guild, call, now),
        Route::GuildRole(guild, role) => return role::one(world, user, (guild, role), call),
        Route::GuildWebhooks(guild) => return webhook::of_guild(state, user, guild),
        Route::ActiveThreads(guild) => return thread::active(world, user, guild),
        Route::Members(guild) => members(world, world.guild(user, guild)?, call)?,
        Route::Member(guild, member) => {
            let member = world.guild(user, guild)?.members.get(&member).ok_or(Refusal::UnknownMember)?;
            world.member_object(member)
        }
        Route::MemberRole(guild, member, role) => {
            return guild::member_role(world, user, (guild, member, role), call, now);
        }
        Route::Channel(channel) => match method {
            "GET" => world.channel(user, channel)?.object(),
            "PATCH" => return guild::change_channel(world, user, channel, call, now),
            "DELETE" => return guild::delete_channel(world, user, channel),
            _ => return Err(Refusal::MethodNotAllowed),
        },
        Route::ChannelWebhooks(channel) => return webhook::of_channel(state, user, channel, call, now),
        Route::Overwrite(channel, id) => return guild::overwrites(world, user, (channel, id), call),
        Route::ListMessages(channel) => {
            let (page, limit) = page(call)?;
            world.page(user, channel, page, limit)?.into()
        }
        Route::CreateMessage(channel) => return create(state, user, channel, call, now),
        Route::ReadMessage(channel, message) => world.message(user, channel, message)?,
        Route::EditMessage(channel, message) => {
            // Access first: a caller who cannot see a channel must not learn what is wrong with the body.
            let flags = world.flags(user, channel, message)?;
            let Upload { body, .. } = body::read(call)?;
            world.edit(user, channel, message, validate::edit(&body, flags)?, now)?
        }
        Route::DeleteMessage(channel, message) => {
            world.delete(user, channel, message)?;
            return Ok(Answer::empty());
        }
        Route::DeleteMessages(channel) => {
            world.channel(user, channel)?;
            world.delete_all(user, channel, validate::message_ids(&body::read(call)?.body)?, now)?;
            return Ok(Answer::empty());
        }
        Route::Reactions(channel, message) => {
            return reaction::all(world, user, (channel, message), None, call);
        }
        Route::Reaction(channel, message, ref emoji) => {
            return reaction::all(world, user, (channel, message), Some(emoji), call);
        }
        Route::Reactor(channel, message, ref emoji, whose) => {
            return reaction::one(world, user, (channel, message), (emoji, whose), call);
        }
        Route::Pins(channel, bare) => return reaction::pins(world, user, channel, bare, call),
        Route::Pin(channel, message) => return reaction::pin(world, user, (channel, message), call, now),
        Route::ThreadFrom(channel, message) => {
            return thread::from_message(world, user, (channel, message), call, now);
        }
        Route::Threads(channel) => return thread::open(state, user, channel, call, now),
        Route::ArchivedThreads(channel, private) => return thread::archived(world, user, channel, private),
        Route::ThreadMembers(channel) => return thread::members(world, user, channel),
        Route::ThreadMember(channel, whom) => return thread::member(world, user, channel, whom, call),
        Route::Typing(channel) => {
            world.may_type(user, channel)?;
            return Ok(Answer::empty());
        }
        Route::Commands(application, guild) => {
            command::check_owner(world, user, application, guild)?;
            return command::all(world, guild, call, now);
        }
        Route::Command(application, guild, id) => {
            command::check_owner(world, user, application, guild)?;
            return command::one(world, guild, id, call, now);
        }
        Route::CommandPermissions(application, guild) => {
            command::check_owner(world, user, application, Some(guild))?;
            return command::permissions(call);
        }
        Route::Interact => return interact::interact(world, caller, call, now),
        Route::Webhook(id) => return webhook::managed(state, user, id, call),
        Route::Callback(..) | Route::Hook(..) | Route::HookMessage(..) => {
            return act_openly(state, route, call, now);
        }
    };
    Ok(Answer::json(object))
}

fn create(
    state: &mut State,
    user: Snowflake,
    channel: Snowflake,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    state.world.may_type(user, channel)?;
    let Upload { body, files } = body::read(call)?;
    validate::file_count(files.len())?;
    let mut draft = validate::draft(&body)?;
    draft.files = files;
    let posted = state.world.post(user, channel, draft, now)?;
    state.ledger.message(matches!(posted, Posted::Made(_)));
    match posted {
        Posted::Made(object) | Posted::Found(object) => Ok(Answer::json(object)),
    }
}

fn my_guilds(world: &World, user: Snowflake) -> Value {
    let mine = world.guilds().filter(|guild| guild.members.contains_key(&user));
    let objects = mine.map(|guild| {
        json!({
            "id": guild.id, "name": guild.name, "icon": null, "banner": null, "owner": guild.owner == user,
            "permissions": guild.permissions(user), "features": [],
        })
    });
    objects.collect()
}

fn members(world: &World, guild: &Guild, call: &Call) -> Result<Value, Refusal> {
    let query = query(call);
    let mut form = Form::default();
    let limit = form.integer(&query, "limit", 1..=1000).unwrap_or(1);
    let after = form.snowflake(&query, "after").map_or(0, Snowflake::get);
    let limit = form.finish(usize::try_from(limit).unwrap_or(1))?;
    let members = guild.members.values().filter(|member| member.user.get() > after).take(limit);
    Ok(members.map(|member| world.member_object(member)).collect())
}

fn page(call: &Call) -> Result<(Page, usize), Refusal> {
    let query = query(call);
    let mut form = Form::default();
    let limit = form.integer(&query, "limit", 1..=100).unwrap_or(50);
    let mut id = |key: &str| form.snowflake(&query, key);
    let page = match (id("around"), id("before"), id("after")) {
        (Some(id), _, _) => Page::Around(id),
        (None, Some(id), _) => Page::Before(id),
        (None, None, Some(id)) => Page::After(id),
        (None, None, None) => Page::Latest,
    };
    form.finish((page, usize::try_from(limit).unwrap_or(1)))
}
