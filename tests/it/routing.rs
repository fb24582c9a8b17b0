//! Who receives what.

use nuncio::sandbox::Snowflake;
use serde_json::json;
use tracing::Level;

use crate::harness::{Harness, at_shell};

fn map(t: &mut Harness, map: impl FnOnce(&dyn Fn(&str) -> Snowflake) -> serde_json::Value) {
    let discord = t.discord.clone();
    let value = map(&|name| discord.channel_id(name).unwrap());
    t.set("DISCORD_WEBHOOK_CHANNELS", value.to_string());
}

#[tokio::test]
async fn the_closest_key_decides_and_one_event_may_go_to_several_channels() {
    let mut t = Harness::start().await;
    map(&mut t, |id| {
        json!({
            "ticket_created": [id("tickets"), id("general")],
            "ticket.*": id("alerts"),
            "ticket.*@ACME": {"channels": [id("assets")]},
            "asset.*": [],
            "default": [id("general")],
        })
    });
    t.restart().await;
    t.sends_body(json!({"event_type": "ticket.created", "data": {"title": "one"}})).await;
    t.channel("tickets").next_message().await;
    t.channel("general").next_message().await;
    t.sends_body(json!({"event_type": "ticket.closed", "data": {"title": "two"}})).await;
    t.channel("alerts").next_message().await;
    t.sends_body(json!({"event_type": "ticket.closed", "data": {"title": "three"}, "company_id": "ACME"}))
        .await;
    t.channel("assets").next_message().await;
    t.sends_body(json!({"event_type": "asset.created", "data": {}})).await;
    t.sends_body(json!({"event_type": "printer.jammed", "data": {}})).await;
    t.channel("general").next_message().await;
    assert_eq!(t.health().await["unrouted"], 0);
    t.finish().await;
}

#[tokio::test]
async fn an_event_without_a_route_is_kept_until_there_is_one() {
    let mut t = Harness::start().await;
    map(&mut t, |id| json!({"ticket.*": [id("tickets")]}));
    t.restart().await;
    for tray in 1..=3 {
        t.sends_body(json!({"event_type": "printer.jammed", "data": {"tray": tray}})).await;
    }
    let warned = t.log.at(Level::WARN);
    let warned = warned.iter().find(|line| line.contains("matches printer.jammed")).unwrap();
    assert!(warned.contains("to the map, then `kill -HUP` nuncio or restart it"), "{warned}");
    t.log.expect(Level::WARN, "no key of DISCORD_WEBHOOK_CHANNELS matches printer.jammed");
    let warnings = t.log.at(Level::WARN);
    assert!(
        !warnings.iter().any(|line| line.contains("printer.jammed")),
        "warned more than once: {warnings:?}"
    );
    let health = t.health().await;
    assert_eq!((&health["status"], &health["unrouted"]), (&json!("degraded"), &json!(3)));

    let done = t.hub().redeliver_unrouted(&at_shell(), |_| {}).await.unwrap();
    assert_eq!((done.routed, done.unrouted), (0, 3));
    map(&mut t, |id| json!({"printer.*": [id("general")]}));
    t.restart().await;
    let done = t.hub().redeliver_unrouted(&at_shell(), |_| {}).await.unwrap();
    assert_eq!((done.routed, done.deliveries, done.unrouted), (3, 3, 0));
    t.channel("general").next_messages(3).await;
    t.settle().await;
    assert_eq!(t.hub().redeliver_unrouted(&at_shell(), |_| {}).await.unwrap().routed, 0);
    assert_eq!(t.health().await["status"], "ok");
    t.finish().await;
}

// D-1
#[tokio::test]
async fn pings_come_from_the_configuration_once_per_subject_and_never_from_data() {
    let mut t = Harness::start().await;
    t.set("PING", r#"{"alert.triggered>=error":["77"]}"#);
    t.set("FOLD_REPEATS", "off");
    t.restart().await;
    let mut count = 0;
    let mut alert = |severity: &str, title: &str| {
        count += 1;
        let data =
            json!({"severity": severity, "title": title, "message": "@everyone <@&77> <@1>", "count": count});
        json!({"event_type": "alert.triggered", "data": data})
    };
    let alerts = t.channel("alerts");
    t.sends_body(alert("critical", "Disk full")).await;
    let card = alerts.next_message().await;
    assert!(card.content().ends_with("<@&77>"), "{}", card.content());
    assert_eq!(
        card.0["mention_roles"],
        json!([]),
        "the sandbox knows no role 77, and nothing else is mentioned"
    );
    assert_eq!(card.0["mention_everyone"], false);
    // The same alert within ten minutes: no second ping.
    t.sends_body(alert("critical", "Disk full")).await;
    assert!(!alerts.next_message().await.content().contains("<@&77>"));
    // Another alert does ping; a warning does not.
    t.sends_body(alert("error", "Fan broken")).await;
    assert!(alerts.next_message().await.content().contains("<@&77>"));
    t.sends_body(alert("warning", "Warm")).await;
    assert!(!alerts.next_message().await.content().contains("<@&77>"));
    t.clock.advance(std::time::Duration::from_secs(601));
    t.sends_body(alert("critical", "Disk full")).await;
    assert!(alerts.next_message().await.content().contains("<@&77>"));
    t.finish().await;
}
