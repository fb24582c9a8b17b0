//! I-9, I-10: floods, and whose they are.

use std::time::Duration;

use nuncio::hub::Finding;
use serde_json::json;
use tracing::Level;

use crate::attack::sender::{Post, TICKET, assert_no_rows};
use crate::attack::wire::{Heard, HttpTransport};
use crate::harness::{Harness, within};

/// A request that nobody signed.
fn forged(t: &Harness) -> Post {
    Post::signed(t, TICKET).but("X-XTSystems-Signature", format!("sha256={}", "0".repeat(64)))
}

async fn set(name: &'static str, value: &'static str) -> Harness {
    Harness::with(|variables| {
        variables.insert(name.into(), value.into());
    })
    .await
}

fn assert_too_many(heard: &Heard) {
    assert_eq!((heard.status, heard.json()), (429, json!({"error": "Too many requests from this IP"})));
    let after = heard.head.split("retry-after: ").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap();
    let after: u64 = after.parse().unwrap();
    assert!((1..=900).contains(&after), "{after}");
}

// I-9
#[tokio::test]
async fn a_flood_is_refused_and_a_good_sender_at_the_same_address_never() {
    // What comes of the good ones is not the question here.
    let t = set("DISCORD_WEBHOOK_CHANNELS", r#"{"default":[]}"#).await;
    let (mut bad, mut good) = (HttpTransport::to(&t).await, HttpTransport::to(&t).await);
    let forged = forged(&t).bytes();
    let began = t.clock.elapsed();
    let mut statuses = std::collections::BTreeMap::<u16, u32>::new();
    for round in 0..100 {
        bad.says(forged.repeat(100)).await;
        for _ in 0..100 {
            let heard = bad.hears().await.unwrap();
            if heard.status == 429 {
                assert_too_many(&heard);
            }
            *statuses.entry(heard.status).or_default() += 1;
        }
        let body = format!(r#"{{"event_type":"user.created","data":{{"id":{round}}}}}"#);
        let heard = Post::signed(&t, body).send_on(&mut good).await.unwrap();
        assert_eq!(heard.status, 200, "the good one in round {round}: {heard:?}");
    }
    assert_eq!(statuses.values().sum::<u32>(), 10_000);
    // The bucket, and what ran into it meanwhile: one each nine seconds.
    let seconds = (t.clock.elapsed() - began).as_secs() as u32;
    assert!((100..=101 + seconds / 9).contains(&statuses[&401]), "{statuses:?} in {seconds} s");
    // A few lines tell of ten thousand refusals, for each reason one at once and one a minute; the rest is counted.
    let told = t.log.at(Level::WARN);
    assert!(told.len() <= 4 + 2 * (seconds / 60) as usize, "{told:#?}");
    let refusals = t.hub().refusals();
    let of = |finding| refusals.iter().find(|found| found.finding == finding).unwrap();
    assert_eq!(of(Finding::Mismatch).last_hour, 10_000);
    assert_eq!(of(Finding::RateLimited).last_day, u64::from(statuses[&429]));
    assert_eq!(t.store().recent(1000).await.unwrap().len(), 100);
    t.finish().await;
}

#[tokio::test]
async fn a_flood_is_summed_up_each_minute() {
    let t = Harness::start().await;
    for _ in 0..50 {
        forged(&t).send(&t).await.unwrap();
    }
    t.log.expect(Level::WARN, "signature does not match");
    assert!(t.log.at(Level::WARN).is_empty());
    t.clock.advance(Duration::from_secs(61));
    // The summary is written by the door's own task: it had its turn when this has been answered.
    assert_eq!(t.looks_at("/health").await.0, 200);
    t.log.expect(Level::WARN, "49 times more, the last one: a webhook was refused: signature does not match");
    // Another reason is told at once.
    forged(&t).without("X-XTSystems-Signature").send(&t).await.unwrap();
    t.log.expect(Level::WARN, "no signature");
    assert!(t.log.at(Level::WARN).is_empty());
    t.finish().await;
}

#[tokio::test]
async fn the_bucket_fills_up_again() {
    let t = set("RATE_LIMIT", "2/10m").await;
    let status = async || forged(&t).send(&t).await.unwrap().status;
    assert_eq!([status().await, status().await, status().await, status().await], [401, 401, 429, 429]);
    t.clock.advance(Duration::from_secs(301));
    assert_eq!([status().await, status().await], [401, 429]);
    assert_no_rows(&t).await;
    t.finish().await;
}

// I-10
#[tokio::test]
async fn a_stranger_cannot_choose_its_address() {
    let t = set("RATE_LIMIT", "5/10m").await;
    let mut refused = 0;
    for number in 0..20 {
        let address = format!("198.51.100.{number}");
        let post = forged(&t)
            .with("X-Forwarded-For", &address)
            .with("Forwarded", format!("for={address}"))
            .with("X-Real-IP", &address);
        refused += u32::from(post.send(&t).await.unwrap().status == 429);
    }
    assert_eq!(refused, 15);
    let told = t.log.at(Level::WARN);
    assert!(
        told.iter().all(|line| line.contains("from=\"127.0.0.1\"") && !line.contains("198.51")),
        "{told:#?}"
    );
    t.finish().await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_bucket() {
    let t = Harness::with(|variables| {
        variables.insert("RATE_LIMIT".into(), "2/10m".into());
        variables.insert("TRUSTED_PROXIES".into(), "127.0.0.0/8,10.0.0.0/8".into());
    })
    .await;
    let status = async |hops: &str| forged(&t).with("X-Forwarded-For", hops).send(&t).await.unwrap().status;
    for client in ["198.51.100.1", "198.51.100.2"] {
        // What the client itself puts in front changes nothing.
        assert_eq!(status(client).await, 401);
        assert_eq!(status(&format!("203.0.113.9, {client}")).await, 401);
        assert_eq!(status(&format!("203.0.113.8, {client}, 10.0.0.7")).await, 429);
    }
    // One IPv6 network is one client.
    assert_eq!(status("2001:db8:1:2::1").await, 401);
    assert_eq!(status("2001:db8:1:2::2").await, 401);
    assert_eq!(status("2001:db8:1:2::3").await, 429);
    assert_eq!(status("2001:db8:1:3::1").await, 401);
    t.finish().await;
}

#[tokio::test]
async fn with_scope_all_everything_counts_but_health() {
    let t = Harness::with(|variables| {
        variables.insert("RATE_LIMIT".into(), "3/10m".into());
        variables.insert("RATE_LIMIT_SCOPE".into(), "all".into());
    })
    .await;
    for _ in 0..20 {
        for path in ["/health", "/health/live", "/health/ready"] {
            assert_eq!(t.looks_at(path).await.0, 200);
        }
    }
    assert_eq!(Post::signed(&t, TICKET).send(&t).await.unwrap().status, 200);
    assert_eq!(forged(&t).send(&t).await.unwrap().status, 401);
    assert_eq!(t.looks_at("/healthy").await.0, 404);
    assert_too_many(&Post::signed(&t, TICKET).send(&t).await.unwrap());
    assert_eq!(t.looks_at("/").await.0, 429);
    assert_eq!(t.looks_at("/health").await.0, 200);
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// Control: without `throttle.before` around what is entered, nobody is refused.
#[tokio::test]
async fn with_scope_all_a_bucket_is_a_hundred_at_once_and_one_network_has_one() {
    let t = Harness::with(|variables| {
        variables.insert("RATE_LIMIT_SCOPE".into(), "all".into());
        variables.insert("TRUSTED_PROXIES".into(), "127.0.0.0/8".into());
    })
    .await;
    let http = nuncio::outgoing::builder().build().expect("TLS can be set up");
    let asks =
        async |client: &str| http.get(t.url("/")).header("X-Forwarded-For", client).send().await.unwrap();
    let mut answers = std::collections::BTreeMap::<u16, u32>::new();
    for number in 0..110 {
        let answer = asks(&format!("2001:db8:1:2::{number:x}")).await;
        *answers.entry(answer.status().as_u16()).or_default() += 1;
        if answer.status() == 429 {
            let after: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=9).contains(&after), "{after}");
            let told: serde_json::Value = answer.json().await.unwrap();
            assert_eq!(told, json!({"error": "Too many requests from this IP"}));
        }
    }
    assert!(answers[&200] >= 100 && answers[&429] > 0, "{answers:?}");
    assert_eq!(asks("2001:db8:1:3::1").await.status(), 200);
    assert_eq!(asks("192.0.2.1").await.status(), 200);
    t.log.expect(Level::WARN, "an address sends more requests than RATE_LIMIT allows");
    t.finish().await;
}

#[tokio::test]
async fn with_scope_all_the_bucket_fills_up_again() {
    let t = Harness::with(|variables| {
        variables.insert("RATE_LIMIT".into(), "1/1s".into());
        variables.insert("RATE_LIMIT_SCOPE".into(), "all".into());
    })
    .await;
    let refused = async || t.looks_at("/").await.0 == 429;
    within("a refusal", async { while !refused().await {} }).await;
    within("room for one more", async { while refused().await {} }).await;
    t.finish().await;
}
