//! Payloads about the guilds: READY, guilds, member chunks. Only shapes; nothing is decided here.

use serde_json::{Value, json};

use super::command::Members;
use super::intents::{Intent, Intents};
use super::session::Session;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::model::{Channel, Guild, Member, World};

/// How many members one chunk holds (Discord: "Request Guild Members").
const CHUNK: usize = 1000;
/// How many members a search returns at most.
const FOUND: usize = 100;
/// Maximum bytes of a nonce that is returned.
const NONCE: usize = 32;

/// READY (Discord: "Ready"), with what discord.py and discord.js expect besides the documented keys.
pub(super) fn ready(world: &World, session: &Session, version: u8, url: &str) -> Value {
    let guilds: Vec<Value> =
        mine(world, session).map(|guild| json!({"id": guild.id, "unavailable": true})).collect();
    let user = world.user(session.user()).map(|user| user.own_object());
    let mut object = json!({
        "v": version, "user_settings": {}, "user": user.unwrap_or_default(), "session_type": "normal",
        "session_id": session.id(), "resume_gateway_url": url, "relationships": [], "private_channels": [],
        "presences": [], "guilds": guilds, "guild_join_requests": [], "geo_ordered_rtc_regions": [],
        "game_relationships": [], "auth": {}, "application": {"id": world.application(), "flags": 0},
        "_trace": ["[\"nuncio-sandbox\",{}]"],
    });
    if let Some(shard) = session.shard() {
        object["shard"] = json!(shard);
    }
    object
}

/// The guilds of the session: those that its bot is in and that belong to its shard.
pub(super) fn mine<'a>(world: &'a World, session: &'a Session) -> impl Iterator<Item = &'a Guild> {
    world
        .guilds()
        .filter(|guild| guild.members.contains_key(&session.user()) && session.serves(Some(guild.id)))
}

/// `GUILD_CREATE`: the whole guild (Discord: "Guild Create"). Without the presences intent it contains only the bot's
/// own member.
pub(in crate::sandbox::discord) fn guild_create(
    world: &World,
    guild: &Guild,
    me: Snowflake,
    intents: Intents,
) -> Value {
    let mut object = guild.object();
    let here = |channel: &&Channel| channel.guild == guild.id;
    let channels: Vec<Value> = world.channels().filter(here).map(|one| one.object()).collect();
    // Active threads that the bot may see, and no archived ones (Discord: "Guild Create").
    let is_visible = |channel: &&Channel| {
        channel.thread.as_ref().is_some_and(|thread| !thread.archived)
            && world.channel(me, channel.id).is_ok()
    };
    let threads: Vec<Value> =
        world.threads().filter(here).filter(is_visible).map(|one| one.object()).collect();
    let members: Vec<Value> = guild
        .members
        .values()
        .filter(|member| member.user == me || intents.has(Intent::GuildPresences))
        .map(|member| world.member_object(member))
        .collect();
    let joined = members.iter().find(|one| one["user"]["id"] == me.to_string());
    object["joined_at"] = joined.map_or(Value::Null, |member| member["joined_at"].clone());
    object["large"] = false.into();
    object["unavailable"] = false.into();
    object["member_count"] = guild.members.len().into();
    object["lazy"] = true.into();
    object["members"] = members.into();
    object["channels"] = channels.into();
    object["threads"] = threads.into();
    for empty in [
        "voice_states",
        "presences",
        "stage_instances",
        "guild_scheduled_events",
        "soundboard_sounds",
        "embedded_activities",
    ] {
        object[empty] = json!([]);
    }
    object
}

/// The chunks that answer a member request; empty if it requests all without the members intent.
pub(super) fn chunks(world: &World, guild: &Guild, request: &Members, intents: Intents) -> Vec<Value> {
    let mut missing = Vec::new();
    let found: Vec<&Member> = match (request.users(), request.query.as_deref().unwrap_or_default()) {
        (Some(users), _) => {
            missing = users.iter().filter(|user| !guild.members.contains_key(user)).collect();
            users.iter().filter_map(|user| guild.members.get(user)).collect()
        }
        (None, "") if request.limit == Some(0) && !intents.has(Intent::GuildMembers) => return Vec::new(),
        (None, "") if request.limit == Some(0) => guild.members.values().collect(),
        (None, query) => {
            let limit = request.limit.unwrap_or(FOUND).clamp(1, FOUND);
            let named = guild.members.values().filter(|member| called(world, member, query));
            named.take(limit).collect()
        }
    };
    let count = found.len().div_ceil(CHUNK).max(1);
    let pieces: Vec<&[&Member]> = if found.is_empty() { vec![&[]] } else { found.chunks(CHUNK).collect() };
    let with_presences = request.presences == Some(true) && intents.has(Intent::GuildPresences);
    let nonce = request.nonce.as_ref().filter(|nonce| nonce.len() <= NONCE);
    pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| {
            let members: Vec<Value> = piece.iter().map(|member| world.member_object(member)).collect();
            let mut chunk = json!({
                "guild_id": guild.id, "members": members, "chunk_index": index, "chunk_count": count,
            });
            if request.users().is_some() {
                chunk["not_found"] = json!(missing);
            }
            if with_presences {
                // Users here have no online status.
                chunk["presences"] = json!([]);
            }
            if let Some(nonce) = nonce {
                chunk["nonce"] = json!(nonce);
            }
            chunk
        })
        .collect()
}

fn called(world: &World, member: &Member, query: &str) -> bool {
    let query = query.to_lowercase();
    world.user(member.user).is_ok_and(|user| {
        let mut names = [Some(&user.username), user.display.as_ref()].into_iter().flatten();
        names.any(|name| name.to_lowercase().starts_with(&query))
    })
}
