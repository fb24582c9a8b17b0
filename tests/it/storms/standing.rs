//! Cards that stood before a digest, and whose newer events it took, are brought up to date after it.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | a digest has standing cards drawn anew | `a_standing_card_shows_what_a_digest_took` |
//! | at most fifty of them, behind everything else | `of_very_many_messages_fifty_…` |

use serde_json::{Value, json};

use super::{digest_posted, events_in, hold_back, one_channel, read_all, settle_in_time, ticket};
use crate::harness::Harness;

#[tokio::test]
async fn a_standing_card_shows_what_a_digest_took() {
    let t = one_channel().await;
    let about = |kind: &str, mut data: Value| {
        data["id"] = json!("t-standing");
        data["seq_id"] = json!(7);
        data["title"] = json!("Router");
        json!({"event_type": kind, "data": data})
    };
    let shown = |t: &Harness| t.channel("general").shown()[0]["embeds"][0].clone();
    t.sends_body(about("ticket.created", json!({"priority": "high"}))).await;
    let card = t.channel("general").next_message().await;
    assert_eq!(card.title(), "🎫 #7 Router");
    let change = |priority: &str| about("ticket.updated", json!({"priority": priority}));
    let closed = about("ticket.closed", json!({"resolution": "new cable"}));
    let storm = (0..150).map(ticket).chain([change("low"), closed, change("medium")]);
    hold_back(&t, storm).await;
    settle_in_time(&t).await;
    assert_eq!(shown(&t)["title"], "🔒 #7 Router");
    let messages = read_all(&t).await;
    assert_eq!(messages.iter().map(events_in).sum::<usize>(), 153, "nothing is told twice");
    // The next one goes on from there.
    t.sends_body(change("critical")).await;
    let line = t.channel("general").next_message().await;
    assert_eq!(line.content(), "📝 #7: medium → critical");
    assert_eq!(line.0["message_reference"]["message_id"], card.0["id"]);
    assert_eq!(shown(&t)["title"], "🔒 #7 Router");
    t.finish().await;
}

/// The titles of all cards that stand in `#general` now.
fn titles(t: &Harness) -> Vec<String> {
    let shown = t.channel("general").shown();
    let embeds = shown.iter().flat_map(|message| message["embeds"].as_array().unwrap());
    embeds.map(|embed| embed["title"].as_str().unwrap().to_owned()).collect()
}

fn closed(number: usize) -> Value {
    json!({"event_type": "ticket.closed", "company_id": "acme", "data":
        {"id": format!("t-{number}"), "seq_id": number, "title": "Printer"}})
}

/// The numbers of the requests that changed a message, and of the first that posted `text`.
fn changes_and_post(t: &Harness, text: &str) -> (Vec<usize>, usize) {
    let asked = t.discord.requests();
    let changes = asked.iter().enumerate().filter(|(_, asked)| asked.method == "PATCH");
    let posts = |asked: &nuncio::sandbox::discord::LoggedRequest| {
        asked.method == "POST" && asked.body.as_ref().is_some_and(|body| body.to_string().contains(text))
    };
    (changes.map(|(at, _)| at).collect(), asked.iter().position(|asked| posts(asked)).unwrap())
}

#[tokio::test]
async fn packed_cards_that_a_digest_took_from_are_changed_together() {
    let t = one_channel().await;
    hold_back(&t, (0..90).map(ticket)).await;
    settle_in_time(&t).await;
    let packs = read_all(&t).await;
    hold_back(&t, (100..130).map(ticket).chain((0..90).map(closed))).await;
    settle_in_time(&t).await;
    assert_eq!(read_all(&t).await.iter().map(events_in).sum::<usize>(), 120);
    assert_eq!(titles(&t).iter().filter(|title| title.starts_with("🔒")).count(), 90);
    assert_eq!(changes_and_post(&t, "📦").0.len(), packs.len());
    t.finish().await;
}

#[tokio::test]
async fn of_very_many_messages_fifty_are_brought_up_to_date_and_what_is_new_goes_first() {
    let t = one_channel().await;
    for number in 0..60 {
        t.sends_body(ticket(number)).await;
        settle_in_time(&t).await;
    }
    assert_eq!(read_all(&t).await.len(), 60);
    hold_back(&t, (100..160).map(ticket).chain((0..60).map(closed))).await;
    digest_posted(&t).await;
    t.sends_body(ticket(1000)).await;
    settle_in_time(&t).await;
    assert_eq!(read_all(&t).await.iter().map(events_in).sum::<usize>(), 121);
    assert_eq!(titles(&t).iter().filter(|title| title.starts_with("🔒")).count(), 50);
    let (changes, new) = changes_and_post(&t, "#1000");
    assert_eq!(changes.len(), 50);
    assert!(changes.iter().filter(|at| **at > new).count() > 40, "{new} after {changes:?}");
    t.finish().await;
}
