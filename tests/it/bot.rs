//! The bot against the sandbox's gateway: it comes up, stays up, and never takes the receiver with it.

use std::time::{Duration, Instant};

use nuncio::hub::Gateway;
use nuncio::sandbox::discord::{self, Fault, LoggedRequest, Permission};
use serde_json::{Value, json};
use tracing::Level;

use crate::harness::{Harness, SECRET, http, within};
use crate::limits::health_says;

#[tokio::test]
async fn the_bot_comes_up_and_names_the_channels() {
    let t = Harness::with_bot().await;
    assert_eq!(t.health().await["discord"], "connected");
    t.table_line("Acme NOC / #tickets  ok").await;
    assert!(
        t.hub().table().contains(&"ticket.*         → Acme NOC / #tickets  ok".to_owned()),
        "{:#?}",
        t.hub().table()
    );
    assert_eq!(t.discord.gateway().identifies(), 1);

    t.places_noted().await;
    t.sends("ticket_created.json").await;
    t.channel("tickets").next_message().await;
    t.settle().await;
    t.log.expect(Level::INFO, "to Acme NOC / #tickets");
    t.finish().await;
}

#[tokio::test]
async fn webhook_status_is_answered_with_figures_that_only_the_asker_sees() {
    let t = Harness::with_bot().await;
    t.commands().await;
    t.sends("ticket_created.json").await;
    t.channel("tickets").next_message().await;
    t.settle().await;
    let answer = t.person("alice").types("webhook-status").await;
    assert_eq!(answer["type"], 4);
    assert_eq!(answer["data"]["flags"], 64);
    assert_eq!(answer["data"]["allowed_mentions"]["parse"], json!([]));
    let embed = &answer["data"]["embeds"][0];
    assert_eq!(embed["title"], "✅ All is well");
    let field = |name: &str| {
        let fields = embed["fields"].as_array().unwrap();
        let found = fields.iter().find(|field| field["name"] == name);
        found.unwrap_or_else(|| panic!("no field {name}: {embed:#}"))["value"].as_str().unwrap().to_owned()
    };
    assert!(field("Gateway").starts_with("connected <t:"), "{}", field("Gateway"));
    assert!(field("Last event").starts_with("`ticket.created` <t:"), "{}", field("Last event"));
    assert_eq!(field("Last 24 hours"), "1 accepted · 1 delivered · 0 dead");
    assert_eq!(field("Outbox"), "empty");
    assert_eq!(field("Endpoint"), format!("`POST {}`", t.url("/webhooks/xtsystems")));
    assert!(!answer.to_string().contains(SECRET));
    t.finish().await;
}

