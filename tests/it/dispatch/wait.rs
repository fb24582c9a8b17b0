//! `?wait=true`: a result for each webhook, within ten seconds.

use std::time::Duration;

use nuncio::model::Backlog;
use nuncio::sandbox::discord::Fault;
use serde_json::json;
use tracing::Level;

use super::Platform;
use super::scale::Hooks;
use crate::harness::within;
use crate::limits::asked;

#[tokio::test]
async fn a_dead_webhook_is_told_apart_and_harms_no_other() {
    let p = Platform::start().await;
    p.stores("general", json!({"name": "ops", "type": "CUSTOM"})).await;
    p.stores("assets", json!({"name": "old", "type": "CUSTOM"})).await;
    let hooks = p.t.discord.requests();
    let deleted = hooks
        .iter()
        .rev()
        .find_map(|asked| asked.path.split("/webhooks/").nth(1)?.split('/').next()?.parse().ok());
    assert!(p.t.discord.delete_webhook(deleted.unwrap()));
    let body = json!({"embed": {"title": "T"}});
    let answer = p.awaits("custom", body.clone()).await;
    let (sent, failed) = (&answer["sent"], &answer["failed"]);
    assert_eq!((&answer["success"], sent, failed), (&json!(true), &json!(1), &json!(1)), "{answer}");
    assert_eq!(answer["errors"], json!([{"webhook": "old", "error": "HTTP 404: Not Found"}]));
    let results = answer["results"].as_array().unwrap();
    let of = |name: &str| results.iter().find(|one| one["webhook"] == name).unwrap().clone();
    assert_eq!((&of("ops")["status"], &of("ops")["attempts"]), (&json!(200), &json!(1)));
    assert_eq!((&of("old")["status"], &of("old")["state"]), (&json!(404), &json!("closed")));
    assert!(of("ops")["ms"].is_u64());
    // The card, and the notice about the dead one.
    let messages = p.t.channel("general").next_messages(2).await;
    assert!(messages.iter().any(|message| message.title().ends_with("old is closed")), "{messages:#?}");
    p.t.log.expect(Level::ERROR, "old is closed: Discord does not know this webhook (10015)");
    // From now on it is not asked any more, and nobody waits for it.
    let before = asked(&p.t, &["POST", "/webhooks/", "wait=true"]);
    let again = p.awaits("custom", body).await;
    assert_eq!((&again["sent"], &again["failed"]), (&json!(1), &json!(1)), "{again}");
    assert!(again["errors"][0]["error"].as_str().unwrap().contains("10015"), "{again}");
    assert_eq!(asked(&p.t, &["POST", "/webhooks/", "wait=true"]), before + 1);
    p.next("general").await;
    p.t.finish_with_backlog(2).await;
}

// Control: without the end of the wait this test hangs until the harness gives up.
#[tokio::test]
async fn one_that_hangs_does_not_hold_the_others() {
    let hooks = Hooks::start().await;
    let p = Platform::with(&[("DISCORD_API_URL", &hooks.url()), ("DISCORD_TOKEN", "")]).await;
    hooks.store(&p, 6, |number| json!({"name": format!("hook-{number}"), "type": "CUSTOM"})).await;
    hooks.hangs(5);
    let body = json!({"embed": {"title": "T"}});
    let all_but_one = async {
        hooks.answered(5).await;
        while p.t.store().backlog().await.unwrap() != (Backlog { sending: 1, ..Backlog::default() }) {
            tokio::task::yield_now().await;
        }
        // The ten seconds are over.
        p.t.clock.advance(Duration::from_secs(10));
    };
    let (answer, ()) =
        within("the answer", async { tokio::join!(p.awaits("custom", body.clone()), all_but_one) }).await;
    assert_eq!(
        (&answer["success"], &answer["sent"], &answer["pending"]),
        (&json!(true), &json!(5), &json!(1)),
        "{answer}"
    );
    assert_eq!(answer["failed"], 0);
    let hanging =
        answer["results"].as_array().unwrap().iter().find(|one| one["webhook"] == "hook-5").unwrap();
    assert_eq!((&hanging["state"], &hanging["status"]), (&json!("pending"), &json!(null)));
    // A server that stops answers with what is known.
    let mut p = p;
    let (url, client) = (p.t.url("/v1/dispatch/custom?wait=true"), crate::harness::http().clone());
    let asking = tokio::spawn(async move {
        client
            .post(url)
            .bearer_auth(super::KEY)
            .json(&body)
            .send()
            .await
            .unwrap()
            .json::<serde_json::Value>()
            .await
            .unwrap()
    });
    hooks.answered(10).await;
    p.t.stop().await;
    let answer = within("the answer of a server that stops", asking).await.unwrap();
    assert!(answer["pending"].as_u64().unwrap() >= 1, "{answer}");
}

// A server error is tried again, and the wait with it.
#[tokio::test]
async fn what_is_tried_again_within_the_wait_counts_as_sent() {
    let p = Platform::start().await;
    p.stores("general", json!({"name": "ops", "type": "CUSTOM"})).await;
    p.t.discord.faults().next_on(
        "POST /api/v10/webhooks/",
        1,
        Fault::rate_limited(Duration::from_millis(200), "user"),
    );
    let answer = p.awaits("custom", json!({"embed": {"title": "T"}})).await;
    assert_eq!((&answer["sent"], &answer["results"][0]["attempts"]), (&json!(1), &json!(2)), "{answer}");
    p.next("general").await;
    p.finish().await;
}
