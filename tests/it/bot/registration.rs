//! Registering commands: in the servers that are named, once, tried again, and never fatal.

use std::time::Duration;

use nuncio::sandbox::discord::{Fault, LoggedRequest};
use serde_json::{Value, json};
use tracing::Level;

use crate::harness::{Harness, http};

#[tokio::test]
async fn commands_go_to_the_servers_that_are_named() {
    let t = Harness::with_bot().await;
    t.commands().await;
    let path = |t: &Harness| {
        let is_it = |asked: &LoggedRequest| asked.method == "PUT" && asked.path.ends_with("/commands");
        t.discord.requests().into_iter().rfind(|asked| is_it(asked)).unwrap().path.clone()
    };
    assert!(path(&t).ends_with(&format!("/applications/{}/commands", t.discord.application_id())));
    t.finish().await;

    let t = Harness::with(|variables| drop(variables.remove("DISCORD_GATEWAY"))).await;
    let guild = t.discord.guild_id();
    let mut t = t;
    t.set("DISCORD_GUILD_ID", guild.to_string());
    t.restart().await;
    t.clock.advance(Duration::from_secs(5));
    t.online().await;
    t.log.seen(Level::INFO, &format!("commands registered in server {guild}: /webhook-status")).await;
    assert!(path(&t).ends_with(&format!("/guilds/{guild}/commands")));
    t.finish().await;
}

/// The names of the commands in `place`: everywhere, or in a guild.
async fn registered(t: &Harness, place: &str) -> Vec<String> {
    let application = t.discord.application_id();
    let url = format!("{}/v10/applications/{application}{place}/commands", t.variable("DISCORD_API_URL"));
    let token = format!("Bot {}", t.discord.bot_token().expose());
    let found = http().get(url).header("authorization", token).send().await.unwrap();
    let found: Value = found.json().await.unwrap();
    let names = found.as_array().unwrap().iter().map(|command| command["name"].as_str().unwrap().to_owned());
    names.collect()
}

// Control: without `remove_doubles` they stay registered everywhere as well.
#[tokio::test]
async fn each_command_appears_once_after_the_servers_are_named_and_after_they_are_not() {
    let mut t = Harness::with_bot().await;
    t.commands().await;
    let guild = t.discord.guild_id();
    let place = format!("/guilds/{guild}");
    assert!(registered(&t, "").await.contains(&"webhook-status".to_owned()));
    // What the application has beside ours stays.
    let application = t.discord.application_id();
    let url = format!("{}/v10/applications/{application}/commands", t.variable("DISCORD_API_URL"));
    let token = format!("Bot {}", t.discord.bot_token().expose());
    let other = json!({"name": "agent", "description": "Of another program", "type": 1});
    let posted = http().post(url).header("authorization", token).json(&other).send().await;
    assert!(posted.unwrap().status().is_success());

    t.set("DISCORD_GUILD_ID", guild.to_string());
    t.restart().await;
    t.clock.advance(Duration::from_secs(5));
    t.online().await;
    t.log.seen(Level::INFO, "removed /unmute as it was registered everywhere").await;
    assert_eq!(registered(&t, "").await, ["agent"]);
    assert!(registered(&t, &place).await.contains(&"webhook-status".to_owned()));

    t.unset("DISCORD_GUILD_ID");
    t.restart().await;
    t.clock.advance(Duration::from_secs(5));
    t.online().await;
    t.log.seen(Level::INFO, &format!("removed /unmute as it was registered in server {guild}")).await;
    assert_eq!(registered(&t, &place).await, [""; 0]);
    t.finish().await;
}

#[tokio::test]
async fn registration_is_tried_again_and_never_fatal() {
    let mut t = Harness::start().await;
    t.stop().await;
    t.discord.faults().next_on(
        "PUT /api/v10/applications",
        2,
        Fault::refusal(400, 50035, "Invalid Form Body"),
    );
    t.unset("DISCORD_GATEWAY");
    t.boot().await;
    t.online().await;
    for _ in 0..2 {
        t.log.seen(Level::WARN, "400 50035: Invalid Form Body").await;
        t.log.expect(Level::WARN, "400 50035: Invalid Form Body");
        t.clock.advance(Duration::from_secs(10));
    }
    t.commands().await;
    t.person("alice").types("webhook-status").await;
    t.finish().await;
}

// Item 46. Control: with one remedy for all, the first blames the invite.
#[tokio::test]
async fn a_refused_registration_says_whose_fault_it_is() {
    let mut t = Harness::start().await;
    t.stop().await;
    let errors = json!({"2": {"name": {"_errors": [
        {"code": "APPLICATION_COMMAND_INVALID_NAME", "message": "Command name is invalid"},
    ]}}});
    let invalid = json!({"code": 50035, "message": "Invalid Form Body", "errors": errors});
    let invalid = Fault::Status {
        status: 400,
        headers: vec![("Via".to_owned(), "1.1 google".to_owned())],
        body: invalid.to_string(),
    };
    let part = "PUT /api/v10/applications";
    for fault in [invalid, Fault::refusal(403, 50001, "Missing Access"), Fault::status(503)] {
        t.discord.faults().next_on(part, 1, fault);
    }
    t.unset("DISCORD_GATEWAY");
    t.boot().await;
    let faults = [
        (
            "2.name: Command name is invalid. This is a bug in nuncio: please report it. The bot keeps the commands it had",
            false,
        ),
        (
            "Missing Access. The bot must be in that server, invited with the scope applications.commands",
            true,
        ),
        ("The bot keeps the commands it had", false),
    ];
    for (says, blames_the_invite) in faults {
        t.log.seen(Level::WARN, "the commands could not be registered").await;
        let mut told = t.log.at(Level::WARN).into_iter();
        let line = told.find(|line| line.contains("the commands could not be registered")).unwrap();
        assert!(line.contains(says), "{line}");
        assert_eq!(line.contains("invited"), blames_the_invite, "{line}");
        t.log.expect(Level::WARN, "the commands could not be registered");
        t.clock.advance(Duration::from_secs(30));
    }
    t.commands().await;
    t.finish().await;
}
