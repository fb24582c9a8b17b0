//! `nuncio doctor --send`: a signed event, cards, and a test of XTSystems'; and nothing of it without being asked.

use nuncio::demo::PlatformFault;
use nuncio::sandbox::discord::Permission;
use serde_json::{Value, json};

use super::proxy::{self, Dialect};
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

// Controls: without the reasons of the running nuncio, without `Mismatch` or `PreviousSecret`, with a second card where the
// first went, with our own test taken for the platform's, with findings from before the test, or with --send always on this
// fails.
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

// Control: with any answer taken for yes this fails.
#[tokio::test]
async fn a_secret_that_the_running_nuncio_does_not_take() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    assert_eq!(rig.runs(&["webhooks", "register"]).await.0, 0);
    rig.set_to("WEBHOOK_SECRET", "0a1b2c3d4e5f60718293a4b5c6d7e8f9");
    let seen = rig.finds_with(SEND, 1, &["secret-stale", "test-event-refused"]).await;
    assert!(seen.text.contains("signature does not match"), "{}", seen.text);
}

// Control: without the look at who answers this fails: a test is posted to another nuncio.
#[tokio::test]
async fn without_a_nuncio_that_runs_nothing_is_sent() {
    let mut rig = Rig::set().await;
    let seen = rig.finds_with(SEND, 0, &["test-skipped"]).await;
    assert!(seen.text.contains("there is no readable key"), "{}", seen.text);
    assert!(!rig.files().contains(&"nuncio.key".to_owned()));
    // Another one has another key, and the same secret.
    let mut other = Rig::set().await;
    let theirs = other.serve_on_a_port().await;
    rig.has_a_key();
    rig.set_to("WEBHOOK_PORT", &theirs.to_string());
    rig.finds_with(SEND, 1, &["other-nuncio", "test-skipped"]).await;
    assert_eq!((cards(&rig), cards(&other)), ([0, 0], [0, 0]));
    assert!(rig.platform.recorded_requests().is_empty());
}

// Control: with a card that was refused taken for one that stands this fails.
#[tokio::test]
async fn a_channel_that_takes_no_card() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    assert_eq!(rig.runs(&["webhooks", "register"]).await.0, 0);
    let alerts = rig.discord.channel_id("alerts").unwrap();
    rig.discord.deny(alerts, Permission::SendMessages);
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

// It is accepted still, as the one before: of the next secret nothing would be. Controls: without the look at
// `PreviousSecret`, or at port 0, this fails.
#[tokio::test]
async fn a_secret_that_the_running_nuncio_knows_as_the_one_before() {
    let mut rig = Rig::set().await;
    let earlier = rig.value("WEBHOOK_SECRET").to_owned();
    rig.set_to("WEBHOOK_SECRET_PREVIOUS", &earlier);
    rig.set_to("WEBHOOK_SECRET", "0a1b2c3d4e5f60718293a4b5c6d7e8f9");
    rig.serve_on_a_port().await;
    assert_eq!(rig.runs(&["webhooks", "register"]).await.0, 0);
    rig.take_out("WEBHOOK_SECRET_PREVIOUS");
    rig.set_to("WEBHOOK_SECRET", &earlier);
    let seen = rig.finds_with(SEND, 1, &["secret-stale", "test-event-refused"]).await;
    assert!(seen.text.contains("knows this secret as WEBHOOK_SECRET_PREVIOUS only"), "{}", seen.text);
    rig.ends_serving().await;
    // Where it listens is not known.
    rig.set_to("WEBHOOK_PORT", "0");
    let seen = rig.looks_with(SEND).await;
    assert_eq!(tested(&seen.text), ["test-skipped"], "{}", seen.text);
    assert!(seen.text.contains("Nothing was sent: WEBHOOK_PORT is 0"), "{}", seen.text);
}

