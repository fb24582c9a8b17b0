//! A source that is refused: in `/health`, in `/webhook-status`, and as one card.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the refusals in `Hub::status` | `a_wrong_secret_is_named…` |
//! | `SEVERAL`: the first one counts | `a_stray_request…` |
//! | `REPORTED` read at a start | `after_five_minutes…` |

use std::time::Duration;

use nuncio::secret::Secret;
use nuncio::signature;
use serde_json::{Value, json};

use crate::harness::{Harness, SECRET, http};
use crate::limits::{asset, health_says, ticket};

/// The door's answer to a webhook that is signed with `secret`.
async fn sends_with(t: &Harness, secret: &str, number: usize) -> u16 {
    let (body, at) = (ticket(number).to_string(), t.clock.now().as_secs().to_string());
    let signature = signature::sign(&Secret::new(secret), &[at.as_bytes(), body.as_bytes()]);
    let request = http().post(t.url("/webhooks/xtsystems")).body(body);
    let signed = request.header("x-xtsystems-timestamp", at).header("x-xtsystems-signature", signature);
    signed.send().await.unwrap().status().as_u16()
}

async fn refused(t: &Harness, number: usize) {
    assert_eq!(sends_with(t, "another secret than ours", number).await, 401);
}

fn field<'a>(answer: &'a Value, name: &str) -> &'a str {
    let fields = answer["data"]["embeds"][0]["fields"].as_array().unwrap();
    fields.iter().find(|field| field["name"] == name).map_or("", |field| field["value"].as_str().unwrap())
}

// O-1
#[tokio::test]
async fn a_wrong_secret_is_named_wherever_people_look() {
    let t = Harness::with_bot().await;
    t.commands().await;
    let well = t.person("alice").types("webhook-status").await;
    assert_eq!(well["data"]["embeds"][0]["title"], "✅ All is well");
    // Nothing was ever accepted: somebody is setting it up, and the first refusal counts.
    refused(&t, 1).await;
    health_says(&t, "XTSystems is refused: all 1 request since", true).await;
    refused(&t, 2).await;
    let health = t.health().await;
    assert_eq!(health["status"], "degraded");
    let problem = health["problems"][0].as_str().unwrap();
    assert!(problem.contains("all 2 requests since"), "{problem}");
    assert!(problem.contains("another secret, or a proxy changed the body"), "{problem}");
    assert!(problem.contains("/register-webhook sets it"), "{problem}");
    let answer = t.person("alice").types("webhook-status").await;
    assert_eq!(answer["data"]["embeds"][0]["title"], "⚠️ Something needs a look");
    let line = field(&answer, "Refused in the last 24 hours");
    assert!(line.starts_with("2 × signature does not match"), "{line}");
    // As soon as it is signed rightly, the problem is over. The count stays.
    assert_eq!(sends_with(&t, SECRET, 3).await, 200);
    t.channel("tickets").next_message().await;
    assert_eq!(t.health().await["status"], "ok");
    let answer = t.person("alice").types("webhook-status").await;
    assert_eq!(answer["data"]["embeds"][0]["title"], "✅ All is well");
    assert!(field(&answer, "Refused in the last 24 hours").starts_with("2 × "));
    t.finish().await;
}

#[tokio::test]
async fn a_stray_request_is_no_problem_of_a_source_that_works() {
    let t = Harness::start().await;
    t.sends_body(ticket(1)).await;
    t.channel("tickets").next_message().await;
    for number in 2..4 {
        refused(&t, number).await;
        assert_eq!(t.health().await["status"], "ok");
    }
    refused(&t, 4).await;
    health_says(&t, "all 3 requests since", true).await;
    // Nobody tried for a day.
    t.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(t.health().await["status"], "ok");
    t.finish().await;
}

