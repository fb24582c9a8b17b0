//! Webhooks that are gone: removed, replaced, or never there. What is for them is neither lost nor blamed on others.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the `None` of `Routes::along` | `what_names_nothing_that_is_stored_waits_for_a_route` |
//! | `tend_routes` in the dispatcher | `what_comes_after_a_webhook_was_removed_waits_for_a_route` |
//! | `is_outdated` in the unit, and `is_readdressed` in the lane | `an_answer_to_the_old_address_does_not_close_the_new_one` |
//! | `was_asked` in `note_reachable` | `a_removed_webhook_is_no_trouble_of_discords` |
//! | the look at the destination in `Revive` | `what_was_for_a_removed_webhook_is_not_said_to_be_sent_again` |
//! | `deleted` in the notice | `only_a_deleted_webhook_is_said_to_have_leaked` |

use std::time::Duration;

use nuncio::model::{DeliveryFilter, DestinationId, Revived, Status};
use nuncio::sandbox::discord::Fault;
use serde_json::json;
use tracing::Level;

use super::{makes_webhook, parsed, routed, routes_to, stores, url};
use crate::harness::{Harness, at_shell, one_by_one, within};
use crate::limits::{asked, health_says, recorded, ticket};

async fn unrouted(t: &Harness) -> u64 {
    t.store().backlog().await.unwrap().unrouted
}

#[tokio::test]
async fn what_names_nothing_that_is_stored_waits_for_a_route() {
    let mut t = Harness::with(one_by_one).await;
    let (gone, alerts) = (DestinationId::new(), t.discord.channel_id("alerts").unwrap().to_string());
    let map = json!({"ticket.*": [gone], "asset.*": [gone, alerts], "user.*": [], "default": [alerts]});
    t.set("DISCORD_WEBHOOK_CHANNELS", map.to_string());
    t.restart().await;
    for key in ["ticket.*", "asset.*"] {
        let sentence = format!("the map names {gone} for {key}, but no such destination is stored");
        health_says(&t, &sentence, true).await;
        t.log.expect(Level::WARN, &sentence);
    }
    let problems = t.health().await["problems"].to_string();
    assert_eq!(problems.matches("then `kill -HUP` nuncio or restart it").count(), 2, "{problems}");
    t.sends_body(ticket(1)).await;
    assert_eq!(unrouted(&t).await, 1);
    // What else the key names gets it, and nowhere on purpose is no trouble.
    t.sends("asset_created.json").await;
    t.channel("alerts").next_message().await;
    t.sends("user_created.json").await;
    assert_eq!(unrouted(&t).await, 1);

    let id = stores(&t, &url(&t)).await;
    routes_to(&mut t, id).await;
    health_says(&t, "no such destination is stored", false).await;
    let done = t.hub().redeliver_unrouted(&at_shell(), |_| {}).await.unwrap();
    assert_eq!((done.routed, done.deliveries), (1, 1));
    assert!(t.channel("general").next_message().await.title().contains("#1 "));
    t.finish().await;
}

#[tokio::test]
async fn what_comes_after_a_webhook_was_removed_waits_for_a_route() {
    let mut t = Harness::with(one_by_one).await;
    let id = routed(&mut t).await;
    t.sends_body(ticket(1)).await;
    t.channel("general").next_message().await;
    t.settle().await;
    assert!(t.store().remove_webhook(id, at_shell()).await.unwrap());
    t.clock.advance(Duration::from_secs(1));
    health_says(&t, &format!("the map names {id} for ticket.*, but no such destination is stored"), true)
        .await;
    t.sends_body(ticket(2)).await;
    assert_eq!(unrouted(&t).await, 1);
    let other = stores(&t, &makes_webhook(&t, "assets").await).await;
    routes_to(&mut t, other).await;
    t.hub().redeliver_unrouted(&at_shell(), |_| {}).await.unwrap();
    assert!(t.channel("assets").next_message().await.title().contains("#2 "));
    t.finish().await;
}

