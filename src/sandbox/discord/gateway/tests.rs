use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::CloseCode;
use crate::sandbox::discord::{Dispatch, Permission, Setup};

mod client;
mod day;
mod refusal;
mod resume;

use client::{INTENTS, Stage};

/// The privileged intents.
const MEMBERS: u64 = 1 << 1;
const PRESENCES: u64 = 1 << 8;
const CONTENT: u64 = 1 << 15;

fn privileged() -> Setup {
    Setup { privileged_intents: true, ..Setup::default() }
}

#[tokio::test]
async fn a_client_logs_in_and_hears_what_happens() {
    let t = Stage::start().await;
    let mut client = t.connect().await;
    client.beats().await;
    client.send(2, t.identify(INTENTS)).await;
    let ready = client.ready().await;
    let bot = t.discord.application_id().to_string();
    assert_eq!(
        (&ready["v"], &ready["user"]["id"], &ready["application"]["id"]),
        (&json!(10), &json!(bot), &json!(bot))
    );
    assert_eq!(ready["guilds"], json!([{"id": t.discord.guild_id(), "unavailable": true}]));
    assert_eq!(ready["resume_gateway_url"], format!("ws://{}/gateway", t.address));
    for key in ["user_settings", "relationships", "private_channels", "session_type", "_trace"] {
        assert!(ready.get(key).is_some_and(|value| !value.is_null()), "{key}");
    }
    let guild = client.event("GUILD_CREATE").await;
    assert_eq!(guild["members"].as_array().unwrap().len(), 1, "only the bot's own, without the intent");
    assert_eq!(
        (&guild["member_count"], &guild["unavailable"], &guild["large"]),
        (&json!(4), &json!(false), &json!(false))
    );
    assert_eq!(guild["joined_at"], guild["members"][0]["joined_at"]);
    assert_eq!(guild["channels"].as_array().unwrap().len(), 6);
    for list in [
        "threads",
        "stage_instances",
        "voice_states",
        "presences",
        "guild_scheduled_events",
        "emojis",
        "stickers",
        "soundboard_sounds",
        "roles",
    ] {
        assert!(guild[list].is_array(), "{list}");
    }
    assert_eq!(t.discord.gateway().wait_for_session().await, client.session);
    t.says("nuncio", "tickets", "a card");
    t.says("alice", "tickets", "hello");
    t.says("alice", "tickets", &format!("<@{bot}> hello"));
    assert_eq!(client.event("MESSAGE_CREATE").await["content"], "a card");
    let message = client.event("MESSAGE_CREATE").await;
    assert_eq!((&message["content"], &message["author"]["username"]), (&json!(""), &json!("alice")));
    assert_eq!(client.event("MESSAGE_CREATE").await["content"], format!("<@{bot}> hello"));
    client.beats().await;
    assert_eq!(client.seq, 5);
    let ops: Vec<u64> = t.discord.gateway().received().iter().map(|one| one.op).collect();
    assert_eq!(ops, [1, 2, 1]);
    assert_eq!(t.discord.gateway().received()[1].d["token"], "***");
    t.end([client]).await;
}

#[tokio::test]
async fn intents_decide_what_is_told() {
    let t = Stage::with(privileged()).await;
    let all = t.identify(INTENTS | MEMBERS | PRESENCES | CONTENT);
    let mut everything = t.connect().await;
    everything.send(2, all).await;
    everything.ready().await;
    assert_eq!(everything.event("GUILD_CREATE").await["members"].as_array().unwrap().len(), 4);
    t.clock.advance(Duration::from_secs(5));
    let mut nothing = t.connect().await;
    nothing.send(2, t.identify(0)).await;
    nothing.ready().await;
    t.says("alice", "tickets", "hello");
    t.discord.deny(t.discord.channel_id("alerts").unwrap(), Permission::ViewChannel);
    t.says("alice", "alerts", "not for the bot");
    assert_eq!(everything.event("MESSAGE_CREATE").await["content"], "hello");
    everything.event("CHANNEL_UPDATE").await;
    everything.beats().await;
    nothing.beats().await;
    t.end([everything, nothing]).await;
}

