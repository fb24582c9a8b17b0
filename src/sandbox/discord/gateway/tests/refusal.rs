//! Refused payloads, and their close codes.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::client::{INTENTS, Stage};
use super::{CONTENT, MEMBERS, PRESENCES};

#[rstest]
#[case::no_json("hello", 4002)]
#[case::no_opcode("{}", 4002)]
#[case::strange_heartbeat(r#"{"op":1,"d":"one"}"#, 4002)]
#[case::nothing_to_identify(r#"{"op":2,"d":null}"#, 4002)]
#[case::no_properties(r#"{"op":2,"d":{"token":"x","intents":0}}"#, 4002)]
#[case::half_a_resume(r#"{"op":6,"d":{"token":"x"}}"#, 4002)]
#[case::unknown_opcode(r#"{"op":99,"d":{}}"#, 4001)]
#[case::a_servers_opcode(r#"{"op":0,"d":{}}"#, 4001)]
#[case::presence(r#"{"op":3,"d":{}}"#, 4003)]
#[case::voice(r#"{"op":4,"d":{}}"#, 4003)]
#[case::members(r#"{"op":8,"d":{}}"#, 4003)]
#[case::strangers_token(r#"{"op":2,"d":{"token":"x","intents":0,"properties":{}}}"#, 4004)]
#[case::strangers_resume(r#"{"op":6,"d":{"token":"x","session_id":"y","seq":1}}"#, 4004)]
#[tokio::test]
async fn before_login(#[case] sent: &str, #[case] code: u16) {
    let t = Stage::start().await;
    let mut client = t.connect().await;
    client.send_text(sent).await;
    assert_eq!(client.closed().await, Some(code));
    t.end([]).await;
}

#[rstest]
#[case::no_intents("intents", Value::Null, 4013)]
#[case::negative_intents("intents", json!(-1), 4013)]
#[case::unknown_intents("intents", json!(1 << 17), 4013)]
#[case::members("intents", json!(MEMBERS), 4014)]
#[case::presences("intents", json!(PRESENCES), 4014)]
#[case::content("intents", json!(INTENTS | CONTENT), 4014)]
#[case::shard_out_of_count("shard", json!([1, 1]), 4010)]
#[case::no_shards("shard", json!([0, 0]), 4010)]
#[case::half_a_shard("shard", json!([0]), 4002)]
#[case::too_long("padding", json!("x".repeat(4096)), 4002)]
#[case::a_persons_token("token", json!("alice"), 4004)]
#[tokio::test]
async fn at_login(#[case] key: &str, #[case] value: Value, #[case] code: u16) {
    let t = Stage::start().await;
    let mut identify = t.identify(INTENTS);
    identify[key] = if value == "alice" { json!(t.discord.user_token().expose()) } else { value };
    let mut client = t.connect().await;
    client.send(2, identify).await;
    assert_eq!(client.closed().await, Some(code));
    assert_eq!(t.discord.gateway().identifies(), usize::from(code != 4002));
    assert_eq!(t.limits().await["remaining"], 1000, "a start that was refused is no start");
    t.end([]).await;
}

#[rstest]
#[case::identify(2, json!({"token": "x", "intents": 0, "properties": {}}), 4005)]
#[case::resume(6, json!({"token": "x", "session_id": "y", "seq": 1}), 4005)]
#[case::presence_without_status(3, json!({"activities": []}), 4002)]
#[case::presence_of_no_kind(3, json!({"status": "away", "activities": [], "since": null, "afk": false}), 4002)]
#[case::members_of_nothing(8, json!({"query": "", "limit": 0}), 4002)]
#[case::members_without_question(8, json!({"guild_id": "1"}), 4002)]
#[case::members_of_two(8, json!({"guild_id": ["1", "2"], "query": "", "limit": 0}), 4002)]
#[tokio::test]
async fn in_a_session(#[case] op: u64, #[case] d: Value, #[case] code: u16) {
    let t = Stage::start().await;
    let mut client = t.log_in().await;
    client.send(op, d).await;
    assert_eq!(client.closed().await, Some(code));
    t.end([]).await;
}

#[rstest]
#[case("?v=8&encoding=json")]
#[case("?v=ten")]
#[case("?v=10&encoding=etf")]
#[tokio::test]
async fn versions_and_encodings_that_are_not_served(#[case] query: &str) {
    let t = Stage::start().await;
    let mut client = t.dial(query).await.unwrap();
    assert_eq!(client.closed().await, Some(4012));
    t.connect_by("?v=9").await.close(1000).await;
    t.connect_by("").await.close(1000).await;
    t.end([]).await;
}

#[tokio::test]
async fn what_is_legal_is_taken_without_effect() {
    let t = Stage::start().await;
    let mut client = t.log_in().await;
    client
        .send(
            3,
            json!({"status": "idle", "activities": [{"name": "x", "type": 0}], "since": null, "afk": false}),
        )
        .await;
    client
        .send(4, json!({"guild_id": "1", "channel_id": null, "self_mute": false, "self_deaf": false}))
        .await;
    // All members, without the intent: no chunks are sent.
    client.send(8, json!({"guild_id": t.discord.guild_id(), "query": "", "limit": 0})).await;
    client.beats().await;
    t.end([client]).await;
}

#[tokio::test]
async fn more_than_120_payloads_a_minute() {
    let t = Stage::start().await;
    let mut client = t.connect().await;
    for _ in 0..120 {
        client.beats().await;
    }
    t.clock.advance(Duration::from_secs(60));
    for _ in 0..120 {
        client.beats().await;
    }
    client.send(1, Value::Null).await;
    assert_eq!(client.closed().await, Some(4008));
    t.end([]).await;
}

#[tokio::test]
async fn a_token_that_is_revoked_meanwhile() {
    let t = Stage::start().await;
    let mut client = t.log_in().await;
    let mut stranger = t.connect().await;
    t.discord.revoke_token();
    assert_eq!(client.closed().await, Some(4004));
    stranger.beats().await;
    stranger.send(2, t.identify(INTENTS)).await;
    assert_eq!(stranger.closed().await, Some(4004));
    t.end([]).await;
}
