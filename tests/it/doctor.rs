//! `nuncio doctor`, as a person meets it: the real program, with one thing wrong at a time and a near miss beside it.

mod bot;
mod broken;
mod broken_discord;
mod database;
mod discord;
mod disk;
mod door;
mod fix;
mod page;
mod platform;
mod proxy;
mod rig;
mod seen;
mod send;
mod serve;
mod start;

use std::os::unix::fs::PermissionsExt as _;

use nuncio::sandbox::discord::{Fault, Permission};
use nuncio::secret::Secret;
use serde_json::json;
use tokio::net::TcpListener;

use crate::doctor::rig::{NOTHING, Rig};

#[tokio::test]
async fn all_is_well_and_nothing_was_written_or_sent() {
    let rig = Rig::set().await;
    let seen = rig.looks().await;
    assert_eq!((seen.code, seen.wrong.len()), (0, 0), "{}", seen.text);
    assert_eq!(rig.files(), [".env"]);
    assert!(rig.discord.requests().iter().all(|asked| asked.method == "GET"));
    assert!(rig.platform.recorded_requests().is_empty());
    let text = rig.runs(&["doctor"]).await;
    assert_eq!(text.0, 0);
    assert!(text.1.contains("files\n  ✓ ") && text.1.ends_with("All is well.\n"), "{}", text.1);
    // In the environment of nobody who set anything up.
    let bare = Rig::set().await.without_anything();
    let seen = bare.looks().await;
    assert_eq!((seen.code, seen.wrong), (78, vec!["secret-missing".to_owned()]));
}

#[tokio::test]
async fn a_token_that_discord_does_not_know() {
    let mut rig = Rig::set().await;
    let token = rig.discord.bot_token().expose().to_owned();
    rig.set_to("DISCORD_TOKEN", &token.replace(|letter: char| letter.is_ascii_lowercase(), "x"));
    rig.finds(1, &["discord-token-refused"]).await;
    for wrong in [format!("Bot {token}"), format!("{token} x")] {
        rig.set_to("DISCORD_TOKEN", &wrong);
        rig.finds(78, &["discord-token-malformed"]).await;
    }
    // Near misses: blanks around an unquoted value do not belong to it; no token at all is a choice.
    rig.add_line(&format!("DISCORD_TOKEN =  {token}  "));
    rig.finds(0, &NOTHING).await;
    rig.clear_lines();
    rig.take_out("DISCORD_TOKEN");
    rig.finds(0, &["discord-token-missing"]).await;
}

#[tokio::test]
async fn channels_that_are_not_there_or_hold_no_messages() {
    let mut rig = Rig::set().await;
    rig.map_to(&["1200000000000000009"]);
    rig.finds(1, &["channel-unknown"]).await;
    let forum = rig.id("ideas");
    rig.map_to(&[&forum]);
    rig.finds(1, &["channel-unfit"]).await;
    // Near miss: deleted, but not in the map.
    rig.map_to(&[&rig.id("alerts")]);
    rig.discord.delete_channel(rig.discord.channel_id("general").unwrap());
    rig.finds(0, &NOTHING).await;
}

// Control: without the look at `missing` (doctor/channels.rs) this fails.
#[tokio::test]
async fn a_channel_that_denies_the_bot_a_permission() {
    let mut rig = Rig::set().await;
    let alerts = rig.discord.channel_id("alerts").unwrap();
    rig.discord.deny(alerts, Permission::EmbedLinks);
    let seen = rig.finds(1, &["channel-permission-missing"]).await;
    let found = "Acme NOC / #alerts: missing Embed Links (denied to the bot itself)";
    assert!(
        seen.text.contains(found) && seen.text.contains("choose the bot and allow Embed Links"),
        "{}",
        seen.text
    );
    // Near miss: the map names another channel.
    rig.map_to(&[&rig.id("general")]);
    rig.finds(0, &NOTHING).await;
}

#[tokio::test]
async fn the_wrong_server_and_roles_that_let_nobody_in() {
    let mut rig = Rig::set().await;
    rig.set_to("DISCORD_GUILD_ID", "1200000000000000009");
    rig.finds(1, &["discord-server-unknown"]).await;
    rig.set_to("DISCORD_GUILD_ID", &rig.discord.guild_id().to_string());
    rig.set_to("APPROVER_ROLES", &rig.discord.role_id("Approvers").unwrap().to_string());
    rig.finds(0, &NOTHING).await;
    rig.set_to("APPROVER_ROLES", "1200000000000000009");
    rig.finds(1, &["role-unknown"]).await;
}

// Without it set, which is so in every other test, it is not named. Control: without `takes_interactions_away` this fails.
#[tokio::test]
async fn an_interactions_endpoint_that_starves_the_gateway() {
    let rig = Rig::set().await;
    let id = rig.discord.application_id();
    let body =
        json!({"id": id, "bot_public": false, "interactions_endpoint_url": "https://old.example/discord"});
    let fault = Fault::Status { status: 200, headers: Vec::new(), body: body.to_string() };
    rig.discord.faults().next_on("/applications/@me", 1, fault);
    rig.finds(1, &["discord-interactions-endpoint"]).await;
}

