//! The token: refused, or led elsewhere.

use std::time::Duration;

use nuncio::hub::GatewayState;
use nuncio::sandbox::discord::Fault;
use tracing::Level;

use crate::harness::Harness;

// N-4, N-6
#[tokio::test]
async fn a_dead_token_ends_the_bot_and_the_receiver_goes_on() {
    let t = Harness::with_bot().await;
    t.discord.gateway().close_all(4004);
    t.gateway(|gateway| gateway == GatewayState::Stopped).await;
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
    t.gateway(|gateway| gateway == GatewayState::Stopped).await;
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
    t.gateway(|gateway| gateway == GatewayState::Stopped).await;
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
    t.gateway(|gateway| gateway == GatewayState::Stopped).await;
    t.log.expect(Level::ERROR, "DISCORD_API_URL returned");
    assert_eq!(t.discord.gateway().identifies(), 0);
    t.finish().await;
}
