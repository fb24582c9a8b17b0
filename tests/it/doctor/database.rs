//! What the database holds: what waits and for what, what was given up, what was refused; and the map beside what came.

use std::time::Duration;

use nuncio::clock::Clock;
use nuncio::demo::XtSystems;
use nuncio::secret::Secret;
use serde_json::json;

use super::rig::{NOTHING, Rig};
use crate::harness::http;

/// A nuncio that served, with one delivery that waits for Discord.
async fn with_a_delivery_that_waits() -> Rig {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    rig.has_commands().await;
    rig.discord.faults().break_for(Duration::from_secs(3600));
    assert_eq!(rig.sends_a_ticket().await, 200);
    rig.ends_serving().await;
    rig.discord.faults().clear();
    rig
}

// Controls: with LONG at an hour or at half of it, without the lanes, or without `destination_trouble` this fails.
#[tokio::test]
async fn what_waits_is_named_with_its_next_try_and_after_a_while_as_a_problem() {
    let rig = with_a_delivery_that_waits().await;
    let seen = rig.finds(0, &NOTHING).await;
    assert!(
        seen.text.contains("1 delivery waits for") && seen.text.contains("the next is "),
        "{}",
        seen.text
    );
    rig.changes_database("UPDATE events SET received_at = received_at - 16 * 60 * 1000").await;
    let seen = rig.finds(0, &["deliveries-waiting"]).await;
    assert!(seen.text.contains("nuncio deliveries --pending"), "{}", seen.text);
    // Near miss: fourteen minutes.
    rig.changes_database("UPDATE events SET received_at = received_at + 2 * 60 * 1000").await;
    rig.finds(0, &NOTHING).await;
    rig.changes_database(
        "UPDATE destinations SET closed_reason = 'the channel was deleted' WHERE sink = 'channel'",
    )
    .await;
    let seen = rig.finds(0, &["lane-in-trouble"]).await;
    assert!(
        seen.text.contains("is closed, and its deliveries wait: the channel was deleted"),
        "{}",
        seen.text
    );
}

// Control: without the look at `dead` this fails.
#[tokio::test]
async fn what_was_given_up_is_named_until_it_is_sent_again() {
    let mut rig = with_a_delivery_that_waits().await;
    rig.changes_database("UPDATE deliveries SET status = 'cancelled'").await;
    rig.finds(0, &NOTHING).await;
    rig.changes_database("UPDATE deliveries SET status = 'dead', reason = 'refused', finished_at = 1").await;
    let seen = rig.finds(0, &["dead-letters"]).await;
    assert!(seen.text.contains("nuncio redeliver --dead"), "{}", seen.text);
    let (code, said) = rig.runs(&["redeliver", "--dead"]).await;
    assert_eq!(code, 0, "{said}");
    rig.serve_again().await;
    let general = rig.discord.channel_id("general").unwrap();
    crate::harness::within("the card", rig.discord.wait_for_messages(general, 1)).await;
    rig.finds(0, &NOTHING).await;
}

// Control: without the look at `held` this fails.
#[tokio::test]
async fn a_call_that_waits_for_a_person() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    rig.has_commands().await;
    let sender =
        XtSystems::new(rig.webhook_address(), Secret::new(rig.value("WEBHOOK_SECRET")), Clock::system())
            .unwrap();
    let body =
        json!({"event_type": "machine.registered", "data": {"asset_id": "a-1", "hostname": "DESKTOP"}});
    assert_eq!(sender.send(body).await.unwrap().status, 200);
    rig.ends_serving().await;
    rig.changes_database("UPDATE deliveries SET status = 'cancelled'").await;
    rig.finds(0, &NOTHING).await;
    rig.changes_database("UPDATE decisions SET platform = 'held'").await;
    rig.finds(0, &["calls-held"]).await;
}

