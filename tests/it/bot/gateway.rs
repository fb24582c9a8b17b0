//! The gateway session: it comes back after every kind of trouble, and ends in order.

use std::time::{Duration, Instant};

use nuncio::sandbox::discord;
use tracing::Level;

use crate::harness::{Harness, within};

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
