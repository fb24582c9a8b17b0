//! `GET /metrics`: what is counted, and for whom.
//!
//! | protection | control: taken away, and seen red |
//! | --- | --- |
//! | a proxy on this machine does not open it | `is_local` without the look at TRUSTED_PROXIES, and at headers |
//! | keys cannot be tried without end | no charge to the limiter |
//! | what can wait does not set off an alert | `priority` out of the oldest that waits |
//! | nothing from outside becomes a label | a label with the event's kind |

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nuncio::sandbox::discord::Fault;
use serde_json::json;
use tracing::Level;

use crate::database::Database;
use crate::harness::Harness;

const KEY: &str = "canary-api-key-0123456789";

async fn with_key() -> Harness {
    Harness::with(|variables| {
        variables.insert("NUNCIO_API_KEY".to_owned(), KEY.to_owned());
        crate::harness::one_by_one(variables);
    })
    .await
}

/// What a request with these headers is answered.
async fn asks(t: &Harness, path: &str, headers: &[(&str, &str)]) -> u16 {
    let client = crate::harness::http();
    let request =
        headers.iter().fold(client.get(t.url(path)), |request, (name, value)| request.header(*name, *value));
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    assert!(!text.contains(KEY));
    assert_eq!(text.contains("nuncio_build_info"), status == 200, "{text}");
    status
}

