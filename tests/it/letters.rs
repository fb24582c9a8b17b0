//! Dead letters, and how they go out again: `nuncio deliveries`, `nuncio redeliver`.
//!
//! | protection | control: taken away, and seen red |
//! | --- | --- |
//! | poison is a dead letter, others go on (L-2) | a refused message tried for ever |
//! | only what is finished goes back to pending | the old state left out of the WHERE |
//! | a redelivery is a message of its own | the old nonce kept |

use nuncio::model::Revived;
use std::time::Duration;

use nuncio::sandbox::discord::{Fault, RateLimits};
use serde_json::{Value, json};
use tracing::Level;

use crate::harness::{Harness, at_shell, within};

fn ticket(number: usize, title: &str) -> Value {
    json!({"event_type": "ticket.created", "data": {"id": number, "seq_id": number, "title": title}})
}

/// Discord's answer to a form it does not like.
fn invalid() -> Fault {
    Fault::refusal(400, 50035, "Invalid Form Body")
}

/// Sends a ticket that Discord refuses in every form, and waits until it is given up.
async fn dies(t: &Harness, number: usize) -> String {
    t.discord.faults().next_about("/messages", "Poison", 2, invalid());
    let answer = t.sends_body(ticket(number, "Poison")).await;
    t.settle().await;
    t.log.expect(Level::ERROR, "refused a message for good");
    answer.body["event_id"].as_str().unwrap().to_owned()
}