#[tokio::test]
async fn xtsystems_away_or_refusing_the_key() {
    let mut rig = Rig::set().await;
    rig.set_to("XTSYSTEMS_API_KEY", "another-key-0123456789");
    rig.finds(1, &["xtsystems-key-refused"]).await;
    rig.set_to("XTSYSTEMS_API_URL", "http://127.0.0.1:9");
    rig.finds(1, &["xtsystems-unreachable"]).await;
    // Near miss: without a key nobody asks.
    rig.take_out("XTSYSTEMS_API_KEY");
    rig.finds(0, &NOTHING).await;
}

// What was not looked at is not "ok". Controls: without `unchecked`, or without the question to XTSystems, this fails.
#[tokio::test]
async fn where_nobody_answers_the_clock_is_not_called_right() {
    let mut rig = Rig::set().await;
    rig.set_to("XTSYSTEMS_API_URL", "http://127.0.0.1:9");
    rig.set_to("DISCORD_API_URL", "http://127.0.0.1:9/api");
    rig.finds(1, &["discord-unreachable", "xtsystems-unreachable", "clock"]).await;
    // One of the two is enough.
    let platform = rig.platform_url.clone();
    rig.set_to("XTSYSTEMS_API_URL", &platform);
    let seen = rig.finds(1, &["discord-unreachable"]).await;
    assert!(seen.text.contains("The clock of this machine agrees with that of XTSystems"), "{}", seen.text);
}

#[tokio::test]
async fn a_registration_that_is_missing_or_leads_elsewhere() {
    let mut rig = Rig::unregistered().await;
    rig.finds(0, &["xtsystems-not-registered"]).await;
    rig.platform.add_webhook("Discord Bot Integration", "http://127.0.0.1:8/old", Secret::new("x"));
    rig.finds(0, &["xtsystems-registered-elsewhere"]).await;
    rig.platform.add_webhook("another", "http://127.0.0.1:9/webhooks/xtsystems/", Secret::new("x"));
    rig.finds(0, &NOTHING).await;
    rig.set_to("WEBHOOK_PATH", "/other");
    rig.finds(0, &["xtsystems-registered-elsewhere"]).await;
}

#[tokio::test]
async fn a_port_that_another_program_has() {
    let mut rig = Rig::set().await;
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = other.local_addr().unwrap().port();
    rig.set_to("WEBHOOK_PORT", &port.to_string());
    let hanging_up = tokio::spawn(async move {
        loop {
            drop(other.accept().await);
        }
    });
    rig.finds(1, &["port-taken"]).await;
    hanging_up.abort();
    rig.set_to("WEBHOOK_PORT", "0");
    rig.set_to("WEBHOOK_HOST", "192.0.2.1");
    rig.finds(1, &["address-unusable"]).await;
}

// Controls: without `immutable` (store/survey.rs), without `unrouted` counted or without `is_sealed` this fails.
#[tokio::test]
async fn beside_a_server_its_port_and_its_public_address_are_its_own() {
    let mut rig = Rig::set().await;
    rig.map_only("alert.*");
    let port = rig.serve_on_a_port().await;
    let seen = rig.finds(0, &NOTHING).await;
    assert!(seen.text.contains(&format!("A nuncio listens on port {port}")), "{}", seen.text);
    assert!(seen.text.contains("leads to this nuncio") && seen.text.contains("A nuncio is running on this"));
    // Near miss of an event with a channel: one without.
    assert_eq!(rig.sends_a_ticket().await, 200);
    let before = rig.files();
    rig.finds(0, &["events-unrouted"]).await;
    assert_eq!(rig.files(), before);
    rig.set_to("PUBLIC_URL", &rig.discord_address());
    rig.finds(1, &["xtsystems-registered-elsewhere", "public-url-elsewhere", "events-unrouted"]).await;
    rig.set_to("PUBLIC_URL", "http://127.0.0.1:9");
    rig.finds(1, &["public-url-unreachable", "events-unrouted"]).await;
    rig.set_to("PUBLIC_URL", &format!("http://127.0.0.1:{port}"));
    rig.ends_serving().await;
    rig.folds_the_log_in().await;
    let before = rig.files();
    assert_eq!(before, [".env", "data/nuncio.db", "data/nuncio.db.lock", "data/nuncio.lock", "nuncio.key"]);
    rig.finds(0, &["events-unrouted"]).await;
    assert_eq!(rig.files(), before, "it leaves no trace beside a database that nobody serves");
    std::fs::remove_file(rig.path("nuncio.key")).unwrap();
    rig.finds(1, &["key-file-missing", "events-unrouted"]).await;
}