// Whether a test arrived is seen here, and not taken from what XTSystems says. Controls: with its word taken for it, or
// without `same`, this fails.
#[tokio::test]
async fn a_test_of_the_platform_that_does_not_arrive() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    assert_eq!(rig.runs(&["webhooks", "register"]).await.0, 0);
    let test = "POST /v1/webhooks/";
    for (says, found) in [
        (json!({"success": true, "message": "delivered"}), "another program answers at that address"),
        (json!({"success": false, "message": "no route to host"}), "XTSystems says: no route to host"),
    ] {
        rig.platform.fails_next(test, 1, PlatformFault::Status(200, says));
        let seen = rig.finds_with(SEND, 1, &["test-from-xtsystems-failed"]).await;
        assert!(seen.text.contains(found), "{found}: {}", seen.text);
    }
    // Another secret there.
    let ours = rig.asks_platform(reqwest::Method::GET, "/v1/webhooks", json!(null)).await;
    let ours =
        ours.as_array().unwrap().iter().find(|hook| hook["url"] == rig.webhook_address()).unwrap().clone();
    let path = format!("/v1/webhooks/{}", ours["id"].as_str().unwrap());
    rig.asks_platform(reqwest::Method::PUT, &path, json!({"secret": "another"})).await;
    let seen = rig.looks_with(SEND).await;
    assert_eq!(
        tested(&seen.text).last().map(String::as_str),
        Some("xtsystems-secret-differs"),
        "{}",
        seen.text
    );
    // A webhook that sends elsewhere is not asked for a test.
    rig.asks_platform(reqwest::Method::PUT, &path, json!({"url": "http://127.0.0.1:8/old"})).await;
    let before = rig.platform.recorded_requests().len();
    let seen = rig.looks_with(SEND).await;
    assert_eq!(tested(&seen.text), ["test-event", "test-card", "test-card"], "{}", seen.text);
    assert_eq!(rig.platform.recorded_requests().len(), before);
}

// A proxy that takes the signature off makes XTSystems look as if it had no secret. Control: without `Unsigned` this fails.
#[tokio::test]
async fn a_test_of_the_platform_that_comes_unsigned() {
    let mut rig = Rig::set().await;
    let port = rig.serve_on_a_port().await;
    let manner = Dialect::Drops("x-xtsystems-signature");
    rig.is_reached_by(&proxy::before(&format!("http://127.0.0.1:{port}"), manner).await);
    let seen = rig.looks_with(SEND).await;
    assert_eq!(
        tested(&seen.text).last().map(String::as_str),
        Some("xtsystems-secret-differs"),
        "{}",
        seen.text
    );
    assert!(seen.text.contains("XTSystems signs with no secret"), "{}", seen.text);
}

// Controls: with no stop taken for well, or without the word about stored webhooks, this fails.
#[tokio::test]
async fn a_test_that_goes_nowhere_and_a_stored_webhook_that_gets_none() {
    let mut rig = Rig::set().await;
    rig.map_only("alert.*");
    rig.serve_on_a_port().await;
    assert_eq!(rig.runs(&["webhooks", "register"]).await.0, 0);
    let seen = rig.looks_with(SEND).await;
    assert_eq!(
        tested(&seen.text),
        ["test-event", "test-card-waits", "test-card", "test-from-xtsystems"],
        "{}",
        seen.text
    );
    assert!(seen.text.contains("The test went nowhere"), "{}", seen.text);
    rig.ends_serving().await;
    let id = rig.stores_webhook(&rig.webhook_url()).await;
    let alerts = rig.id("alerts");
    rig.set_to("DISCORD_WEBHOOK_CHANNELS", &json!({"alert.*": [id], "default": [alerts]}).to_string());
    rig.serve_again().await;
    let seen = rig.looks_with(SEND).await;
    assert_eq!(
        tested(&seen.text),
        ["test-event", "test-card", "test-skipped", "test-from-xtsystems"],
        "{}",
        seen.text
    );
    assert!(seen.text.contains(&format!("nuncio discord-webhooks test {id}")), "{}", seen.text);
}

// It waits for its permission, and that is neither a card that stands nor one that was given up. Control: with what waits
// taken for a card this fails.
#[tokio::test]
async fn a_test_that_waits_is_no_card() {
    let mut rig = Rig::set().await;
    rig.serve_on_a_port().await;
    assert_eq!(rig.runs(&["webhooks", "register"]).await.0, 0);
    rig.discord.deny(rig.discord.channel_id("general").unwrap(), Permission::SendMessages);
    let seen = rig.looks_with(SEND).await;
    assert_eq!(
        tested(&seen.text),
        ["test-event", "test-card-waits", "test-card", "test-from-xtsystems"],
        "{}",
        seen.text
    );
}
