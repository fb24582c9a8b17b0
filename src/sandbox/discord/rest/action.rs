//! What each route does with the model.

use std::collections::HashMap;

use axum::extract::Query;
use axum::http::Uri;
use serde_json::{Map, Value, json};

use super::body::{self, Upload};
use super::reply::{Answer, Content};
use super::{Call, Route};
use crate::clock::Timestamp;
use crate::model::Snowflake;
use crate::sandbox::discord::State;
use crate::sandbox::discord::model::{Guild, Page, Posted, Refusal, World};
use crate::sandbox::discord::validate::{self, Form};

/// Does as `user` what `route` asks for.
pub(super) fn act(
    state: &mut State,
    user: Snowflake,
    route: &Route,
    call: &Call,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let address = state.address;
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
        Route::GuildChannels(guild) => {
            world.guild(user, guild)?;
            world.channels().filter(|one| one.guild == guild).map(|one| one.object()).collect()
        }
        Route::GuildRoles(guild) => {
            world.guild(user, guild)?.roles.iter().map(|role| role.object()).collect()
        }
        Route::Members(guild) => members(world, world.guild(user, guild)?, call)?,
        Route::Member(guild, member) => {
            let member = world.guild(user, guild)?.members.get(&member).ok_or(Refusal::UnknownMember)?;
            world.member_object(member)
        }
        Route::Channel(channel) => world.channel(user, channel)?.object(),
        Route::ListMessages(channel) => {
            let (page, limit) = page(call)?;
            world.page(user, channel, page, limit)?.into()
        }
        Route::CreateMessage(channel) => return create(state, user, channel, call, now),
        Route::ReadMessage(channel, message) => world.message(user, channel, message)?,
        Route::EditMessage(channel, message) => {
            // Access first: who may not see a channel learns nothing of what would be wrong with a body.
            let flags = world.flags(user, channel, message)?;
            let Upload { body, .. } = body::read(call)?;
            world.edit(user, channel, message, validate::edit(&body, flags)?, now)?
        }
        Route::DeleteMessage(channel, message) => {
            world.delete(user, channel, message)?;
            return Ok(Answer::empty());
        }
        Route::Typing(channel) => {
            world.may_type(user, channel)?;
            return Ok(Answer::empty());
        }
    };
    Ok(Answer { status: 200, headers: Vec::new(), content: Content::Json(object) })
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

fn query(call: &Call) -> Map<String, Value> {
    let uri: Uri = format!("/?{}", call.query).parse().unwrap_or_default();
    let pairs = Query::<HashMap<String, String>>::try_from_uri(&uri);
    pairs
        .map(|Query(pairs)| pairs)
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| (key, value.into()))
        .collect()
}
