//! Rows of `deliveries` and `messages` that cannot be read: each goes out of line by itself, is told of once, and stands
//! in the lists, which show the others, too.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the row set apart in `Store::page` | each case of `a_delivery_that_cannot_be_read_…` |
//! | the row set apart in `Store::open_messages` | the first four cases of `a_message_that_cannot_be_read_…` |
//! | a message that goes on without what cannot be read | `one_of_several_in_a_message_in_doubt_…` |
//! | rows set apart in lists | `lists_show_the_others_and_say_which` |
//! | what is no id, left out of `dead_letters` | `a_dead_letter_with_no_id_keeps_no_other_from_going_out` |

use nuncio::model::DeliveryFilter;
use std::time::Duration;

use nuncio::sandbox::discord::Fault;
use serde_json::Value;
use tracing::Level;

use super::{id_of, read_all, spoil, thing, told, waiting};
use crate::harness::{Harness, within};

async fn listed(t: &Harness, args: &[&str]) -> Vec<Value> {
    let ran = t.runs(args).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[rstest::rstest]
#[case::no_id("UPDATE deliveries SET id = 'dlv_nonsense' WHERE event_id = $1")]
#[case::bytes_for_an_id("UPDATE deliveries SET id = x'ff00' WHERE event_id = $1")]
#[case::an_event_that_is_none("UPDATE deliveries SET event_id = 'evt_nonsense' WHERE event_id = $1")]
#[case::no_text("UPDATE deliveries SET slot = x'ff' WHERE event_id = $1")]
#[case::no_number("UPDATE deliveries SET generation = 'many' WHERE event_id = $1")]
#[case::no_rank("UPDATE deliveries SET rank = 'first' WHERE event_id = $1")]
#[case::broken_text("UPDATE deliveries SET route = CAST(x'ff41' AS TEXT) WHERE event_id = $1")]
#[tokio::test]
async fn a_delivery_that_cannot_be_read_goes_out_of_line_and_is_told_once(#[case] how: &'static str) {
    let (mut t, ids) = waiting("off", 6).await;
    spoil(&t, &ids[2], how).await;
    t.boot().await;
    t.settle().await;
    assert_eq!(told(&t), [0, 1, 3, 4, 5], "in order, each once");
    t.log.expect(Level::ERROR, "cannot be read: the database holds a value that nuncio did not write");
    // Looked at again and again, it is told once: `finish` sees to it.
    t.settle_in_steps(Duration::from_secs(5)).await;

    let ran = t.runs(&["deliveries", "--dead"]).await;
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("nuncio did not write"), "{}", ran.stdout);
    let all = listed(&t, &["deliveries", "--json"]).await;
    let (delivered, other): (Vec<_>, Vec<_>) = all.iter().partition(|row| row["status"] == "delivered");
    assert_eq!((delivered.len(), other.len()), (5, 1), "{all:#?}");
    let unread = read_all(&t);
    t.channel("general").next_messages(unread).await;
    t.finish().await;
}

#[rstest::rstest]
#[case::no_id("UPDATE messages SET id = 'msg_nonsense' WHERE state = 'sending' AND $1 <> ''")]
#[case::no_text("UPDATE messages SET nonce = x'ff' WHERE state = 'sending' AND $1 <> ''")]
#[case::an_action_that_there_is_not(
    "UPDATE messages SET action = 'dance' WHERE state = 'sending' AND $1 <> ''"
)]
#[case::a_form_that_there_is_not("UPDATE messages SET form = 'huge' WHERE state = 'sending' AND $1 <> ''")]
#[case::no_time("UPDATE messages SET created_at = 'now' WHERE state = 'sending' AND $1 <> ''")]
#[case::nothing_it_carries_can_be_read("UPDATE deliveries SET generation = 'many' WHERE event_id = $1")]
#[tokio::test]
async fn a_message_that_cannot_be_read_takes_what_it_carries_out_of_line(#[case] how: &'static str) {
    let mut t = Harness::plain().await;
    t.discord.faults().next_on("/messages", 1, Fault::HangAfter);
    let lost = id_of(&t.sends_body(thing(0)).await);
    within("the post", t.discord.wait_until(|discord| (!discord.requests().is_empty()).then_some(()))).await;
    t.channel("general").next_message().await;
    t.stop().await;
    spoil(&t, &lost, how).await;
    t.boot().await;
    t.sends_body(thing(1)).await;
    t.settle().await;
    assert_eq!(told(&t), [0, 1], "nothing twice");
    t.channel("general").next_message().await;
    let told = t.runs(&["deliveries", "--dead", "--json"]).await.stdout;
    let rows: Vec<Value> = serde_json::from_str(&told).unwrap();
    assert_eq!(rows.len(), 1, "{rows:#?}");
    t.log.expect(Level::ERROR, "cannot be read");
    if how.contains("UPDATE messages") {
        let reason = rows[0]["reason"].as_str().unwrap();
        assert!(reason.starts_with("its message cannot be read: "), "{reason}");
        assert!(reason.ends_with("it may be in the channel all the same"), "{reason}");
        // It can go out again.
        let ran = t.runs(&["redeliver", "--dead"]).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        t.channel("general").next_message().await;
    } else {
        // The delivery is told of, and then its message, which is empty.
        t.log.expect(Level::ERROR, "nothing that it carries can be read");
    }
    t.finish().await;
}

