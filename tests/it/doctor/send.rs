//! `nuncio doctor --send`: a signed event, cards, and a test of XTSystems'; and nothing of it without being asked.

use nuncio::demo::PlatformFault;
use serde_json::{Value, json};

use super::rig::{NOTHING, Rig};

const SEND: &[&str] = &["--send"];

/// The codes of the group `test`, in their order.
fn tested(text: &str) -> Vec<String> {
    let said: Value = serde_json::from_str(text).unwrap();
    let tests = said["checks"].as_array().unwrap().iter().filter(|check| check["group"] == "test");
    tests.map(|check| check["code"].as_str().unwrap().to_owned()).collect()
}

fn cards(rig: &Rig) -> [usize; 2] {
    ["general", "alerts"].map(|name| rig.discord.messages(rig.discord.channel_id(name).unwrap()).len())
}

// Controls: with the names of channels not asked for, their ids are shown; with the reasons of the running nuncio not asked for, the
// first says only that it did not arrive; with any test taken for the platform's, our own passes for it and the first is green.
#[tokio::test]
async fn another_secret_at_the_platform_is_named_and_registering_mends_it() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    // Near miss: not asked for, nothing is sent.
    rig.finds(0, &NOTHING).await;
    assert_eq!((cards(&rig), rig.platform.recorded_requests().len()), ([0, 0], 0));
    let seen = rig.looks_with(SEND).await;
    assert_eq!(
        tested(&seen.text),
        ["test-event", "test-card", "test-card", "xtsystems-secret-differs"],
        "{}",
        seen.text
    );
    assert_eq!(cards(&rig), [1, 1], "the route's card, and one where nothing leads now");
    assert!(
        seen.text.contains("A test card is in #alerts, after ")
            && seen.text.contains("The test is in #general."),
        "{}",
        seen.text
    );
    let (code, said) = rig.runs(&["webhooks", "register"]).await;
    assert_eq!(code, 0, "{said}");
    let seen = rig.looks_with(SEND).await;
    assert_eq!(
        tested(&seen.text),
        ["test-event", "test-card", "test-card", "test-from-xtsystems"],
        "{}",
        seen.text
    );
    // What the running nuncio refused meanwhile is still told.
    assert_eq!(seen.wrong, ["refused-lately"]);
    // XTSystems stays behind when the secret is changed here.
    rig.ends_serving().await;
    let earlier = rig.value("WEBHOOK_SECRET").to_owned();
    rig.set_to("WEBHOOK_SECRET_PREVIOUS", &earlier);
    rig.set_to("WEBHOOK_SECRET", "0a1b2c3d4e5f60718293a4b5c6d7e8f9");
    rig.serve_again().await;
    rig.finds_with(SEND, 0, &["configuration-note", "xtsystems-secret-previous"]).await;
    assert_eq!(rig.runs(&["webhooks", "register"]).await.0, 0);
    rig.finds_with(SEND, 0, &["configuration-note"]).await;
}

// Control: with the status of the answer not looked at, the refused test passes.
#[tokio::test]
async fn a_secret_that_the_running_nuncio_does_not_take() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    assert_eq!(rig.runs(&["webhooks", "register"]).await.0, 0);
    rig.set_to("WEBHOOK_SECRET", "0a1b2c3d4e5f60718293a4b5c6d7e8f9");
    let seen = rig.finds_with(SEND, 1, &["secret-stale", "test-event-refused"]).await;
    assert!(seen.text.contains("signature does not match"), "{}", seen.text);
}

// Control: with the look at who answers left out, a test is posted to another nuncio.
#[tokio::test]
async fn without_a_nuncio_that_runs_nothing_is_sent() {
    let mut rig = Rig::set().await;
    rig.finds_with(SEND, 0, &["test-skipped"]).await;
    let mut other = Rig::set().await;
    let theirs = other.serve_on_a_port().await;
    rig.set_to("WEBHOOK_PORT", &theirs.to_string());
    rig.finds_with(SEND, 1, &["other-nuncio", "test-skipped"]).await;
    assert_eq!((cards(&rig), cards(&other)), ([0, 0], [0, 0]));
    assert!(rig.platform.recorded_requests().is_empty() && !rig.files().contains(&"nuncio.key".to_owned()));
}

// Control: with a card that was refused taken for one that stands, it is not named.
#[tokio::test]
async fn a_channel_that_takes_no_card() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    assert_eq!(rig.runs(&["webhooks", "register"]).await.0, 0);
    let alerts = rig.discord.channel_id("alerts").unwrap();
    rig.discord.deny(alerts, nuncio::sandbox::discord::Permission::SendMessages);
    let seen = rig.looks_with(SEND).await;
    assert_eq!(
        tested(&seen.text),
        ["test-event", "test-card", "test-card-failed", "test-from-xtsystems"],
        "{}",
        seen.text
    );
    assert!(seen.text.contains("No test card is in #alerts: "), "{}", seen.text);
    assert_eq!(cards(&rig)[1], 0);
}

// Control: with a failed request for it taken for a test that is on its way, nothing is named.
#[tokio::test]
async fn a_test_of_the_platform_that_does_not_come() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    assert_eq!(rig.runs(&["webhooks", "register"]).await.0, 0);
    let down = PlatformFault::Status(500, json!({"detail": "the queue is down"}));
    rig.platform.fails_next("POST /v1/webhooks", 1, down);
    let seen = rig.finds_with(SEND, 1, &["test-from-xtsystems-failed"]).await;
    let check = seen.check("test-from-xtsystems-failed");
    assert!(check["found"].as_str().unwrap().contains("the queue is down"), "{check}");
    assert!(check["remedy"].as_str().unwrap().contains("nuncio webhooks deliveries"), "{check}");
    // Near miss, as soon as XTSystems can: its test arrives.
    assert_eq!(rig.runs(&["webhooks", "deliveries"]).await.0, 0);
    let seen = rig.finds_with(SEND, 0, &NOTHING).await;
    assert_eq!(seen.check("test-from-xtsystems")["state"], "ok");
}