#[tokio::test]
async fn after_five_minutes_people_get_one_card_and_one_when_it_is_over() {
    let mut t = Harness::start().await;
    t.sends_body(ticket(1)).await;
    t.channel("tickets").next_message().await;
    for number in 2..4 {
        refused(&t, number).await;
        t.clock.advance(Duration::from_secs(150));
    }
    refused(&t, 4).await;
    let card = t.channel("general").next_message().await;
    assert_eq!(card.title(), "🚫 XTSystems' webhooks are refused");
    assert!(card.description().contains("all 3 requests"), "{}", card.description());
    // It goes on, also after a restart: people know.
    t.restart().await;
    for number in 5..9 {
        refused(&t, number).await;
        t.clock.advance(Duration::from_secs(150));
    }
    t.sends_body(asset(1)).await;
    t.channel("assets").next_message().await;
    let card = t.channel("general").next_message().await;
    assert_eq!(card.title(), "✅ XTSystems' webhooks are accepted again");
    t.finish().await;
}

// Control: with our own events counted as well.
#[tokio::test]
async fn a_silent_platform_shows_though_nuncio_itself_has_something_to_say() {
    let t = Harness::with_bot().await;
    t.commands().await;
    t.sends_body(ticket(1)).await;
    t.channel("tickets").next_message().await;
    for number in 2..5 {
        refused(&t, number).await;
        t.clock.advance(Duration::from_secs(150));
    }
    t.channel("general").next_message().await;
    t.settle().await;
    let answer = t.person("alice").types("webhook-status").await;
    assert!(field(&answer, "Last event").contains("ticket.created"), "{}", field(&answer, "Last event"));
    assert_eq!(field(&answer, "Last 24 hours"), "1 accepted · 1 delivered · 0 dead");
    t.finish().await;
}

// Controls: with `addresses` not counted, none is listed; with `refused` shown to everybody, a stranger reads addresses.
#[tokio::test]
async fn refusals_are_listed_by_reason_and_address_for_insiders_alone() {
    const KEY: &str = "an-api-key-of-the-harness";
    let t = Harness::with(|variables| {
        variables.insert("TRUSTED_PROXIES".to_owned(), "127.0.0.1".to_owned());
        variables.insert("NUNCIO_API_KEY".to_owned(), KEY.to_owned());
    })
    .await;
    let sends_from = async |address: String| {
        let request = http().post(t.url("/webhooks/xtsystems")).body(ticket(1).to_string());
        let status = request.header("x-forwarded-for", address).send().await.unwrap().status();
        assert_eq!(status, 401);
    };
    for _ in 0..3 {
        sends_from("203.0.113.9".to_owned()).await;
    }
    for number in 1..=9 {
        sends_from(format!("192.0.2.{number}")).await;
    }
    let health = async |bearer: Option<&str>| {
        let request = http().get(t.url("/health"));
        let request = match bearer {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let refused = health(Some(KEY)).await["refused"].clone();
    let unsigned = &refused[0];
    assert_eq!(
        (&unsigned["reason"], &unsigned["count"], &unsigned["others"]),
        (&json!("unsigned"), &json!(12), &json!(2)),
        "{refused}"
    );
    let addresses = unsigned["addresses"].as_array().unwrap();
    assert_eq!(addresses.len(), 8);
    assert_eq!(addresses[0], json!({"address": "203.0.113.9", "count": 3}));
    // Through a proxy, and without the key: codes, and no addresses.
    let stranger = health(None).await;
    assert!(stranger["refused"].is_null() && !stranger.to_string().contains("203.0.113.9"), "{stranger}");
    assert_eq!(stranger["problems"], json!(["source_refused"]));
    t.finish().await;
}

// The words are made once, whoever shows them. Control: with a sentence of its own in `/webhook-status`, it is red.
#[tokio::test]
async fn webhook_status_says_what_health_says() {
    let t = Harness::with_bot().await;
    t.commands().await;
    t.discord.clock().step_wall(-360_000);
    // Each answer of Discord has its time.
    t.sends_body(ticket(1)).await;
    t.channel("tickets").next_message().await;
    let told = t.is_told("ahead of Discord's").await;
    assert!(told.contains("Let NTP set the clock"), "{told}");
    refused(&t, 2).await;
    refused(&t, 3).await;
    refused(&t, 4).await;
    let health = t.health().await;
    let answer = t.person("alice").types("webhook-status").await;
    let shown = answer["data"]["embeds"][0]["description"].as_str().unwrap().replace('\\', "");
    for problem in health["problems"].as_array().unwrap() {
        let problem = problem.as_str().unwrap();
        assert!(shown.contains(problem), "{problem:?} is not in {shown:?}");
    }
    t.finish().await;
}
