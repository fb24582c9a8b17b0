//! Muting: kept, counted, not delivered, and summed up in the end.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the exception for decisions in `Mute::silences` | `what_asks_for_a_decision_is_never_muted` |
//! | the dedupe key of a sum, made from mute and destination: a random one | `a_crash_between_a_sum_and_its_mark_…` |
//! | muted events among those that a card shows | `what_was_muted_shows_…` |
//! | the others go on when one cannot be summed up; that is told once | `one_that_cannot_be_summed_up_…` |
//! | what is muted and not summed up is kept | `a_mute_that_is_longer_than_retention_…` |

use std::time::Duration;

use nuncio::hub::Error;
use serde_json::{Value, json};
use tracing::Level;

use crate::database::Database;
use crate::harness::{Harness, at_shell, by};

const HOUR: Duration = Duration::from_secs(3600);

fn alert(number: usize) -> Value {
    json!({"event_type": "alert.triggered", "data":
        {"source": format!("SRV-{number}"), "severity": "critical", "title": "Disk full"}})
}

#[tokio::test]
async fn what_is_muted_is_kept_counted_and_summed_up_in_the_end() {
    let t = Harness::start().await;
    t.hub().mute("alert.*", HOUR, "the storage moves", &by("Alice")).await.unwrap();
    for number in 0..3 {
        t.sends_body(alert(number)).await;
    }
    t.settle().await;
    assert!(t.channel("alerts").unread().is_empty());
    assert_eq!(t.hub().mutes().await.unwrap()[0].1, 3);
    t.clock.advance(HOUR + Duration::from_secs(5));
    let sum = t.channel("alerts").next_message().await;
    assert_eq!(sum.title(), "🔔 The mute of alert.\\* ended");
    let embed = &sum.0["embeds"][0];
    let description = embed["description"].as_str().unwrap();
    assert!(description.contains("3 events were not shown · by Alice"), "{description}");
    assert!(description.contains("the storage moves"), "{description}");
    assert_eq!(embed["fields"][0]["value"], "3 alert.triggered");
    // Afterwards it is heard.
    t.sends_body(alert(9)).await;
    t.channel("alerts").next_message().await;
    t.finish().await;
}

// Without the lock in `load_mutes` it may pass all the same: it takes two looks that overtake each other.
#[tokio::test]
async fn a_mute_counts_from_the_moment_it_is_confirmed() {
    let t = Harness::start().await;
    // As the dispatcher does each second, and all the time.
    let looking: Vec<_> = (0..4)
        .map(|_| {
            let hub = t.hub().clone();
            tokio::spawn(async move {
                loop {
                    hub.tend_mutes().await.unwrap();
                }
            })
        })
        .collect();
    for number in 0..60 {
        let kind = format!("storm.no_{number}");
        t.hub().mute(&kind, HOUR, "", &by("Alice")).await.unwrap();
        t.sends_body(json!({"event_type": kind, "data": {"id": number}})).await;
    }
    looking.iter().for_each(tokio::task::JoinHandle::abort);
    t.settle().await;
    assert!(t.channel("general").unread().is_empty());
    t.finish().await;
}

#[tokio::test]
async fn what_was_muted_can_be_redelivered() {
    let t = Harness::start().await;
    t.hub().mute("alert.triggered", HOUR, "", &by("Alice")).await.unwrap();
    let event = t.sends_body(alert(1)).await.body["event_id"].as_str().unwrap().parse().unwrap();
    t.settle().await;
    t.hub().redeliver_event(event, &at_shell()).await.unwrap();
    assert_eq!(t.channel("alerts").next_message().await.title(), "🚨 CRITICAL · Disk full");
    t.finish().await;
}

#[tokio::test]
async fn what_asks_for_a_decision_is_never_muted() {
    let t = Harness::start().await;
    let absurd = "a".repeat(6000);
    for refused in ["machine.registered", "machine_registered", "default", "a b", "", &absurd] {
        let answer = t.hub().mute(refused, HOUR, "", &by("Alice")).await;
        assert!(matches!(answer, Err(Error::Invalid { .. })), "{refused}");
    }
    t.hub().mute("*", HOUR, "", &by("Alice")).await.unwrap();
    t.sends("machine_registered.json").await;
    t.channel("machines").next_message().await;
    t.finish().await;
}

#[tokio::test]
async fn unmuting_ends_it_and_a_restart_makes_no_second_sum() {
    let mut t = Harness::start().await;
    t.hub().mute("alert.*", HOUR, "", &by("Alice")).await.unwrap();
    t.sends_body(alert(1)).await;
    t.hub().unmute("alert.*", &by("Alice")).await.unwrap();
    t.sends_body(alert(2)).await;
    t.channel("alerts").next_message().await;
    t.clock.advance(Duration::from_secs(5));
    assert!(t.channel("alerts").next_message().await.title().starts_with("🔔"));
    t.restart().await;
    t.clock.advance(Duration::from_secs(5));
    t.settle().await;
    assert!(t.hub().unmute("alert.*", &by("Alice")).await.is_err());
    t.finish().await;
}