// Controls: without the address, or with accepted ones counted as refused, this fails.
#[tokio::test]
async fn what_was_refused_in_the_last_day_by_reason_and_address() {
    let mut rig = Rig::set().await;
    rig.set_to("WEBHOOK_SECRET_PREVIOUS", "an earlier secret of this nuncio");
    rig.serve_on_a_port().await;
    // Near miss: accepted, with a remark.
    let earlier = Secret::new("an earlier secret of this nuncio");
    let sender = XtSystems::new(rig.webhook_address(), earlier, Clock::system()).unwrap();
    assert_eq!(
        sender.send(json!({"event_type": "ticket.created", "data": {"id": "t"}})).await.unwrap().status,
        200
    );
    rig.finds(0, &["configuration-note"]).await;
    for _ in 0..2 {
        let answer = http().post(rig.webhook_address()).json(&json!({})).send().await.unwrap();
        assert_eq!(answer.status(), 401);
    }
    let seen = rig.finds(0, &["configuration-note", "refused-lately"]).await;
    let found = "2 requests were refused in the last day (unsigned), from 127.0.0.1. The last one was ";
    assert!(seen.text.contains(found), "{}", seen.text);
}

// Controls: with every key taken for known, without OWN, without what came or its canonical spelling, or without MOST this
// fails.
#[tokio::test]
async fn keys_of_the_map_that_no_event_ever_matched() {
    let mut rig = Rig::set().await;
    for (key, is_known) in [
        ("tickets.created", false),
        ("ticket_created", true),
        ("ticket.*", true),
        ("billing.*", false),
        ("nuncio.source.refused", true),
        ("alert.triggered@ACME", true),
    ] {
        rig.map_only(key);
        rig.finds(0, if is_known { &[] } else { &["map-kind-unknown"] }).await;
    }
    rig.map_only("tickets.created");
    assert!(rig.looks().await.text.contains("Is ticket.created meant?"));
    rig.map_only("invoice.paid");
    rig.serve_on_a_port().await;
    rig.finds(0, &["map-kind-unknown"]).await;
    let sender =
        XtSystems::new(rig.webhook_address(), Secret::new(rig.value("WEBHOOK_SECRET")), Clock::system())
            .unwrap();
    assert_eq!(
        sender.send(json!({"event_type": "invoice.paid", "data": {"id": 1}})).await.unwrap().status,
        200
    );
    rig.finds(0, &NOTHING).await;
    // Dots and underscores are the same.
    rig.map_only("invoice.sent");
    rig.finds(0, &["map-kind-unknown"]).await;
    let sent = json!({"event_type": "invoice_sent", "data": {"id": 1}});
    assert_eq!(sender.send(sent).await.unwrap().status, 200);
    // The nuncio that runs still has the map from before.
    rig.finds(0, &["events-unrouted"]).await;
    // Of many, ten are worth reading.
    let alerts = rig.id("alerts");
    let many: serde_json::Map<_, _> =
        (0..12).map(|number| (format!("invented.kind{number}"), json!([alerts]))).collect();
    rig.set_to("DISCORD_WEBHOOK_CHANNELS", &serde_json::Value::Object(many).to_string());
    rig.finds(0, &[&["map-kind-unknown"; 10][..], &["events-unrouted"]].concat()).await;
}

// Of many destinations, ten are worth reading; how many more there are is said. Control: without that sentence this fails.
#[tokio::test]
async fn many_destinations_that_wait_are_counted() {
    let mut rig = Rig::set().await;
    let channels: Vec<String> =
        (0..12).map(|number| rig.discord.add_channel(&format!("team-{number}")).to_string()).collect();
    rig.map_to(&channels.iter().map(String::as_str).collect::<Vec<_>>());
    rig.serve_on_a_port().await;
    rig.has_commands().await;
    rig.discord.faults().break_for(Duration::from_secs(3600));
    assert_eq!(rig.sends_a_ticket().await, 200);
    rig.ends_serving().await;
    rig.discord.faults().clear();
    let seen = rig.finds(0, &NOTHING).await;
    assert_eq!(seen.text.matches("1 delivery waits for").count(), 10, "{}", seen.text);
    assert!(seen.text.contains("Deliveries wait for 2 more destinations"), "{}", seen.text);
}