#[tokio::test]
async fn commands_go_to_the_servers_that_are_named() {
    let t = Harness::with_bot().await;
    t.commands().await;
    let path = |t: &Harness| {
        let is_it = |asked: &LoggedRequest| asked.method == "PUT" && asked.path.ends_with("/commands");
        t.discord.requests().into_iter().rfind(is_it).unwrap().path
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

#[tokio::test]
async fn a_missing_permission_is_named_with_who_denies_it() {
    let t = Harness::with_bot().await;
    t.table_line("Acme NOC / #alerts  ok").await;
    let alerts = t.discord.channel_id("alerts").unwrap();
    t.discord.deny(alerts, Permission::EmbedLinks);
    t.table_line("Acme NOC / #alerts: missing Embed Links (denied to the bot itself)").await;
    t.discord.allow(alerts, Permission::EmbedLinks);
    t.table_line("Acme NOC / #alerts  ok").await;
    t.discord.delete_channel(alerts);
    t.table_line(&format!("{alerts}: no such channel, or the bot is not in that server")).await;
    t.finish().await;
}

// N-6
#[tokio::test]
async fn after_every_trouble_of_the_gateway_it_is_back_within_ten_seconds() {
    let t = Harness::with_bot().await;
    t.commands().await;
    let gateway = t.discord.gateway();
    let troubles: [(&str, &dyn Fn()); 6] = [
        ("op 7", &|| gateway.reconnect_all()),
        ("op 9, resumable", &|| gateway.invalidate_all(true)),
        ("op 9", &|| gateway.invalidate_all(false)),
        ("a cut", &|| gateway.cut_all()),
        ("4000", &|| gateway.close_all(4000)),
        ("4009", &|| gateway.close_all(4009)),
    ];
    for (name, trouble) in troubles {
        let mut took = Vec::new();
        // A machine that has other things to do may need longer for once.
        while took.last().is_none_or(|last| *last >= Duration::from_secs(10)) {
            assert!(took.len() < 3, "{name}: {took:?}");
            let began = Instant::now();
            let greeted = gateway.identifies() + gateway.resumes();
            trouble();
            within(
                name,
                t.discord.wait_until(|discord| {
                    let gateway = discord.gateway();
                    (gateway.identifies() + gateway.resumes() > greeted && !gateway.sessions().is_empty())
                        .then_some(())
                }),
            )
            .await;
            t.online().await;
            t.person("alice").types("webhook-status").await;
            took.push(began.elapsed());
        }
    }
    t.finish().await;
}

// N-6
#[tokio::test]
async fn a_line_that_died_unnoticed_is_noticed() {
    let mut t = Harness::start().await;
    t.stop().await;
    t.unset("DISCORD_GATEWAY");
    t.discord.gateway().set_heartbeat_interval(Duration::from_millis(500));
    t.boot().await;
    t.online().await;
    t.commands().await;
    t.discord.gateway().stop_acking(true);
    within("a new login", t.discord.wait_until(|discord| (discord.gateway().identifies() > 1).then_some(())))
        .await;
    t.discord.gateway().stop_acking(false);
    t.online().await;
    t.person("alice").types("webhook-status").await;
    t.finish().await;
}

// N-6
#[tokio::test]
async fn an_outage_of_the_gateway_stops_no_delivery() {
    let t = Harness::with_bot().await;
    t.commands().await;
    t.discord.gateway().down_for(Duration::from_secs(3600));
    t.discord.gateway().close_all(1001);
    t.gateway(|gateway| !gateway.is_well()).await;
    t.sends("ticket_created.json").await;
    t.channel("tickets").next_message().await;
    t.clock.advance(Duration::from_secs(6));
    t.log.seen(Level::WARN, "Commands and buttons do not work until the bot is connected again").await;
    let health = t.health().await;
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["discord"], "disconnected");
    t.clock.advance(Duration::from_secs(3600));
    t.online().await;
    t.person("alice").types("webhook-status").await;
    assert_eq!(t.health().await["status"], "ok");
    t.finish().await;
}

// N-4, N-6
#[tokio::test]
async fn a_dead_token_ends_the_bot_and_the_receiver_goes_on() {
    let t = Harness::with_bot().await;
    t.discord.gateway().close_all(4004);
    t.gateway(|gateway| gateway == Gateway::Stopped).await;
    let health = t.health().await;
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["discord"], "disconnected");
    assert!(health["problems"][0].as_str().unwrap().contains("Reset Token"), "{health}");
    t.log.expect(Level::ERROR, "Discord refused DISCORD_TOKEN");
    t.sends("ticket_created.json").await;
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// N-4
#[tokio::test]
async fn a_refused_token_is_used_three_times_at_most() {
    let mut t = Harness::start().await;
    t.stop().await;
    t.discord.revoke_token();
    let before = t.discord.requests().len();
    t.unset("DISCORD_GATEWAY");
    t.boot().await;
    t.gateway(|gateway| gateway == Gateway::Stopped).await;
    t.sends("ticket_created.json").await;
    t.clock.advance(Duration::from_secs(3600));
    let health = t.health().await;
    assert_eq!(health["status"], "degraded");
    let refused = t.discord.requests().split_off(before);
    assert!((1..=3).contains(&refused.len()), "{refused:#?}");
    t.log.expect(Level::ERROR, "Discord refused DISCORD_TOKEN");
    t.finish_with_backlog(1).await;
}

#[tokio::test]
async fn disallowed_intents_end_the_bot_with_a_way_out() {
    let t = Harness::with_bot().await;
    t.discord.gateway().close_all(4014);
    t.gateway(|gateway| gateway == Gateway::Stopped).await;
    t.log.expect(Level::ERROR, "Privileged Gateway Intents");
    t.finish().await;
}

// What is on this machine leads nowhere else, whatever it says.
#[tokio::test]
async fn a_gateway_elsewhere_never_sees_the_token() {
    let mut t = Harness::start().await;
    t.stop().await;
    let body = r#"{"url":"wss://gateway.discord.gg","shards":1,"session_start_limit":{"total":1000,"remaining":1000,"reset_after":0,"max_concurrency":1}}"#;
    t.discord.faults().next_on(
        "GET /api/v10/gateway/bot",
        1,
        Fault::Status { status: 200, headers: Vec::new(), body: body.to_owned() },
    );
    t.unset("DISCORD_GATEWAY");
    t.boot().await;
    t.gateway(|gateway| gateway == Gateway::Stopped).await;
    t.log.expect(Level::ERROR, "DISCORD_API_URL returned");
    assert_eq!(t.discord.gateway().identifies(), 0);
    t.finish().await;
}

// K-6, item 48. Control: with the spacing as it was, the ninth start waits 15 s, the fifteenth a minute.
#[tokio::test]
async fn a_bot_that_is_started_again_and_again_waits_and_says_why() {
    let mut t = Harness::with_bot().await;
    for _ in 0..29 {
        t.restart().await;
        t.clock.advance(Duration::from_secs(5));
        t.online().await;
    }
    t.restart().await;
    t.clock.advance(Duration::from_secs(5));
    t.log.seen(Level::WARN, "The bot has logged in 30 times within the last hour, restarts included").await;
    assert_eq!(t.discord.gateway().identifies(), 30);
    assert_eq!(t.health().await["discord"], "disconnected");
    t.clock.advance(Duration::from_secs(30));
    t.online().await;
    t.finish().await;
}

// K-5
#[rstest::rstest]
#[case::closed(|gateway: &discord::Gateway| gateway.close_all(1000))]
#[case::cut(discord::Gateway::cut_all)]
#[tokio::test]
async fn it_ends_though_the_connection_has_just_ended(#[case] end: fn(&discord::Gateway)) {
    let mut t = Harness::with_bot().await;
    end(&t.discord.gateway());
    within("the end", t.stop()).await;
    t.boot().await;
    t.online().await;
    t.finish().await;
}

#[tokio::test]
async fn it_leaves_the_gateway_with_a_goodbye() {
    let mut t = Harness::with_bot().await;
    let began = Instant::now();
    t.stop().await;
    assert!(began.elapsed() < Duration::from_secs(8));
    assert_eq!(t.discord.gateway().client_closes(), [Some(1000)]);
    t.boot().await;
    t.online().await;
    t.finish().await;
}

// Control: with the sentence of an answer taken for this, it is red.
#[tokio::test]
async fn a_discord_that_cannot_be_reached_is_named_by_its_host() {
    let mut t = Harness::with_bot().await;
    t.stop().await;
    // Nothing listens there: the port is free again when its listener is gone.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    t.set("DISCORD_API_URL", format!("http://127.0.0.1:{port}/api"));
    t.boot().await;
    health_says(&t, "Discord (127.0.0.1", true).await;
    health_says(&t, ") cannot be reached: ", true).await;
    health_says(&t, "Events are kept and sent later. Commands and buttons do not work until", true).await;
    t.finish().await;
}