/// The samples by name and labels.
async fn samples(t: &Harness) -> BTreeMap<String, f64> {
    let (status, text) = t.looks_at("/metrics").await;
    assert_eq!(status, 200, "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[tokio::test]
async fn they_are_for_this_machine_and_for_whoever_has_the_key() {
    let mut t = with_key().await;
    let bearer = format!("Bearer {KEY}");
    assert_eq!(asks(&t, "/metrics", &[]).await, 200, "this machine");
    for name in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
        assert_eq!(asks(&t, "/metrics", &[(name, "127.0.0.1")]).await, 401, "{name}: from elsewhere");
    }
    let far = ("x-forwarded-for", "192.0.2.1");
    assert_eq!(asks(&t, "/metrics", &[far, ("authorization", &bearer)]).await, 200);
    assert_eq!(
        asks(&t, "/metrics", &[far, ("authorization", &bearer.replace("Bearer", "bearer"))]).await,
        200
    );
    for wrong in ["Bearer", "Bearer ", "Bearer canary-api-key-012345678", KEY, &format!("Basic {KEY}")] {
        assert_eq!(asks(&t, "/metrics", &[far, ("authorization", wrong)]).await, 401, "{wrong}");
    }
    let twice = [far, ("authorization", bearer.as_str()), ("authorization", "Bearer x")];
    assert_eq!(asks(&t, "/metrics", &twice).await, 401);
    assert_eq!(
        asks(&t, &format!("/metrics?key={KEY}&token={KEY}"), &[far]).await,
        401,
        "A-1: not in a query"
    );

    // A proxy of ours on this machine: its requests come from loopback, and are not of this machine.
    t.set("TRUSTED_PROXIES", "127.0.0.0/8");
    t.restart().await;
    assert_eq!(asks(&t, "/metrics", &[]).await, 401);
    assert_eq!(asks(&t, "/metrics", &[("x-forwarded-for", "127.0.0.1")]).await, 401);
    assert_eq!(asks(&t, "/metrics", &[far, ("authorization", &bearer)]).await, 200);
    t.finish().await;
}

#[tokio::test]
async fn without_a_key_none_opens_them_and_keys_cannot_be_tried_without_end() {
    let t = Harness::plain().await;
    let far = ("x-forwarded-for", "192.0.2.1");
    let mut answers = BTreeMap::new();
    for _ in 0..140 {
        *answers.entry(asks(&t, "/metrics", &[far, ("authorization", "Bearer ")]).await).or_insert(0) += 1;
    }
    // A bucket of a hundred, and one more every nine seconds.
    assert!(answers[&401] >= 100 && answers[&429] > 0, "{answers:?}");
    assert_eq!(asks(&t, "/metrics", &[]).await, 200, "this machine is not kept out");
    t.finish().await;
}

#[tokio::test]
async fn what_happens_is_counted() {
    let mut t = Harness::plain().await;
    let map = json!({"ticket.*": [t.discord.channel_id("tickets").unwrap().to_string()]});
    t.set("DISCORD_WEBHOOK_CHANNELS", map.to_string());
    t.restart().await;
    t.discord.faults().next_about("/messages", "Poison", 2, Fault::refusal(400, 50035, "Invalid Form Body"));
    t.sends("ticket_created.json").await;
    t.sends_body(json!({"event_type": "ticket.created", "data": {"id": 2, "title": "Poison"}})).await;
    t.sends_body(json!({"event_type": "printer.jammed", "data": {}})).await;
    let twice =
        json!({"event_type": "ticket.created", "data": {"id": 3}, "timestamp": 1_705_314_600}).to_string();
    let now = t.clock.now().as_secs().to_string();
    for _ in 0..2 {
        assert_eq!(t.platform().post(&now, twice.clone()).await.unwrap().status, 200);
    }
    assert_eq!(t.platform().post_signed(&now, "sha256=00", b"{}".to_vec()).await.unwrap().status, 401);
    t.channel("tickets").next_messages(2).await;
    t.settle().await;

    let seen = samples(&t).await;
    let expected = [
        ("nuncio_events_accepted_total", 4.0),
        ("nuncio_events_duplicate_total", 1.0),
        ("nuncio_events_unrouted_total", 1.0),
        ("nuncio_events_unrouted", 1.0),
        ("nuncio_requests_refused_total{reason=\"malformed_signature\"}", 1.0),
        ("nuncio_requests_refused_total{reason=\"signature_mismatch\"}", 0.0),
        ("nuncio_deliveries_total{outcome=\"delivered\"}", 2.0),
        ("nuncio_deliveries_total{outcome=\"dead\"}", 1.0),
        ("nuncio_attempts_total{class=\"sent\"}", 2.0),
        ("nuncio_attempts_total{class=\"refused\"}", 2.0),
        ("nuncio_accept_commit_seconds_count", 5.0),
        ("nuncio_accept_delivered_seconds_count", 2.0),
        ("nuncio_outbox{status=\"pending\"}", 0.0),
        ("nuncio_outbox{status=\"dead\"}", 1.0),
        ("nuncio_outbox_oldest_seconds", 0.0),
        ("nuncio_destinations_closed", 0.0),
        ("nuncio_gateway_state{state=\"off\"}", 1.0),
        ("nuncio_condition{condition=\"store_failing\"}", 0.0),
    ];
    for (name, value) in expected {
        assert_eq!(seen.get(name), Some(&value), "{name}: {seen:#?}");
    }
    assert!(seen["nuncio_database_bytes"] > 0.0 && seen["nuncio_lanes_running"] <= 1.0);
    t.log.expect(Level::ERROR, "refused a message for good");
    t.finish().await;
}

#[tokio::test]
async fn the_text_is_well_formed_and_nothing_from_outside_becomes_a_label() {
    let t = Harness::plain().await;
    let before: BTreeSet<String> = samples(&t).await.into_keys().collect();
    for number in 0..30 {
        t.sends_body(
            json!({"event_type": format!("canary.kind{number}"), "data": {}, "company_id": "canary"}),
        )
        .await;
    }
    // Four in five seconds: nobody waits for the rest in real time.
    t.settle_in_steps(Duration::from_millis(100)).await;
    t.channel("general").next_messages(30).await;
    let (_, text) = t.looks_at("/metrics").await;
    let after: BTreeSet<String> = samples(&t).await.into_keys().collect();
    assert_eq!(before, after, "the same series, whatever comes");
    for secret in ["canary", t.variable("DISCORD_TOKEN"), t.variable("WEBHOOK_SECRET"), "general"] {
        assert!(!text.contains(secret));
    }

    let (mut helped, mut typed) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["#", "HELP", name, _, ..] => assert!(helped.insert((*name).to_owned()), "{name} twice"),
            ["#", "TYPE", name, "counter" | "gauge" | "histogram"] => {
                assert!(typed.insert((*name).to_owned()))
            }
            [.., value] => {
                assert!(value.parse::<f64>().is_ok(), "{line}");
                let name = line.split(['{', ' ']).next().unwrap();
                let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
                let known = typed.contains(name) || family.is_some_and(|family| typed.contains(family));
                assert!(known && name.starts_with("nuncio_"), "{line}");
            }
            [] => panic!("an empty line"),
        }
    }
    assert_eq!(helped, typed);
    t.finish().await;
}

// A lane that stays behind leaves what only draws a card anew lying: nobody misses anything because of it.
#[tokio::test]
async fn what_can_wait_is_not_the_oldest_that_waits() {
    let mut t = Harness::plain().await;
    t.unset("DISCORD_TOKEN");
    t.restart().await;
    t.sends("ticket_created.json").await;
    t.clock.advance(Duration::from_secs(660));
    assert!(samples(&t).await["nuncio_outbox_oldest_seconds"] >= 660.0);
    let database = Database::open(t.store().path()).await.unwrap();
    database.execute("UPDATE deliveries SET rank = 2, slot = 'redraw'", ()).await.unwrap();
    let seen = samples(&t).await;
    assert_eq!(seen["nuncio_outbox_oldest_seconds"], 0.0);
    assert_eq!(seen["nuncio_outbox{status=\"pending\"}"], 1.0, "it is still counted");
    t.finish_with_backlog(1).await;
}
