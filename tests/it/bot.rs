//! The bot against the sandbox's gateway: it comes up, stays up, and never takes the receiver with it.

use std::time::{Duration, Instant};

use nuncio::hub::Gateway;
use nuncio::sandbox::discord::{Fault, Permission};
use tracing::Level;

use crate::harness::{Harness, within};

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

    t.sends("ticket_created.json").await;
    t.channel("tickets").next_message().await;
    t.settle().await;
    t.log.expect(Level::INFO, "to Acme NOC / #tickets");
    t.finish().await;
}

#[tokio::test]
async fn a_missing_permission_is_named_with_who_denies_it() {
    let t = Harness::with_bot().await;
    t.table_line("Acme NOC / #alerts  ok").await;
    let alerts = t.channel("alerts").id();
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
        assert!(began.elapsed() < Duration::from_secs(10), "{name}: {:?}", began.elapsed());
        println!("{name}: {:?}", began.elapsed());
    }
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
    t.log.expect(Level::ERROR, "not on this machine");
    assert_eq!(t.discord.gateway().identifies(), 0);
    t.finish().await;
}

// K-6
#[tokio::test]
async fn a_bot_that_is_started_again_and_again_waits_longer_and_longer() {
    let mut t = Harness::with_bot().await;
    for _ in 0..7 {
        t.restart().await;
        t.clock.advance(Duration::from_secs(5));
        t.online().await;
    }
    t.restart().await;
    t.clock.advance(Duration::from_secs(5));
    within("the bot to wait", t.log.seen(Level::WARN, "has logged in very often")).await;
    assert_eq!(t.discord.gateway().identifies(), 8);
    assert_eq!(t.health().await["discord"], "disconnected");
    t.clock.advance(Duration::from_secs(20));
    t.online().await;
    t.finish().await;
}

#[tokio::test]
async fn it_leaves_the_gateway_with_a_goodbye() {
    let mut t = Harness::with_bot().await;
    let began = Instant::now();
    t.stop().await;
    println!("stopped in {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(8));
    assert_eq!(t.discord.gateway().client_closes(), [Some(1000)]);
    t.boot().await;
    t.online().await;
    t.finish().await;
}
