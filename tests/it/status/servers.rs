//! Wrong ids of servers and roles, pings that reach nobody, and channels that take no messages: each named with its
//! remedy, and gone once it is mended.

use nuncio::sandbox::discord::Setup;
use reqwest::Method;
use serde_json::{Value, json};
use tracing::Level;

use crate::harness::{Harness, http};
use crate::limits::{health_says, ticket};

/// A harness whose bot is online and was invited without any extra, after `change` had a look at the variables.
async fn invited(change: impl FnOnce(&mut Harness)) -> Harness {
    let mut t = Harness::in_guild(Setup::default(), |_| {}).await;
    change(&mut t);
    t.unset("DISCORD_GATEWAY");
    t.restart().await;
    t.online().await;
    t
}

/// The sandbox's Discord, asked with a person's token.
async fn asks(t: &Harness, method: Method, path: &str, body: Value) -> Value {
    let url = format!("{}/v10{path}", t.variable("DISCORD_API_URL"));
    let request = http().request(method, url).header("authorization", t.discord.user_token().expose());
    let response = request.json(&body).send().await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    response.json().await.unwrap()
}

// O-1
#[tokio::test]
async fn wrong_ids_are_named_at_the_start_and_in_health() {
    let t = invited(|t| {
        t.set("DISCORD_GUILD_ID", "1200000000000000001");
        t.set("APPROVER_ROLES", t.discord.guild_id().to_string());
        t.set("OPERATOR_ROLES", "1200000000000000002");
        t.set("PING", r#"{"ticket.created":["1200000000000000003"]}"#);
    })
    .await;
    // What counts after SIGHUP needs no restart.
    let reread = "then `kill -HUP` nuncio or restart it";
    for (sentence, remedy, how) in [
        (
            "DISCORD_GUILD_ID names 1200000000000000001",
            "oauth2/authorize?client_id=",
            "Copy Server ID) and restart",
        ),
        ("APPROVER_ROLES names @everyone of Acme NOC", "Put the id of a role there", reread),
        ("OPERATOR_ROLES names the role 1200000000000000002", "Copy Role ID", reread),
        ("A ping is set for the role 1200000000000000003", "nobody will be pinged", reread),
    ] {
        health_says(&t, sentence, true).await;
        let problems = t.health().await["problems"].as_array().unwrap().clone();
        let told =
            problems.iter().filter_map(Value::as_str).find(|problem| problem.contains(sentence)).unwrap();
        assert!(told.contains(remedy) && told.contains(how), "{told}");
        t.log.seen(Level::WARN, sentence).await;
    }
    t.finish().await;
}

// O-1. The near miss: everything right, and nothing is named.
#[tokio::test]
async fn right_ids_are_no_problem() {
    let t = invited(|t| {
        let approvers = t.discord.role_id("Approvers").unwrap();
        t.discord.set_mentionable("Approvers", true);
        t.set("DISCORD_GUILD_ID", t.discord.guild_id().to_string());
        t.set("APPROVER_ROLES", approvers.to_string());
        t.set("OPERATOR_ROLES", approvers.to_string());
        t.set("PING", json!({"ticket.created": [approvers]}).to_string());
    })
    .await;
    t.table_line("#tickets  ok").await;
    assert_eq!(t.health().await["problems"], json!([]));
    t.finish().await;
}

// Both ways: a role that nobody can ping, and the same role once it is mentionable. What the message says is the same.
#[tokio::test]
async fn a_role_is_pinged_only_if_it_is_mentionable_and_else_it_is_said() {
    let t = invited(|t| {
        let operators = t.discord.role_id("Operators").unwrap();
        t.set("PING", json!({"ticket.created": [operators]}).to_string());
    })
    .await;
    let operators = t.discord.role_id("Operators").unwrap();
    health_says(&t, "@Operators is not mentionable", true).await;
    t.sends_body(ticket(1)).await;
    let silent = t.channel("tickets").next_message().await;
    assert!(silent.content().contains(&format!("<@&{operators}>")), "{}", silent.content());
    assert_eq!(silent.0["mention_roles"], json!([]));
    t.discord.set_mentionable("Operators", true);
    health_says(&t, "@Operators is not mentionable", false).await;
    t.sends_body(ticket(2)).await;
    let loud = t.channel("tickets").next_message().await;
    assert_eq!(loud.0["mention_roles"], json!([operators]));
    t.finish().await;
}

#[tokio::test]
async fn a_forum_in_the_map_is_named_and_a_thread_is_a_channel() {
    let mut t = Harness::in_guild(Setup::default(), |_| {}).await;
    let (tickets, forum) = (t.discord.channel_id("tickets").unwrap(), t.discord.channel_id("ideas").unwrap());
    let thread = |name: &str| json!({"name": name, "type": 11});
    let path = format!("/channels/{tickets}/threads");
    let active = asks(&t, Method::POST, &path, thread("Night")).await["id"].as_str().unwrap().to_owned();
    let archived = asks(&t, Method::POST, &path, thread("Old")).await["id"].as_str().unwrap().to_owned();
    asks(&t, Method::PATCH, &format!("/channels/{archived}"), json!({"archived": true})).await;
    let map = json!({"ticket.*": [active], "asset.*": [archived], "alert.*": [forum]});
    t.set("DISCORD_WEBHOOK_CHANNELS", map.to_string());
    t.unset("DISCORD_GATEWAY");
    t.restart().await;
    t.online().await;
    t.table_line("Acme NOC / #Night  ok").await;
    t.table_line("Acme NOC / #Old  ok").await;
    t.table_line("#ideas: is a forum, which holds posts and no messages").await;
    let problems = t.health().await["problems"].as_array().unwrap().clone();
    assert_eq!(problems.len(), 1, "{problems:#?}");
    let said = problems[0].as_str().unwrap();
    assert!(said.contains("#ideas: is a forum") && said.contains("the id of a text channel"), "{said}");
    t.finish().await;
}

// Control: with the promise back in the sentence.
#[tokio::test]
async fn while_discord_is_away_nothing_is_said_to_be_sent() {
    let t = Harness::with(|variables| {
        drop(variables.remove("DISCORD_GATEWAY"));
        variables.insert("DISCORD_API_URL".to_owned(), "http://127.0.0.1:9/api".to_owned());
    })
    .await;
    health_says(&t, "Discord (127.0.0.1) cannot be reached: connection refused", true).await;
    let problems = t.health().await["problems"].to_string();
    assert!(problems.contains("Events are kept and sent later"), "{problems}");
    assert!(!problems.contains("still sent") && !problems.contains("os error"), "{problems}");
    t.finish().await;
}