// Controls: without `WRITE_OK` or `is_dir` in `writable`, or without either check that asks it, this fails.
#[tokio::test]
async fn folders_that_cannot_be_written() {
    let mut rig = Rig::set().await;
    rig.belongs_to_nobody();
    std::fs::create_dir(rig.path("locked")).unwrap();
    std::fs::set_permissions(rig.path("locked"), std::fs::Permissions::from_mode(0o555)).unwrap();
    rig.finds(0, &NOTHING).await;
    rig.set_to("NUNCIO_DATABASE_URL", "sqlite://locked/data/nuncio.db");
    rig.finds(1, &["data-folder-unwritable"]).await;
    rig.take_out("NUNCIO_DATABASE_URL");
    rig.set_to("LOG_DIR", "locked/logs");
    rig.finds(0, &["log-folder-unwritable"]).await;
    // No folder, though every right to one is there.
    rig.set_to("LOG_DIR", "program");
    std::fs::write(rig.path("program"), "").unwrap();
    std::fs::set_permissions(rig.path("program"), std::fs::Permissions::from_mode(0o777)).unwrap();
    rig.finds(0, &["log-folder-unwritable"]).await;
}

#[tokio::test]
async fn files_that_others_may_read_or_that_are_damaged() {
    let mut rig = Rig::set().await;
    rig.mode = 0o644;
    rig.finds(0, &["env-file-open"]).await;
    rig.mode = 0o600;
    std::fs::write(rig.path("nuncio.key"), "no key").unwrap();
    rig.finds(1, &["key-file-unusable"]).await;
    std::fs::write(rig.path("nuncio.key"), "5e".repeat(32)).unwrap();
    std::fs::set_permissions(rig.path("nuncio.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    rig.finds(0, &NOTHING).await;
    std::fs::create_dir(rig.path("data")).unwrap();
    std::fs::write(rig.path("data/nuncio.db"), "this is no database at all".repeat(100)).unwrap();
    rig.finds(1, &["database-damaged"]).await;
}

// Controls: without `is_weak`, or without the code of its own for quotes, this fails.
#[tokio::test]
async fn secrets_that_are_short_weak_or_quoted() {
    let mut rig = Rig::set().await;
    rig.set_to("WEBHOOK_SECRET", "0a1b2c3d4e5f607");
    rig.finds(78, &["secret-too-short"]).await;
    rig.set_to("WEBHOOK_SECRET", "0a1b2c3d4e5f6071");
    rig.finds(0, &NOTHING).await;
    rig.set_to("WEBHOOK_SECRET", &"ab".repeat(20));
    rig.finds(0, &["secret-weak"]).await;
    rig.environment.push(("WEBHOOK_SECRET".to_owned(), "'0a1b2c3d4e5f6071'".to_owned()));
    rig.set_to("RATE_LIMIT", "often");
    rig.finds(78, &["quotes-taken-literally", "configuration-refused"]).await;
}

// Controls: without `ODD`, without `WRONG`, or without the look at `age`, this fails.
#[tokio::test]
async fn a_clock_that_is_off() {
    let rig = Rig::set().await;
    rig.discord.clock().step_wall(-20_000);
    rig.finds(0, &NOTHING).await;
    rig.discord.clock().step_wall(-40_000);
    let seen = rig.finds(0, &["clock-skewed"]).await;
    assert!(seen.text.contains("ahead of Discord's. Mutes and expiry go by Discord's"), "{}", seen.text);
    rig.discord.clock().step_wall(-240_000);
    rig.finds(1, &["clock-skewed"]).await;
    // An answer out of a cache is old, whatever its clock: XTSystems is asked then.
    let cached = Fault::WrongHeaders(vec![("age".to_owned(), "300".to_owned())]);
    rig.discord.faults().next_on("/gateway", 2, cached);
    let seen = rig.finds(0, &NOTHING).await;
    assert!(seen.text.contains("agrees with that of XTSystems"), "{}", seen.text);
}

// Control: without `hide` this fails.
#[tokio::test]
async fn no_secret_is_shown_whoever_repeats_it() {
    let mut rig = Rig::set().await;
    let token = rig.discord.bot_token().expose().to_owned();
    let secrets = ["WEBHOOK_SECRET", "WEBHOOK_SECRET_PREVIOUS", "NUNCIO_API_KEY", "XTSYSTEMS_API_KEY"];
    for name in secrets {
        rig.set_to(name, &format!("canary-{name}-0123456789"));
    }
    rig.set_to("NUNCIO_ENCRYPTION_KEY", &"ca".repeat(32));
    let fault = Fault::Status { status: 502, headers: Vec::new(), body: format!("you sent {token}") };
    rig.discord.faults().next_on("/users/@me", 2, fault);
    for args in [&["doctor"][..], &["doctor", "--json"]] {
        let (code, text) = rig.runs(args).await;
        assert_eq!(code, 1, "{text}");
        assert!(text.contains("you sent ••••"), "{text}");
        for secret in [token.as_str(), "canary", &"ca".repeat(32)] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
    // A key as short as a word hides no word.
    rig.set_to("XTSYSTEMS_API_KEY", "and");
    let (_, text) = rig.runs(&["doctor", "--json"]).await;
    assert!(text.contains("may read and change webhooks"), "{text}");
    // Nor where the configuration is refused.
    rig.set_to("XTSYSTEMS_API_KEY", "canary ü");
    rig.set_to("DISCORD_TOKEN", "canary with blanks");
    let (code, text) = rig.runs(&["doctor"]).await;
    assert!(code == 78 && !text.contains("canary"), "{text}");
}