#[tokio::test]
async fn a_mute_at_the_shell_reaches_a_running_serve() {
    let t = Harness::start().await;
    let ran = t.runs(&["mute", "alert.*", "--for", "1h", "--reason", "moving"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("alert.* is muted until"), "{}", ran.stdout);
    // What the sweep of a running serve does each second.
    t.hub().tend_mutes().await.unwrap();
    t.sends_body(alert(1)).await;
    t.settle().await;
    let listed = t.runs(&["mute", "--list", "--json"]).await.stdout;
    let listed: Value = serde_json::from_str(listed.trim()).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["pattern"], &listed[0]["silenced"]), (&json!("alert.*"), &json!(1)));
    let refused = t.runs(&["mute", "machine.registered", "--for", "1h"]).await;
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert_eq!(t.runs(&["unmute", "alert.*"]).await.code, 0);
    assert_eq!(t.runs(&["mute", "--list", "--json"]).await.stdout, "[]\n");
    t.clock.advance(Duration::from_secs(5));
    t.channel("alerts").next_message().await;
    t.finish().await;
}

// Item 16. Controls: without the join to the mutes the list says "nowhere, on purpose" and the delivery `mut_…`.
#[tokio::test]
async fn what_a_mute_silenced_says_until_when_and_by_whom() {
    let t = Harness::start().await;
    t.hub().mute("alert.*", HOUR, "", &by("Alice")).await.unwrap();
    let event = t.sends_body(alert(1)).await.body["event_id"].as_str().unwrap().to_owned();
    t.settle().await;
    let words = |text: &str| {
        assert!(text.contains("muted until ") && text.contains(" UTC by Alice"), "{text}");
        assert!(!text.contains("mut_") && !text.contains("on purpose"), "{text}");
    };
    words(&t.runs(&["events"]).await.stdout);
    words(&t.runs(&["deliveries"]).await.stdout);
    words(&t.runs(&["deliveries", &event]).await.stdout);
    words(&t.runs(&["deliveries", &event, "--json"]).await.stdout);
    let shown = t.runs(&["events", "show", &event[event.len() - 8..]]).await;
    words(&shown.stdout);
    assert!(shown.stdout.contains("alert.triggered"), "{}", shown.stdout);
    assert!(shown.stdout.contains(r#""source": "SRV-1""#), "{}", shown.stdout);
    let shown: Value =
        serde_json::from_str(&t.runs(&["events", "show", &event, "--json"]).await.stdout).unwrap();
    words(shown["state"].as_str().unwrap());
    words(shown["deliveries"][0]["reason"].as_str().unwrap());
    assert_eq!(shown["body"]["data"]["title"], "Disk full");

    // The shell is named as the audit log names it.
    t.runs(&["mute", "ticket.*", "--for", "1h"]).await;
    t.hub().tend_mutes().await.unwrap();
    t.sends("ticket_created.json").await;
    t.settle().await;
    let listed = t.runs(&["events", "--json", "--limit", "1"]).await.stdout;
    let entry = &t.store().audited(1).await.unwrap()[0];
    let expected = format!("UTC by {}", entry.actor_name);
    assert!(listed.contains(&expected), "{expected}: {listed}");
    t.finish().await;
}

// Item 29. Control: without the look for known kinds it is muted at once.
#[tokio::test]
async fn at_the_shell_a_kind_that_never_came_needs_anyway() {
    let t = Harness::start().await;
    let refused = t.runs(&["mute", "tickt.created", "--for", "1h"]).await;
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert_eq!(
        refused.stderr,
        "nuncio: no event of the kind tickt.created has ever arrived, so nothing was muted. Did you mean ticket.created? To mute it anyway, add --anyway.\n"
    );
    assert!(t.hub().muted_now().await.unwrap().is_empty());
    assert_eq!(t.runs(&["mute", "tickt.created", "--for", "1h", "--anyway"]).await.code, 0);
    let again = t.runs(&["mute", "tickt.created", "--for", "2h", "--anyway"]).await;
    assert!(again.stdout.contains(". It was already muted until "), "{}", again.stdout);
    assert_eq!(t.hub().muted_now().await.unwrap().len(), 1);
    t.finish().await;
}

/// A connection to nuncio's database.
async fn database(t: &Harness) -> Database {
    Database::open(t.folder().join("nuncio.db")).await.unwrap()
}

#[tokio::test]
async fn a_mute_that_ends_while_nuncio_is_down_is_summed_up_at_the_next_start() {
    let mut t = Harness::start().await;
    t.hub().mute("alert.*", HOUR, "", &by("Alice")).await.unwrap();
    t.sends_body(alert(1)).await;
    t.stop().await;
    t.clock.advance(2 * HOUR);
    t.boot().await;
    let sum = t.channel("alerts").next_message().await;
    assert!(sum.description().contains("1 event was not shown"), "{}", sum.description());
    // And everything is heard.
    t.sends_body(alert(2)).await;
    assert!(t.channel("alerts").next_message().await.title().contains("Disk full"));
    t.finish().await;
}

// K-2
#[tokio::test]
async fn a_crash_between_a_sum_and_its_mark_makes_no_second_one() {
    let mut t = Harness::start().await;
    t.hub().mute("*", HOUR, "", &by("Alice")).await.unwrap();
    t.sends_body(alert(1)).await;
    t.sends("asset_created.json").await;
    t.clock.advance(HOUR + Duration::from_secs(5));
    t.channel("alerts").next_message().await;
    t.channel("assets").next_message().await;
    t.settle().await;
    t.stop().await;
    // As it would be: the sum for one channel was accepted, and the blow fell.
    let database = database(&t).await;
    for sql in [
        "UPDATE mutes SET summed_at = NULL",
        "DELETE FROM events WHERE id = (SELECT MAX(id) FROM events WHERE kind = 'nuncio.mute.ended')",
    ] {
        assert_eq!(database.execute(sql, ()).await.unwrap(), 1);
    }
    drop(database);
    t.boot().await;
    // After a start the end of a mute goes by Discord's time, which its first answer tells.
    t.log.seen_times(Level::INFO, "Discord knows this token", 2).await;
    t.clock.advance(Duration::from_secs(5));
    t.hub().tend_mutes().await.unwrap();
    t.settle().await;
    let again: Vec<_> = ["alerts", "assets"].into_iter().flat_map(|name| t.channel(name).unread()).collect();
    assert_eq!(again.len(), 1, "only the one that was missing: {again:#?}");
    for name in ["alerts", "assets"] {
        t.channel(name).next_messages(t.channel(name).unread().len()).await;
    }
    t.finish().await;
}

#[tokio::test]
async fn what_was_muted_shows_on_its_card_once_something_else_changes_that() {
    let t = Harness::start().await;
    let ticket = |kind: &str, mut data: Value| {
        data["id"] = json!("t-1");
        data["seq_id"] = json!(1);
        data["title"] = json!("Printer");
        json!({"event_type": kind, "data": data})
    };
    t.sends_body(ticket("ticket.created", json!({"priority": "high"}))).await;
    t.channel("tickets").next_message().await;
    t.hub().mute("ticket.*", HOUR, "", &by("Alice")).await.unwrap();
    t.sends_body(ticket("ticket.closed", json!({}))).await;
    t.settle().await;
    assert_eq!(t.channel("tickets").shown()[0]["embeds"][0]["title"], "🎫 #1 Printer");
    t.hub().unmute("ticket.*", &by("Alice")).await.unwrap();
    t.sends_body(ticket("ticket.updated", json!({"priority": "low"}))).await;
    assert_eq!(t.channel("tickets").next_message().await.content(), "📝 #1: high → low");
    assert_eq!(t.channel("tickets").shown()[0]["embeds"][0]["title"], "🔒 #1 Printer");
    t.clock.advance(Duration::from_secs(5));
    assert!(t.channel("tickets").next_message().await.title().starts_with("🔔"));
    t.finish().await;
}

#[tokio::test]
async fn a_mute_that_is_longer_than_retention_still_sums_all_of_it_up() {
    let t = Harness::start().await;
    t.hub().mute("alert.*", 48 * HOUR, "", &by("Alice")).await.unwrap();
    t.sends_body(alert(1)).await;
    t.clock.advance(36 * HOUR);
    let removed = t.hub().run_retention(t.clock.now().minus(24 * HOUR)).await.unwrap();
    assert_eq!((removed.events, removed.deliveries), (0, 0));
    t.clock.advance(13 * HOUR);
    let sum = t.channel("alerts").next_message().await;
    assert!(sum.description().contains("1 event was not shown"), "{}", sum.description());
    t.settle().await;
    assert_eq!(t.hub().run_retention(t.clock.now().minus(24 * HOUR)).await.unwrap().deliveries, 1);
    t.finish().await;
}

#[tokio::test]
async fn one_that_cannot_be_summed_up_keeps_none_of_the_others_and_is_told_of_once() {
    let t = Harness::start().await;
    t.hub().mute("alert.*", HOUR, "", &by("Alice")).await.unwrap();
    t.hub().mute("ticket.*", HOUR, "", &by("Alice")).await.unwrap();
    t.sends_body(alert(1)).await;
    t.sends("ticket_created.json").await;
    t.settle().await;
    let kind = async |new: &str| {
        let sql =
            format!("UPDATE events SET kind = {new} WHERE source = 'xtsystems' AND kind <> 'ticket.created'");
        database(&t).await.execute(sql, ()).await.unwrap();
    };
    kind("x'ff'").await;
    t.clock.advance(HOUR + Duration::from_secs(5));
    assert!(t.channel("tickets").next_message().await.title().starts_with("🔔"));
    for _ in 0..3 {
        t.hub().tend_mutes().await.unwrap();
    }
    let warnings = t.log.at(Level::WARN);
    let told: Vec<_> = warnings.iter().filter(|line| line.contains("could not be summed up")).collect();
    assert_eq!(told.len(), 1, "{warnings:#?}");
    // It is made up for as soon as it can be.
    kind("'alert.triggered'").await;
    t.hub().tend_mutes().await.unwrap();
    assert!(t.channel("alerts").next_message().await.title().starts_with("🔔"));
    t.finish().await;
}