#[tokio::test]
async fn a_reply_to_the_bot_shows_the_bots_words_only() {
    let t = Stage::start().await;
    let mut client = t.log_in().await;
    let bot = t.discord.application_id();
    let dispatch = |author: Value, replied: Value| {
        let d = json!({"guild_id": t.discord.guild_id(), "channel_id": t.discord.channel_id("tickets"), "author": author, "mentions": [],
            "content": "x", "embeds": [1], "components": [2], "attachments": [3],
            "referenced_message": {"author": replied, "mentions": [], "content": "y", "embeds": [4]}});
        t.discord.with(|state, now| {
            state.gateway.publish(&Arc::new(Dispatch { t: "MESSAGE_CREATE", d }), &state.world, now);
        });
    };
    dispatch(json!({"id": "7"}), json!({"id": bot}));
    dispatch(json!({"id": bot}), json!({"id": "7"}));
    let theirs = client.event("MESSAGE_CREATE").await;
    assert_eq!(
        (&theirs["content"], &theirs["embeds"], &theirs["components"], &theirs["attachments"]),
        (&json!(""), &json!([]), &json!([]), &json!([]))
    );
    assert_eq!(theirs["referenced_message"]["content"], "y");
    let ours = client.event("MESSAGE_CREATE").await;
    assert_eq!((&ours["content"], &ours["referenced_message"]["content"]), (&json!("x"), &json!("")));
    t.end([client]).await;
}

#[tokio::test]
async fn interactions_reach_every_session_of_the_application_and_can_be_replayed() {
    let t = Stage::start().await;
    let mut one = t.log_in().await;
    let mut other = t.connect().await;
    other.send(2, t.identify(0)).await;
    other.ready().await;
    let happens = |application: Value| {
        let d = json!({"id": "1", "application_id": application, "guild_id": t.discord.guild_id()});
        t.discord.with(|state, now| {
            state.gateway.publish(&Arc::new(Dispatch { t: "INTERACTION_CREATE", d }), &state.world, now);
        });
    };
    assert!(!t.discord.gateway().replay_last_interaction());
    happens(json!("77"));
    happens(json!(t.discord.application_id()));
    assert!(t.discord.gateway().replay_last_interaction());
    for client in [&mut one, &mut other] {
        let first = client.event("INTERACTION_CREATE").await;
        assert_eq!(client.event("INTERACTION_CREATE").await, first);
        client.beats().await;
    }
    t.end([one, other]).await;
}

#[tokio::test]
async fn shards_share_the_guilds() {
    let t = Stage::start().await;
    let shard_of_guild = (t.discord.guild_id().get() >> 22) % 2;
    let mut clients = Vec::new();
    for shard in 0..2 {
        let mut identify = t.identify(INTENTS);
        identify["shard"] = json!([shard, 2]);
        let mut client = t.connect().await;
        client.send(2, identify).await;
        let ready = client.ready().await;
        assert_eq!(ready["shard"], json!([shard, 2]));
        if shard == shard_of_guild {
            client.event("GUILD_CREATE").await;
        } else {
            assert_eq!(ready["guilds"], json!([]));
        }
        t.clock.advance(Duration::from_secs(5));
        clients.push(client);
    }
    t.says("nuncio", "tickets", "a card");
    let at = usize::try_from(shard_of_guild).unwrap();
    clients[at].event("MESSAGE_CREATE").await;
    clients[1 - at].beats().await;
    t.end(clients).await;
}

#[tokio::test]
async fn payloads_are_compressed_as_the_client_asks() {
    let t = Stage::start().await;
    let mut stream = t.connect_by("?v=10&encoding=json&compress=zlib-stream").await;
    stream.send(2, t.identify(INTENTS)).await;
    stream.ready().await;
    stream.event("GUILD_CREATE").await;
    t.clock.advance(Duration::from_secs(5));
    let mut identify = t.identify(INTENTS);
    identify["compress"] = true.into();
    let mut single = t.log_in_as(identify).await;
    t.says("nuncio", "tickets", "ä card");
    assert_eq!(stream.event("MESSAGE_CREATE").await["content"], "ä card");
    assert_eq!(single.event("MESSAGE_CREATE").await["content"], "ä card");
    stream.beats().await;
    single.beats().await;
    assert_eq!((stream.compressed, single.compressed), (5, 1), "short ones only as a stream");
    t.end([stream, single]).await;
}