// D-12: the rotation that everybody does: a new webhook, the old one deleted, the new address given.
#[tokio::test]
async fn an_answer_to_the_old_address_does_not_close_the_new_one() {
    let mut t = Harness::with(one_by_one).await;
    let id = routed(&mut t).await;
    t.discord.faults().next_on("POST /api/v10/webhooks/", 1, Fault::Delay(Duration::from_secs(300)));
    t.sends_body(ticket(1)).await;
    within("a request", async {
        while t.discord.faults().pending() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let new = parsed(&t, &makes_webhook(&t, "assets").await);
    assert!(t.discord.delete_webhook(t.discord.webhook_id()));
    t.hub().replace_webhook(id, &new, &at_shell()).await.unwrap();
    t.clock.advance(Duration::from_secs(300));
    assert!(t.channel("assets").next_message().await.title().contains("#1 "));
    t.settle().await;
    assert_eq!(t.store().destination(id).await.unwrap().unwrap().closed, None);
    assert_eq!(t.health().await["problems"], json!([]));
    t.finish().await;
}

#[tokio::test]
async fn a_removed_webhook_is_no_trouble_of_discords() {
    let mut t = Harness::with(one_by_one).await;
    let id = routed(&mut t).await;
    t.discord.faults().next_on(
        "POST /api/v10/webhooks/",
        1,
        Fault::rate_limited(Duration::from_secs(30), "user"),
    );
    t.sends_body(ticket(1)).await;
    within("a request", t.discord.wait_until(|_| (asked(&t, &["POST", "/webhooks/"]) > 0).then_some(())))
        .await;
    recorded(&t).await;
    assert!(t.store().remove_webhook(id, at_shell()).await.unwrap());
    t.settle_in_steps(Duration::from_secs(1)).await;
    health_says(&t, "Discord cannot be reached", false).await;
    assert!(!t.log.all().iter().any(|line| line.contains("did not take a message: its webhook")));
    t.finish().await;
}

// D-12
#[rstest::rstest]
#[case::deleted(Fault::refusal(404, 10015, "Unknown Webhook"), true)]
#[case::wrong(Fault::refusal(401, 50027, "Invalid Webhook Token"), false)]
#[case::forum(
    Fault::refusal(400, 220_001, "Webhooks posted to forum channels must have a thread_name or thread_id"),
    false
)]
#[case::channel(Fault::refusal(404, 10003, "Unknown Channel"), false)]
#[tokio::test]
async fn only_a_deleted_webhook_is_said_to_have_leaked(#[case] fault: Fault, #[case] leaked: bool) {
    let mut t = Harness::with(one_by_one).await;
    let id = routed(&mut t).await;
    t.discord.faults().next_on("POST /api/v10/webhooks/", 1, fault);
    t.sends_body(ticket(1)).await;
    let told = t.channel("alerts").next_message().await;
    assert!(told.title().ends_with("is closed"), "{told:?}");
    assert_eq!(told.0.to_string().contains("leaked"), leaked, "{told:?}");
    assert!(told.0.to_string().contains(&format!("nuncio discord-webhooks replace {id}")), "{told:?}");
    t.log.expect(Level::ERROR, "Acme NOC is closed");
    recorded(&t).await;
    t.finish_with_backlog(1).await;
}

#[tokio::test]
async fn what_was_for_a_removed_webhook_is_not_said_to_be_sent_again() {
    let mut t = Harness::with(one_by_one).await;
    let id = routed(&mut t).await;
    let event = t.sends_body(ticket(1)).await.body["event_id"].as_str().unwrap().to_owned();
    t.channel("general").next_message().await;
    t.settle().await;
    assert!(t.store().remove_webhook(id, at_shell()).await.unwrap());
    let letters = t.store().delivery_details_of(DeliveryFilter::Of(event.parse().unwrap()), 9).await.unwrap();
    let delivery = letters[0].id;
    assert_eq!(
        t.hub().redeliver(delivery, &at_shell()).await.unwrap().unwrap(),
        Revived::Gone("Acme NOC".to_owned())
    );
    for id in [delivery.to_string(), event] {
        let ran = t.runs(&["redeliver", &id]).await;
        assert_eq!(ran.code, 1, "{id}: {} {}", ran.stdout, ran.stderr);
        assert!(
            ran.stderr.contains("removed") && ran.stderr.contains("DISCORD_WEBHOOK_CHANNELS"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(
        t.store().delivery_details_of(DeliveryFilter::Of(letters[0].event_id), 9).await.unwrap()[0].status,
        Status::Delivered
    );
    t.finish().await;
}

#[tokio::test]
async fn of_several_webhooks_of_one_name_each_is_named_by_its_id() {
    let t = Harness::with(one_by_one).await;
    let one = stores(&t, &url(&t)).await;
    let other = stores(&t, &makes_webhook(&t, "assets").await).await;
    let Err(error) = t.hub().webhook_named("Acme NOC").await else { panic!("one of two was taken") };
    let sentence = error.to_string();
    assert!(
        sentence.starts_with("several stored webhooks are called that")
            && sentence.contains(&one.to_string())
            && sentence.contains(&other.to_string()),
        "{sentence}"
    );
    assert_eq!(t.hub().webhook_named(&other.to_string()).await.unwrap().id, other);
    assert!(
        t.hub().webhook_named("Acme").await.unwrap_err().to_string().contains("there is no stored webhook")
    );
    t.finish().await;
}
