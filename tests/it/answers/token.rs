//! Another `DISCORD_TOKEN` is tried at once at the next start. A6.
//!
//! Controls: with a wait of the channel's own after a 401, both wait in vain; without `try_channels_again`, the second does.

use std::time::Duration;

use nuncio::sandbox::discord::Fault;
use serde_json::json;
use tracing::Level;

use super::answered;
use crate::harness::Harness;
use crate::limits::{asset, health_says, ticket};

/// A token of the right shape that Discord does not know.
const ANOTHER: [&str; 3] = ["MTIwMDAwMDAwMDAwMDAwMDAwMQ", "GaBcDe", "abcdefghijklmnopqrstuvwxyz0123456789AB"];

// A6: a token that was refused holds nothing back once there is another one.
#[tokio::test]
async fn what_waits_for_a_refused_token_is_sent_at_once_with_another() {
    let mut t = Harness::plain().await;
    let token = t.variable("DISCORD_TOKEN").to_owned();
    t.discord.revoke_token();
    t.sends_body(ticket(1)).await;
    t.sends_body(asset(1)).await;
    health_says(&t, "refused DISCORD_TOKEN", true).await;
    t.log.expect(Level::ERROR, "Discord refused DISCORD_TOKEN (401)");
    // Another one that is no good either: it is tried at once, and refused.
    t.set("DISCORD_TOKEN", ANOTHER.join("."));
    t.restart().await;
    t.sends_body(ticket(2)).await;
    health_says(&t, "refused DISCORD_TOKEN", true).await;
    t.log.expect(Level::ERROR, "Discord refused DISCORD_TOKEN (401)");
    let refused = t.discord.requests().iter().filter(|asked| asked.status == Some(401)).count();
    assert!((2..=6).contains(&refused), "{refused} requests with tokens that are no good");
    assert!(t.channel("tickets").unread().is_empty());
    t.discord.restore_token();
    t.set("DISCORD_TOKEN", token);
    let before = t.clock.elapsed();
    t.restart().await;
    t.settle().await;
    t.channel("tickets").next_messages(2).await;
    t.channel("assets").next_message().await;
    assert!(t.clock.elapsed() - before < Duration::from_secs(60), "nobody moved the clock");
    t.finish().await;
}

// A6: a channel that denied the earlier bot is left alone for fifteen minutes, but not by another bot.
#[tokio::test]
async fn a_channel_that_denied_the_earlier_bot_is_tried_at_once_by_another() {
    let mut t = Harness::plain().await;
    let token = t.variable("DISCORD_TOKEN").to_owned();
    let myself = json!({"id": "1200000000000000001", "username": "The old bot"});
    t.discord.faults().next_on("/users/@me", 1, answered(200, &myself.to_string()));
    let assets = format!("/channels/{}/messages", t.discord.channel_id("assets").unwrap());
    t.discord.faults().next_on(&assets, 1, Fault::refusal(403, 50013, "Missing Permissions"));
    t.set("DISCORD_TOKEN", ANOTHER.join("."));
    t.restart().await;
    t.log.seen(Level::INFO, "as the bot The old bot").await;
    t.sends_body(asset(1)).await;
    t.log.seen(Level::ERROR, "does not let the bot write").await;
    t.log.expect(Level::ERROR, "does not let the bot write");
    // What is told of it goes elsewhere, where the token is refused.
    health_says(&t, "refused DISCORD_TOKEN", true).await;
    t.log.expect(Level::ERROR, "Discord refused DISCORD_TOKEN (401)");
    t.set("DISCORD_TOKEN", token);
    t.restart().await;
    t.channel("assets").next_message().await;
    t.channel("general").next_messages(2).await;
    t.finish().await;
}
