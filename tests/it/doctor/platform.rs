//! XTSystems: one thing wrong with it at a time.

use nuncio::demo::PlatformFault;
use reqwest::Method;
use serde_json::json;

use super::rig::{NOTHING, Rig};

const DETAIL: &str = "the database is away";

// Controls: without the code of its own for 5xx, or for 429, this fails.
#[tokio::test]
async fn a_platform_that_fails_is_told_apart_from_a_wrong_address() {
    let mut rig = Rig::set().await;
    rig.platform.fails_next("GET /v1/webhooks", 1, PlatformFault::Status(500, json!({"detail": DETAIL})));
    let seen = rig.finds(1, &["xtsystems-failing"]).await;
    assert!(seen.text.contains(DETAIL) && seen.text.contains("XTSystems' own log"), "{}", seen.text);
    rig.finds(0, &NOTHING).await;
    rig.platform.fails_next(
        "GET /v1/webhooks",
        1,
        PlatformFault::Status(429, json!({"detail": "slow down"})),
    );
    let seen = rig.finds(1, &["xtsystems-failing"]).await;
    assert!(seen.text.contains("again in a minute"), "{}", seen.text);
    let right = rig.value("XTSYSTEMS_API_URL").to_owned();
    rig.set_to("XTSYSTEMS_API_URL", &rig.discord_address());
    rig.finds(1, &["xtsystems-wrong-address"]).await;
    // The most frequent one: its path is part of it already.
    rig.set_to("XTSYSTEMS_API_URL", &format!("{right}/v1"));
    let seen = rig.finds(1, &["xtsystems-wrong-address"]).await;
    assert!(seen.text.contains("without /v1"), "{}", seen.text);
    rig.set_to("XTSYSTEMS_API_URL", &right);
    rig.finds(0, &NOTHING).await;
}

// Controls: without the look at `active`, or at `events`, or with `active` left as it is by registering, this fails.
#[tokio::test]
async fn a_registration_that_sends_nothing() {
    let rig = Rig::set().await;
    let ours = rig.asks_platform(Method::GET, "/v1/webhooks", json!(null)).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/webhooks/{ours}");
    for nothing in [json!({"active": false}), json!({"active": true, "events": []})] {
        rig.asks_platform(Method::PUT, &path, nothing).await;
        rig.finds(1, &["xtsystems-registration-inactive"]).await;
    }
    rig.asks_platform(Method::PUT, &path, json!({"events": ["ticket.*"]})).await;
    rig.finds(0, &NOTHING).await;
    // Registering is the remedy, and --fix does it.
    rig.asks_platform(Method::PUT, &path, json!({"active": false})).await;
    rig.finds_with(&["--fix"], 0, &NOTHING).await;
}

// The webhook that sends here is ours, whatever its name; no second one is made, and none that sends elsewhere is moved.
// Control: without `by_url` this fails.
#[tokio::test]
async fn registering_changes_the_webhook_that_sends_here_already() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    assert_eq!(rig.runs(&["webhooks", "register"]).await.0, 0);
    let hooks = rig.asks_platform(Method::GET, "/v1/webhooks", json!(null)).await;
    let here = rig.webhook_address();
    let leads_here = |hook: &&serde_json::Value| hook["url"] == here;
    let (all, ours) = (hooks.as_array().unwrap(), hooks.as_array().unwrap().iter().filter(leads_here));
    let names: Vec<_> = ours.map(|hook| hook["name"].as_str().unwrap()).collect();
    assert_eq!((all.len(), names), (2, vec!["beside"]), "{hooks}");
}

// Control: without `can_reach` this fails.
#[tokio::test]
async fn a_platform_elsewhere_that_cannot_reach_this_machine() {
    let mut rig = Rig::set().await;
    rig.set_to("XTSYSTEMS_API_URL", "http://xtsystems.invalid");
    rig.finds(1, &["xtsystems-out-of-reach", "xtsystems-unreachable"]).await;
    // Near miss: an address that others can reach.
    rig.set_to("PUBLIC_URL", "https://nuncio.invalid");
    rig.finds(1, &["xtsystems-unreachable"]).await;
}

// Nothing is approved by being asked for. Controls: with 404 taken for "there", without the look at the methods, without that
// at what it answers for its webhooks, or with POST in place of OPTIONS this fails.
#[tokio::test]
async fn calls_that_the_platform_does_not_have_are_named_without_making_them() {
    let mut rig = Rig::set().await;
    let missing = PlatformFault::Status(404, json!({"detail": "Not Found"}));
    rig.platform.fails_next("OPTIONS /v1/machines", 2, missing.clone());
    let seen = rig.finds(0, &["xtsystems-call-missing", "xtsystems-call-missing"]).await;
    assert!(seen.text.contains("XTSystems has no POST /v1/machines/{id}/approve"), "{}", seen.text);
    rig.set_to("XTSYSTEMS_APPROVE", "PUT /v1/machines/{id}/approve");
    let seen = rig.finds(0, &["xtsystems-call-missing"]).await;
    assert!(seen.text.contains("but takes POST there"), "{}", seen.text);
    // What it says, carried out.
    rig.set_to("XTSYSTEMS_APPROVE", "POST /v1/machines/{id}/approve");
    rig.finds(0, &NOTHING).await;
    // Near miss: a platform that answers so to whatever it is asked about.
    rig.platform.fails_next("OPTIONS", 8, missing);
    rig.finds(0, &NOTHING).await;
    assert!(rig.platform.recorded_requests().is_empty(), "{:?}", rig.platform.recorded_requests());
}

// Nothing is wrong, so `--fix` changes nothing. Control: with such an answer taken for "there", the code is another.
#[tokio::test]
async fn a_platform_that_does_not_say_which_calls_it_has() {
    let sure = Rig::set().await.looks().await;
    assert_eq!(sure.check("xtsystems-calls")["state"], "ok");
    let rig = Rig::set().await;
    rig.platform.fails_next("OPTIONS", 8, PlatformFault::Status(404, json!({"detail": "Not Found"})));
    let seen = rig.finds_with(&["--fix"], 0, &NOTHING).await;
    let check = seen.check("xtsystems-calls-unknown");
    let found = check["found"].as_str().unwrap();
    assert!(
        found.contains("POST /v1/machines/{id}/approve") && found.contains("when the first is made"),
        "{found}"
    );
    let said: serde_json::Value = serde_json::from_str(&seen.text).unwrap();
    assert_eq!(said["fixed"], json!([]));
    assert!(rig.platform.recorded_requests().is_empty(), "{:?}", rig.platform.recorded_requests());
}