async fn listed(t: &Harness, args: &[&str]) -> Vec<Value> {
    let ran = t.runs(args).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[tokio::test]
async fn poison_becomes_a_dead_letter_and_blocks_nobody() {
    // L-2
    let t = Harness::plain().await;
    t.discord.set_rate_limits(RateLimits::unlimited());
    t.discord.faults().next_about("/messages", "Poison", usize::MAX, invalid());
    for number in 1..=40 {
        let title = if number % 10 == 5 { "Poison" } else { "Printer" };
        t.sends_body(ticket(number, title)).await;
    }
    t.settle().await;
    let id = t.discord.channel_id("tickets").unwrap();
    let told = serde_json::to_string(&t.discord.messages(id)).unwrap();
    for number in 1..=40 {
        assert_eq!(told.contains(&format!("#{number} Printer")), number % 10 != 5, "ticket {number}");
    }
    t.discord.faults().clear();
    let dead = listed(&t, &["deliveries", "--dead", "--json"]).await;
    assert_eq!(dead.len(), 4);
    for letter in &dead {
        assert_eq!(letter["status"], "dead");
        assert_eq!(letter["kind"], "ticket.created");
        assert!(letter["reason"].as_str().unwrap().contains("50035"), "{letter}");
        t.log.expect(Level::ERROR, "refused a message for good");
    }
    // What the channel holds was looked at whole.
    let unread = t.channel("tickets").unread().len();
    t.channel("tickets").next_messages(unread).await;
    t.finish().await;
}

#[tokio::test]
async fn a_dead_letter_shows_what_was_tried_and_goes_out_again_beside_a_running_serve() {
    let t = Harness::plain().await;
    let event = dies(&t, 7).await;
    let table = t.runs(&["deliveries", "--dead"]).await;
    let short = table.stdout.split_whitespace().next().unwrap().to_owned();
    assert!(table.stdout.contains("ticket.created") && table.stdout.contains("50035"), "{}", table.stdout);
    assert!(table.stderr.contains("nuncio redeliver"), "{}", table.stderr);

    let shown = t.runs(&["deliveries", &short]).await;
    assert_eq!(shown.stdout.matches("refused  400 code 50035").count(), 2, "{}", shown.stdout);
    assert!(shown.stdout.contains(&event), "{}", shown.stdout);
    let one: Value =
        serde_json::from_str(&t.runs(&["deliveries", &format!("dlv_{short}"), "--json"]).await.stdout)
            .unwrap();
    assert_eq!(one["tries"].as_array().unwrap().len(), 2);
    assert_eq!(one["tries"][1]["code"], 50035);

    let ran = t.runs(&["redeliver", &short]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "a running nuncio needs no word");
    assert!(ran.stdout.ends_with(" is due.\n"), "{}", ran.stdout);
    assert_eq!(t.channel("tickets").next_message().await.title(), "🎫 #7 Poison");
    t.settle().await;
    let again: Value = serde_json::from_str(&t.runs(&["deliveries", &short, "--json"]).await.stdout).unwrap();
    assert_eq!(again["status"], "delivered");
    assert_eq!(again["generation"], 1);
    assert_eq!(again["attempts"], 1);
    let classes: Vec<&str> =
        again["tries"].as_array().unwrap().iter().map(|tried| tried["class"].as_str().unwrap()).collect();
    assert_eq!(classes, ["refused", "refused", "sent"], "nothing of its history is lost");
    t.finish().await;
}

#[tokio::test]
async fn what_was_delivered_is_sent_again_as_a_message_of_its_own() {
    let t = Harness::plain().await;
    let event = t.sends_body(ticket(1, "Printer")).await.body["event_id"].as_str().unwrap().to_owned();
    t.channel("tickets").next_message().await;
    t.settle().await;
    // The last 8 characters are what the card's footer shows.
    let ran = t.runs(&["redeliver", &event[event.len() - 8..]]).await;
    assert_eq!(ran.stdout, format!("1 delivery of {event} is due.\n"), "{}", ran.stderr);
    t.channel("tickets").next_message().await;
    t.settle().await;
    assert_eq!(t.discord.counts().deduplicated, 0, "another nonce");
    t.finish().await;
}

#[tokio::test]
async fn all_that_died_since_goes_out_again_without_a_running_serve_too() {
    let mut t = Harness::plain().await;
    for number in 1..=3 {
        dies(&t, number).await;
    }
    t.stop().await;
    let none = t.runs(&["redeliver", "--dead", "--since", "2100-01-01"]).await;
    assert_eq!(none.stdout, "0 dead deliveries are due again.\n");
    let ran = t.runs(&["redeliver", "--dead", "--since", "1h"]).await;
    assert_eq!(ran.stdout, "3 dead deliveries are due again.\n");
    assert_eq!(
        ran.stderr,
        "3 of 3\nnuncio is not running on this database: they are sent at its next start.\n"
    );
    assert!(listed(&t, &["deliveries", "--dead", "--json"]).await.is_empty());
    assert_eq!(listed(&t, &["deliveries", "--pending", "--json", "--limit", "2"]).await.len(), 2);
    t.boot().await;
    t.channel("tickets").next_messages(3).await;
    t.finish().await;
}

#[tokio::test]
async fn redelivering_to_a_closed_destination_opens_it_again() {
    let t = Harness::plain().await;
    t.discord.faults().next_on("/messages", 1, Fault::refusal(404, 10003, "Unknown Channel"));
    let event = t.sends_body(ticket(1, "Printer")).await.body["event_id"].as_str().unwrap().to_owned();
    let closed = async {
        while t.store().troubled_destinations().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    within("the channel to be closed", closed).await;
    let waiting = listed(&t, &["deliveries", "--pending", "--json"]).await;
    // What people are told about it may be waiting, too.
    let waiting = waiting.iter().find(|delivery| delivery["destination"]["closed"].is_string()).unwrap();
    let id = waiting["id"].as_str().unwrap();
    let ran = t.runs(&["redeliver", id]).await;
    assert_eq!(
        ran.stdout,
        format!("{id} waits for its destination, which was closed: nuncio tries it again now.\n")
    );
    t.channel("tickets").next_message().await;
    t.channel("general").next_messages(2).await; // that it was closed, that it is open
    t.settle().await;
    assert!(t.store().troubled_destinations().await.unwrap().is_empty());
    let shown: Value = serde_json::from_str(&t.runs(&["deliveries", &event, "--json"]).await.stdout).unwrap();
    assert_eq!(shown[0]["tries"].as_array().unwrap().len(), 2, "the refused one and the good one: {shown}");
    t.log.expect(Level::ERROR, "is closed");
    t.finish().await;
}

#[tokio::test]
async fn what_waits_or_is_unknown_is_left_alone_and_said() {
    let t = Harness::plain().await;
    t.discord.faults().break_for(Duration::from_secs(3600));
    t.sends_body(ticket(1, "Printer")).await;
    let waiting = listed(&t, &["deliveries", "--pending", "--json"]).await;
    let id: nuncio::model::DeliveryId = waiting[0]["id"].as_str().unwrap().parse().unwrap();
    assert!(matches!(
        t.hub().redeliver(id, &at_shell()).await.unwrap().unwrap(),
        Revived::Conflict { reopened: false, .. }
    ));
    let unknown = nuncio::model::DeliveryId::new();
    assert_eq!(t.hub().redeliver(unknown, &at_shell()).await.unwrap().unwrap(), Revived::NotFound);

    let ran = t.runs(&["redeliver", &unknown.to_string()]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("there is no delivery or event dlv_"), "{}", ran.stderr);
    for wrong in ["7", "dlv_xyzxyzxy", "msg_00000000", "\u{1b}[2J"] {
        let ran = t.runs(&["redeliver", wrong]).await;
        assert_eq!(ran.code, 2, "{wrong}");
        assert!(ran.stderr.contains("is not an id") && !ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    }
    assert_eq!(t.runs(&["redeliver"]).await.code, 2);
    assert_eq!(t.runs(&["redeliver", "--dead", "--unrouted"]).await.code, 2);
    t.discord.faults().clear();
    t.clock.advance(Duration::from_secs(400));
    t.channel("tickets").next_message().await;
    t.finish().await;
}

#[tokio::test]
async fn events_without_a_route_are_listed_and_routed_one_by_one() {
    let mut t = Harness::plain().await;
    let general = t.discord.channel_id("general").unwrap().to_string();
    t.set("DISCORD_WEBHOOK_CHANNELS", json!({"ticket.created": [&general]}).to_string());
    t.restart().await;
    let jam = json!({"event_type": "printer.jammed", "data": {}});
    let event = t.sends_body(jam).await.body["event_id"].as_str().unwrap().to_owned();
    let unrouted = listed(&t, &["deliveries", "--unrouted", "--json"]).await;
    assert_eq!(unrouted[0]["event_id"], event.as_str());
    let ran = t.runs(&["redeliver", &event]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("still has no route"), "{}", ran.stderr);
    t.set("DISCORD_WEBHOOK_CHANNELS", json!({"default": [&general]}).to_string());
    assert_eq!(t.runs(&["redeliver", &event]).await.code, 0);
    t.channel("general").next_message().await;
    t.finish().await;
}
