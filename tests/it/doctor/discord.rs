//! The codes of doctor's Discord group that are no broken set-up by themselves, each with a near miss.
//!
//! | protection | what was taken away | what failed then |
//! | --- | --- | --- |
//! | a server that never answers is given up | `clock.within` around `client.myself` | `a_discord_that_never_answers…` |
//! | XTSystems that never answers is given up | `clock.within` around `client.registration` | `a_platform_that_never_answers…` |
//! | a channel that no list names is asked for | `learn_unlisted` | `a_channel_that_no_list_names…` |
//! | the operator's own server is read first, and no more than 25 | the order of `ids`, MOST_SERVERS | `of_many_servers…` |
//! | no commands without the gateway | the look at `gateway` | `commands_are_judged_only…` |
//! | what was not read is not called right | `is_partial` | the same |
//! | commands that are there twice are named | `doubles` | the same |
//! | a nuncio that has just started is not named | `is_behind` in `commands` | `a_nuncio_that_is_just_starting…` |
//! | pings of the map are looked at, too | `routed` | `a_role_that_is_everyone…` |

use std::time::Duration;

use nuncio::clock::Clock;
use nuncio::config::Variables;
use nuncio::doctor::{self, Code, State};
use nuncio::sandbox::discord::{Fault, RateLimits, Setup};
use nuncio::sandbox::{self, Discord};
use nuncio::secret::Secret;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::doctor::rig::{NOTHING, Rig};
use crate::harness::{http, stored, within};

