//! Poison: what cannot be planned or composed goes out of line by itself, and everything else goes on. (L-2; what Discord
//! refuses is in `letters.rs`, what panics in `src/dispatch/guard.rs`, which makes the same of both.)
//!
//! | protection | control: taken away, and seen red |
//! | --- | --- |
//! | one row that cannot be read is not the database's fault | taken for a database that cannot be read: the lane stands still |
//! | the same of a row of a digest's page | `…in_a_digest…` with a time that is none: the lane stands still |
//! | the culprit is told from those planned with it | the first in line given up at once: sound ones are lost |
//! | what may have arrived is not made anew in parts | treated like a fresh one |

mod broken;
mod spoilt;

use nuncio::model::DeliveryFilter;
use std::time::Duration;

use nuncio::sandbox::discord::{Fault, RateLimits};
use serde_json::{Value, json};
use tracing::Level;

use crate::database::Database;
use crate::harness::{Harness, one_by_one, stored, within};

fn thing(number: usize) -> Value {
    json!({"event_type": "thing.happened", "data": {"number": number}})
}

fn ticket(kind: &str, status: &str) -> Value {
    json!({"event_type": kind, "data": {"id": "t-7", "seq_id": 7, "title": "Printer", "status": status}})
}

/// A source that there is not, and a time that is none.
const NOBODY: &str = "UPDATE events SET source = 'nobody' WHERE id = $1";
const NO_TIME: &str = "UPDATE events SET occurred_at = x'ff' WHERE id = $1";

/// Makes a row one that nuncio never wrote: `how` says which, for an event. nuncio must not run, else it knows it from memory.
async fn spoil(t: &Harness, event: &str, how: &'static str) {
    let database = Database::open(t.folder().join("nuncio.db")).await.unwrap();
    database.execute("PRAGMA foreign_keys = OFF", ()).await.unwrap();
    database.execute("PRAGMA ignore_check_constraints = ON", ()).await.unwrap();
    assert_eq!(database.execute(how, [stored(event)]).await.unwrap(), 1);
    database.close().await.unwrap();
}

fn id_of(answer: &nuncio::demo::WebhookAnswer) -> String {
    answer.body["event_id"].as_str().unwrap().to_owned()
}

/// How many messages or cards tell of each number.
fn told(t: &Harness) -> Vec<u64> {
    let general = t.discord.channel_id("general").unwrap();
    let messages = serde_json::to_value(t.discord.messages(general)).unwrap().to_string();
    let numbers = messages.split("number: ").skip(1);
    numbers.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()).collect()
}

fn read_all(t: &Harness) -> usize {
    t.channel("general").unread().len()
}

/// Events that wait, and nuncio stopped; their ids.
async fn waiting(coalesce: &str, events: usize) -> (Harness, Vec<String>) {
    let mut t = Harness::with(|variables| {
        one_by_one(variables);
        variables.insert("COALESCE".to_owned(), coalesce.to_owned());
    })
    .await;
    t.discord.set_rate_limits(RateLimits::unlimited());
    let token = t.variable("DISCORD_TOKEN").to_owned();
    t.unset("DISCORD_TOKEN");
    t.restart().await;
    let mut ids = Vec::new();
    for number in 0..events {
        ids.push(id_of(&t.sends_body(thing(number)).await));
    }
    t.stop().await;
    t.set("DISCORD_TOKEN", token);
    (t, ids)
}

#[rstest::rstest]
#[case::each_in_a_message_of_its_own("off", 20)]
#[case::sharing_messages("cards", 40)]
#[case::in_a_digest("digest", 150)]
#[tokio::test]
async fn one_that_cannot_be_read_goes_out_of_line_and_the_others_arrive(
    #[case] coalesce: &str,
    #[case] events: usize,
    #[values(NOBODY, NO_TIME)] how: &'static str,
) {
    let why = if how == NOBODY { "a source \"nobody\"" } else { "occurred_at" };
    let (mut t, ids) = waiting(coalesce, events).await;
    // The first in line, and one in the middle.
    for poison in [0, events / 2] {
        spoil(&t, &ids[poison], how).await;
    }
    t.boot().await;
    t.settle().await;

    let dead = t.store().delivery_details_of(DeliveryFilter::Dead, 10).await.unwrap();
    let mut whose: Vec<String> = dead.iter().map(|letter| letter.event_id.to_string()).collect();
    whose.sort_unstable();
    assert_eq!(whose, [ids[0].clone(), ids[events / 2].clone()]);
    for letter in &dead {
        let reason = letter.reason.as_deref().unwrap();
        assert!(reason.contains("nuncio did not write") && reason.contains(why), "{reason}");
        t.log.expect(Level::ERROR, "`nuncio redeliver ID` sends it");
    }
    let expected: Vec<u64> =
        (0..events as u64).filter(|number| ![0, events as u64 / 2].contains(number)).collect();
    assert_eq!(told(&t), expected, "in order, each once");
    let unread = read_all(&t);
    t.channel("general").next_messages(unread).await;
    t.finish().await;
}

#[tokio::test]
async fn one_that_may_have_arrived_and_cannot_be_read_any_more_is_given_up_with_a_word() {
    let mut t = Harness::plain().await;
    t.discord.faults().next_on("/messages", 1, Fault::HangAfter);
    let poison = id_of(&t.sends_body(thing(0)).await);
    within("the post", t.discord.wait_until(|discord| (!discord.requests().is_empty()).then_some(()))).await;
    t.channel("general").next_message().await;
    t.stop().await;
    spoil(&t, &poison, NO_TIME).await;
    t.clock.advance(Duration::from_secs(60));
    t.boot().await;
    t.sends_body(thing(1)).await;
    t.settle().await;
    let dead = t.store().delivery_details_of(DeliveryFilter::Dead, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert!(
        dead[0].reason.as_deref().unwrap().ends_with("it may be in the channel all the same"),
        "{dead:?}"
    );
    t.log.expect(Level::ERROR, "no message could be composed for");
    assert!(t.channel("general").next_message().await.0.to_string().contains("number: 1"));
    t.finish().await;
}

#[tokio::test]
async fn a_change_that_cannot_be_composed_is_tried_in_its_simple_form_and_given_up() {
    let mut t = Harness::start().await;
    let first = id_of(&t.sends_body(ticket("ticket.created", "open")).await);
    t.channel("tickets").next_message().await;
    t.settle().await;
    t.stop().await;
    // What the card is made of cannot be read any more.
    spoil(&t, &first, NO_TIME).await;
    t.boot().await;
    t.sends_body(ticket("ticket.updated", "closed")).await;
    t.sends_body(
        json!({"event_type": "ticket.created", "data": {"id": "t-8", "seq_id": 8, "title": "Other"}}),
    )
    .await;
    t.settle().await;
    assert_eq!(t.store().delivery_details_of(DeliveryFilter::Dead, 10).await.unwrap().len(), 1);
    assert_eq!(t.channel("tickets").next_message().await.title(), "🎫 #8 Other");
    t.log.expect(Level::ERROR, "no message could be composed for");
    t.finish().await;
}