#[tokio::test]
async fn one_of_several_in_a_message_in_doubt_leaves_the_others_in_it() {
    let (mut t, ids) = waiting("cards", 10).await;
    t.discord.faults().next_on("/messages", 1, Fault::HangAfter);
    t.boot().await;
    t.channel("general").next_message().await;
    t.stop().await;
    spoil(&t, &ids[2], "UPDATE deliveries SET generation = 'many' WHERE event_id = $1").await;
    t.boot().await;
    t.settle().await;
    t.log.expect(Level::ERROR, "a delivery for channel");
    assert!(t.channel("general").unread().is_empty(), "nothing twice");
    let letters = t.store().delivery_details_of(DeliveryFilter::All, 10).await.unwrap();
    assert_eq!(letters.len(), 9, "{letters:#?}");
    assert!(letters.iter().all(|letter| letter.status == nuncio::model::Status::Delivered), "{letters:#?}");
    t.finish().await;
}

#[rstest::rstest]
#[case::of_the_event("UPDATE events SET company_id = x'ff' WHERE id = $1")]
#[case::of_the_delivery("UPDATE deliveries SET status = 'lost' WHERE event_id = $1")]
#[case::gone("DELETE FROM events WHERE id = $1")]
#[tokio::test]
async fn lists_show_the_others_and_say_which(#[case] how: &'static str) {
    let mut t = Harness::plain().await;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(id_of(&t.sends_body(thing(number)).await));
        t.channel("general").next_message().await;
    }
    t.settle().await;
    let whole = listed(&t, &["deliveries", "--json"]).await;
    t.stop().await;
    spoil(&t, &ids[1], how).await;
    let ran = t.runs(&["deliveries"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.stdout);
    assert!(lines[1].contains("  unreadable  ") && lines[1].contains("nuncio did not write"), "{}", lines[1]);
    assert!(ran.stderr.contains("PRAGMA integrity_check"), "{}", ran.stderr);
    let id = whole[1]["id"].as_str().unwrap();
    assert!(lines[1].starts_with(&id[id.len() - 8..]), "{}", lines[1]);

    let rows = listed(&t, &["deliveries", "--json"]).await;
    assert_eq!((&rows[0], &rows[2]), (&whole[0], &whole[2]));
    assert_eq!((&rows[1]["id"], &rows[1]["status"]), (&whole[1]["id"], &Value::from("unreadable")));
    let one = t.runs(&["deliveries", id]).await;
    assert_eq!(one.code, 0, "{}", one.stderr);
    assert!(one.stdout.starts_with(&format!("{id}  cannot be read: ")), "{}", one.stdout);

    let events = listed(&t, &["events", "--json"]).await;
    let unreadable = events.iter().filter(|row| row["status"] == "unreadable").count();
    assert_eq!(unreadable, usize::from(how.contains("company_id")), "{events:#?}");
    t.boot().await;
    t.finish().await;
}

#[tokio::test]
async fn a_dead_letter_with_no_id_keeps_no_other_from_going_out() {
    let (mut t, ids) = waiting("off", 6).await;
    for id in &ids[..3] {
        spoil(&t, id, "UPDATE deliveries SET status = 'dead' WHERE event_id = $1").await;
    }
    spoil(&t, &ids[1], "UPDATE deliveries SET id = x'ff' WHERE event_id = $1").await;
    t.boot().await;
    t.settle().await;
    assert_eq!(told(&t), [3, 4, 5]);
    let ran = t.runs(&["redeliver", "--dead"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "2 dead deliveries are due again.\n"), "{}", ran.stderr);
    t.settle_in_steps(Duration::from_secs(1)).await;
    assert_eq!(told(&t), [3, 4, 5, 0, 2]);
    let unread = read_all(&t);
    t.channel("general").next_messages(unread).await;
    t.finish().await;
}