/// A Discord of this test's own, and the variables that lead to it.
async fn discord_in(folder: &std::path::Path, clock: &Clock) -> (Discord, Vec<(String, String)>) {
    let discord = Discord::new(clock.clone(), Setup::default());
    discord.set_rate_limits(RateLimits::unlimited());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = format!("http://{}/api", listener.local_addr().unwrap());
    tokio::spawn(sandbox::serve(discord.clone(), listener, CancellationToken::new()));
    let database = format!("sqlite://{}", folder.join("nuncio.db").display());
    let variables = [
        ("DISCORD_TOKEN", discord.bot_token().expose()),
        ("DISCORD_API_URL", &api),
        ("WEBHOOK_SECRET", "9f86d081884c7d659a2feaa0c55ad015"),
        ("WEBHOOK_PORT", "0"),
        ("NUNCIO_DATABASE_URL", &database),
        ("LOG_DIR", &folder.display().to_string()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    (discord, variables)
}

#[tokio::test]
async fn a_discord_that_never_answers_is_given_up_after_ten_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let (discord, variables) = discord_in(folder.path(), &clock).await;
    discord.faults().next_on("/users/@me", 1, Fault::HangAfter);
    let variables = Variables::from_map(variables);
    let examination = doctor::examine(&variables, &clock);
    let time_goes_on = async {
        discord
            .wait_until(|discord| {
                discord.requests().iter().any(|asked| asked.path.ends_with("/users/@me")).then_some(())
            })
            .await;
        loop {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    let diagnosis = within("doctor to give up", async {
        tokio::select! {
            diagnosis = examination => diagnosis,
            () = time_goes_on => unreachable!(),
        }
    })
    .await;
    let check = diagnosis.checks.iter().find(|check| check.code == Code::DiscordUnreachable).unwrap();
    assert_eq!(check.state, State::Fail);
    assert!(check.found.contains("did not answer within 10 s"), "{check:?}");
    // Near miss: it answers.
    let diagnosis = doctor::examine(&variables, &clock).await;
    assert!(diagnosis.checks.iter().any(|check| check.code == Code::DiscordToken), "{diagnosis:?}");
    assert!(!diagnosis.checks.iter().any(|check| check.code == Code::DiscordUnreachable), "{diagnosis:?}");
}

// Control: without the comparison of the two ids this fails.
#[tokio::test]
async fn a_client_id_of_another_application() {
    let mut rig = Rig::set().await;
    rig.set_to("DISCORD_CLIENT_ID", "1200000000000000009");
    let seen = rig.finds(0, &["discord-application-differs"]).await;
    let right = rig.discord.application_id().to_string();
    assert!(seen.check("discord-application-differs")["remedy"].as_str().unwrap().contains(&right));
    rig.take_out("DISCORD_CLIENT_ID");
    rig.finds(0, &NOTHING).await;
}

// Control: with what was not read judged all the same this fails.
#[tokio::test]
async fn a_server_that_does_not_answer_is_not_judged() {
    let rig = Rig::set().await;
    let guild = rig.discord.guild_id();
    rig.discord.faults().next_on(&format!("/guilds/{guild}/channels"), 1, Fault::status(500));
    rig.finds(0, &["discord-servers-unread"]).await;
    rig.finds(0, &NOTHING).await;
}

#[tokio::test]
async fn a_role_that_is_everyone_and_pings_that_reach_nobody() {
    let mut rig = Rig::set().await;
    rig.set_to("APPROVER_ROLES", &rig.discord.guild_id().to_string());
    rig.finds(1, &["role-is-everyone"]).await;
    rig.take_out("APPROVER_ROLES");
    let operators = rig.discord.role_id("Operators").unwrap().to_string();
    rig.set_to("PING", &json!({"alert.*": operators}).to_string());
    rig.finds(0, &["ping-reaches-nobody"]).await;
    rig.discord.set_mentionable("Operators", true);
    rig.finds(0, &NOTHING).await;
    rig.set_to("PING", &json!({"alert.*": "1200000000000000009"}).to_string());
    rig.finds(0, &["ping-role-unknown"]).await;
    // The map may name one, too.
    rig.take_out("PING");
    let pings = json!({"default": {"channels": [rig.id("general")], "ping": ["1200000000000000009"]}});
    rig.set_to("DISCORD_WEBHOOK_CHANNELS", &pings.to_string());
    rig.finds(0, &["ping-role-unknown"]).await;
}

// Controls: without either limit this fails.
#[tokio::test]
async fn logins_that_are_nearly_used_up() {
    let rig = Rig::set().await;
    rig.discord.leave_logins(101);
    rig.finds(0, &NOTHING).await;
    rig.discord.leave_logins(100);
    rig.finds(0, &["discord-logins-low"]).await;
    rig.discord.leave_logins(10);
    let seen = rig.finds(1, &["discord-logins-low"]).await;
    assert!(
        seen.text.contains("log in 10 more times within the next 1440 min, of 1000 a day"),
        "{}",
        seen.text
    );
}

// Stored webhooks: each is asked for once and none is sent through; the address is nowhere in what is shown. Controls: with
// closed ones asked for as well, with the address shown in place of its mark, without `is_used`, or with all asked for though
// Discord is away, this fails.
#[tokio::test]
async fn stored_webhooks_are_looked_at_and_nothing_is_sent() {
    let mut rig = Rig::set().await;
    let url = rig.webhook_url();
    let id = rig.stores_webhook(&url).await;
    let asked = |rig: &Rig| {
        let requests = rig.discord.requests();
        let hooks: Vec<_> = requests.into_iter().filter(|asked| asked.path.contains("/webhooks/")).collect();
        assert!(hooks.iter().all(|asked| asked.method == "GET"), "{hooks:?}");
        hooks.len()
    };
    let stored_with = asked(&rig);
    let seen = rig.finds(0, &NOTHING).await;
    assert!(seen.check("webhook")["found"].as_str().unwrap().contains("Customers"));
    assert_eq!(asked(&rig), stored_with + 1);
    let token = url.rsplit('/').next().unwrap().to_owned();
    assert!(!seen.text.contains(&token), "{}", seen.text);
    // Without a bot they are looked at all the same.
    let bot = rig.discord.bot_token().expose().to_owned();
    rig.take_out("DISCORD_TOKEN");
    let seen = rig.finds(0, &["discord-token-missing"]).await;
    assert_eq!(seen.check("webhook")["state"], "ok");
    rig.set_to("DISCORD_TOKEN", &bot);
    // Another token for the same webhook, stored while Discord does not answer: it would say so.
    rig.discord.faults().next_on("/webhooks/", 1, Fault::status(502));
    let mut wrong = url.clone();
    let last = if wrong.pop() == Some('A') { 'B' } else { 'A' };
    wrong.push(last);
    rig.runs_with(&["discord-webhooks", "replace", &id], &wrong).await;
    let seen = rig.finds(1, &["webhook-token-refused"]).await;
    assert!(!seen.text.contains(&token[..60]), "{}", seen.text);
    // What the map does not name is no failure.
    rig.map_to(&[&rig.id("general")]);
    rig.finds(0, &["webhook-token-refused"]).await;
    // What nuncio closed is not asked for again.
    let before = asked(&rig);
    rusqlite::Connection::open(rig.path("data/nuncio.db"))
        .unwrap()
        .execute("UPDATE destinations SET closed_reason = 'gone (10015)' WHERE id = ?1", [stored(&id)])
        .unwrap();
    rig.finds(0, &["webhook-closed"]).await;
    assert_eq!(asked(&rig), before);
    // Where Discord is away, none is asked for by itself.
    rig.changes_database("UPDATE destinations SET closed_reason = NULL").await;
    rig.discord.faults().next_on("/users/@me", 1, Fault::status(500));
    rig.finds(1, &["discord-unreachable", "webhooks-unread"]).await;
    assert_eq!(asked(&rig), before);
    rig.changes_database("UPDATE destinations SET closed_reason = 'gone (10015)'").await;
    // Nobody can say how it is without the key.
    std::fs::rename(rig.path("nuncio.key"), rig.path("away.key")).unwrap();
    let seen = rig.looks().await;
    assert_eq!(seen.wrong, ["key-file-missing", "webhook-closed"], "{}", seen.text);
}

// Control: without `unread` this fails.
#[tokio::test]
async fn stored_webhooks_that_cannot_be_looked_at_are_not_called_well() {
    let mut rig = Rig::set().await;
    let url = rig.webhook_url();
    rig.stores_webhook(&url).await;
    rig.discord.faults().next_on("/webhooks/", 1, Fault::status(502));
    rig.finds(0, &["webhooks-unread"]).await;
    rig.finds(0, &NOTHING).await;
}

// Controls: without `webhooks::unknown` the first look is green; without `knows_stored` a database that cannot be read is
// blamed for it, too.
#[tokio::test]
async fn a_key_of_the_map_that_names_no_stored_webhook_is_named() {
    let mut rig = Rig::set().await;
    let url = rig.webhook_url();
    let id = rig.stores_webhook(&url).await;
    rig.finds(0, &NOTHING).await;
    rig.runs(&["discord-webhooks", "remove", &id]).await;
    let seen = rig.finds(1, &["webhook-unknown"]).await;
    let check = seen.check("webhook-unknown");
    assert!(check["found"].as_str().unwrap().contains(&id), "{check}");
    assert!(check["remedy"].as_str().unwrap().contains("nuncio discord-webhooks list"), "{check}");
    // As the remedy says.
    rig.map_to(&[&rig.id("general")]);
    rig.finds(0, &NOTHING).await;
}

// An archived thread is in no list of its server.
#[tokio::test]
async fn a_channel_that_no_list_names_is_asked_for_by_itself() {
    let mut rig = Rig::set().await;
    let url = format!("{}/api/v10/channels", rig.discord_address());
    let user = rig.discord.user_token().expose().to_owned();
    let thread = json!({"name": "night shift", "type": 11});
    let made = http().post(format!("{url}/{}/threads", rig.id("alerts"))).header("authorization", &user);
    let made: serde_json::Value = made.json(&thread).send().await.unwrap().json().await.unwrap();
    let id = made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    rig.map_to(&[&id]);
    rig.finds(0, &NOTHING).await;
    let archived = http().patch(format!("{url}/{id}")).header("authorization", &user);
    let archived = archived.json(&json!({"archived": true})).send().await.unwrap();
    assert!(archived.status().is_success(), "{archived:?}");
    rig.finds(0, &NOTHING).await;
}

// The guild that the configuration names is read before all others, and of many the rest is left unread.
#[tokio::test]
async fn of_many_servers_the_operators_own_is_read_first() {
    let mut rig = Rig::set().await;
    let mut last = None;
    for number in 0..25 {
        last = rig.discord.invite(&format!("Server {number}"), "alice", "lobby");
    }
    let (guild, channel) = last.unwrap();
    rig.set_to("DISCORD_GUILD_ID", &guild.to_string());
    rig.map_to(&[&channel.to_string()]);
    let seen = rig.finds(0, &["discord-servers-unread"]).await;
    assert!(seen.text.contains("1 of the bot's 26 servers could not be looked at"), "{}", seen.text);
    assert!(seen.text.contains("Server 24 / #lobby: the bot may write there"), "{}", seen.text);
    let is_read = |path: &str| path.contains("/guilds/") && path.ends_with("/channels");
    assert_eq!(rig.discord.requests().iter().filter(|asked| is_read(&asked.path)).count(), 25);
}

// With the gateway off nobody asks for commands; where they cannot be read they are not called right.
#[tokio::test]
async fn commands_are_judged_only_where_they_were_read() {
    let mut rig = Rig::set().await;
    rig.set_to("DISCORD_GATEWAY", "false");
    let seen = rig.finds(0, &NOTHING).await;
    assert!(seen.text.contains("registers no commands and hears no clicks"), "{}", seen.text);
    rig.take_out("DISCORD_GATEWAY");
    rig.starts(&["commands registered"]).await;
    let right = "Discord has the commands that this nuncio registers";
    rig.discord.faults().next_on("/commands", 1, Fault::status(500));
    let seen = rig.finds(0, &NOTHING).await;
    assert!(!seen.text.contains(right), "{}", seen.text);
    assert!(rig.finds(0, &NOTHING).await.text.contains(right));
    // Those that it registered everywhere are there twice once it registers them in one server.
    rig.set_to("DISCORD_GUILD_ID", &rig.discord.guild_id().to_string());
    let seen = rig.finds(0, &["commands-outdated"]).await;
    assert!(seen.text.contains("; twice: /"), "{}", seen.text);
}

// Beside a nuncio that has just started, its commands are waited for.
#[tokio::test]
async fn a_nuncio_that_is_just_starting_is_not_named() {
    let mut rig = Rig::set().await;
    rig.discord.faults().next_on("PUT ", 1, Fault::Delay(Duration::from_secs(3)));
    rig.serve_on_a_port().await;
    rig.finds(0, &NOTHING).await;
}

#[tokio::test]
async fn a_platform_that_never_answers_is_given_up_after_ten_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let (_discord, mut variables) = discord_in(folder.path(), &clock).await;
    let platform = nuncio::demo::Platform::new(Secret::new("the-key-of-this-platform"), clock.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = nuncio::demo::Platform::url(listener.local_addr().unwrap());
    tokio::spawn(platform.clone().serve(listener, CancellationToken::new()));
    variables.push(("XTSYSTEMS_API_URL".to_owned(), url));
    variables.push(("XTSYSTEMS_API_KEY".to_owned(), "the-key-of-this-platform".to_owned()));
    platform.fails_next("GET /v1/webhooks", 1, nuncio::demo::PlatformFault::Hang);
    let mut changes = platform.changes();
    let time_goes_on = async {
        changes.wait_for(|changes| *changes > 0).await.unwrap();
        loop {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    let variables = Variables::from_map(variables);
    let diagnosis = within("doctor to give up", async {
        tokio::select! {
            diagnosis = doctor::examine(&variables, &clock) => diagnosis,
            () = time_goes_on => unreachable!(),
        }
    })
    .await;
    let check = diagnosis.checks.iter().find(|check| check.code == Code::XtsystemsUnreachable);
    assert!(check.is_some_and(|check| check.found.contains("within 10 s")), "{diagnosis:?}");
}