#[rstest]
#[case::search(json!({"query": "AL", "limit": 5}), &["alice"], Value::Null)]
#[case::search_by_display(json!({"query": "Bo", "limit": 0}), &["bob"], Value::Null)]
#[case::nobody(json!({"query": "zz", "limit": 5}), &[], Value::Null)]
#[case::all(json!({"query": "", "limit": 0}), &["alice", "bob", "carol", "nuncio"], Value::Null)]
#[case::by_id(json!({"user_ids": ["{alice}", "5"]}), &["alice"], json!(["5"]))]
#[tokio::test]
async fn members_are_told_in_chunks(
    #[case] mut asked: Value,
    #[case] names: &[&str],
    #[case] missing: Value,
) {
    let t = Stage::with(privileged()).await;
    let mut client = t.log_in_as(t.identify(INTENTS | MEMBERS)).await;
    let alice = t.discord.user_id("alice").unwrap().to_string();
    asked = serde_json::from_str(&asked.to_string().replace("{alice}", &alice)).unwrap();
    asked["guild_id"] = json!(t.discord.guild_id());
    asked["nonce"] = "n1".into();
    client.send(8, asked).await;
    let chunk = client.event("GUILD_MEMBERS_CHUNK").await;
    let mut found: Vec<&str> = chunk["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["user"]["username"].as_str().unwrap())
        .collect();
    found.sort_unstable();
    assert_eq!(found, names);
    assert_eq!(chunk["not_found"], missing);
    assert_eq!(
        (&chunk["chunk_index"], &chunk["chunk_count"], &chunk["nonce"]),
        (&json!(0), &json!(1), &json!("n1"))
    );
    client.send(8, json!({"guild_id": t.discord.guild_id().get(), "user_ids": 5, "limit": 0})).await;
    assert_eq!(client.event("GUILD_MEMBERS_CHUNK").await["not_found"], json!(["5"]), "ids may be numbers");
    t.end([client]).await;
}

#[tokio::test]
async fn session_starts_are_limited_by_place_and_by_day() {
    let t = Stage::start().await;
    t.discord.gateway().set_session_start_limit(3, 1);
    let mut first = t.connect().await;
    first.send(2, t.identify(INTENTS)).await;
    first.ready().await;
    first.event("GUILD_CREATE").await;
    let mut second = t.connect().await;
    second.send(2, t.identify(INTENTS)).await;
    assert_eq!(second.op(9).await, false);
    t.clock.advance(Duration::from_secs(5));
    // On one connection: after op 9 it has no session.
    second.send(2, t.identify(INTENTS)).await;
    second.ready().await;
    second.event("GUILD_CREATE").await;
    let left = t.limits().await;
    assert_eq!(
        (&left["total"], &left["remaining"], &left["max_concurrency"]),
        (&json!(3), &json!(0), &json!(1))
    );
    assert!(left["reset_after"].as_u64().unwrap() <= 86_400_000 - 5000);
    let mut third = t.connect().await;
    third.send(2, t.identify(INTENTS)).await;
    for client in [&mut first, &mut second, &mut third] {
        assert_eq!(client.closed().await, Some(4004), "the token is reset");
    }
    assert_eq!(t.discord.gateway().identifies(), 4);
    t.discord.restore_token();
    t.clock.advance(Duration::from_secs(86_400));
    assert_eq!(t.limits().await["remaining"], 3);
    let fourth = t.log_in().await;
    assert_eq!(t.limits().await["remaining"], 2);
    t.end([fourth]).await;
}

#[tokio::test]
async fn a_gateway_that_is_down_answers_503_until_it_is_back() {
    let t = Stage::start().await;
    let mut before = t.log_in().await;
    t.discord.gateway().down_for(Duration::from_secs(60));
    assert_eq!(t.dial("?v=10").await.err(), Some(503));
    before.beats().await;
    t.clock.advance(Duration::from_secs(60));
    let after = t.log_in().await;
    t.end([before, after]).await;
}

#[tokio::test]
async fn ready_can_lead_elsewhere_to_resume() {
    let t = Stage::start().await;
    t.discord.gateway().set_resume_url("ws://127.0.0.1:1");
    let mut client = t.connect().await;
    client.send(2, t.identify(0)).await;
    assert_eq!(client.ready().await["resume_gateway_url"], "ws://127.0.0.1:1");
    t.end([client]).await;
}

#[tokio::test]
async fn a_silent_gateway_acknowledges_nothing_but_goes_on() {
    let t = Stage::start().await;
    let mut client = t.log_in().await;
    t.discord.gateway().stop_acking(true);
    client.send(1, json!(2)).await;
    t.discord.wait_until(|discord| (discord.gateway().received().len() == 2).then_some(())).await;
    t.says("nuncio", "tickets", "a card");
    client.event("MESSAGE_CREATE").await;
    t.discord.gateway().stop_acking(false);
    t.discord.gateway().request_heartbeats();
    assert_eq!(client.op(1).await, Value::Null);
    client.beats().await;
    t.end([client]).await;
}

#[test]
fn codes_that_end_sessions_are_those_after_which_none_can_be_resumed() {
    let ending: Vec<u16> = (4000..=4014).filter(|code| CloseCode(*code).ends_session()).collect();
    assert_eq!(ending, [4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014]);
}
