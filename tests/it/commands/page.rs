//! Lists, page by page.

use serde_json::json;

use super::{Stage, content};
use crate::harness::Message;

const WAITING: usize = 12;

fn pending() -> serde_json::Value {
    json!([{"name": "pending", "type": 1, "options": []}])
}

async fn asked() -> Stage {
    let s = Stage::start().await;
    for number in 1..=WAITING {
        let data = json!({"id": format!("m-{number:02}"), "hostname": format!("PC-{number:02}")});
        s.t.sends_body(json!({"event_type": "machine.registered", "data": data})).await;
        s.t.channel("machines").next_message().await;
    }
    s
}

fn is_page(number: usize, first: &'static str, lines: usize) -> impl FnMut(&Message) -> bool {
    move |message| {
        let footer = message.0["embeds"][0]["footer"]["text"].as_str().unwrap_or_default();
        footer.starts_with(&format!("Page {number} ·"))
            && message.description().contains(first)
            && message.description().lines().count() == lines
    }
}

#[tokio::test]
async fn a_list_is_turned_also_after_a_restart() {
    let mut s = asked().await;
    s.types("machine", pending()).await;
    let shown = s.sees("the first page", is_page(1, "PC-01", 10)).await;
    assert_eq!(shown.buttons(), ["Previous", "Next"]);
    assert_eq!(shown.0["components"][0]["components"][0]["disabled"], true);
    let answer = s.chooses(&shown, 2, &shown.custom_id("Next"), &[]).await;
    assert_eq!(answer["type"], 6, "{answer:#}");
    s.sees("the second page", is_page(2, "PC-11", 2)).await;

    s.t.restart().await;
    s.t.online().await;
    let shown = s.sees("the second page", is_page(2, "PC-11", 2)).await;
    assert_eq!(shown.0["components"][0]["components"][1]["disabled"], true);
    s.chooses(&shown, 2, &shown.custom_id("Previous"), &[]).await;
    s.sees("the first page again", is_page(1, "PC-01", 10)).await;
    s.finish().await;
}

// Control: without the look at who asked, Bob turns it.
#[tokio::test]
async fn only_who_asked_turns_it_and_what_is_gone_is_told() {
    let s = Stage::start().await;
    let (alice, bob) = (s.t.discord.user_id("alice").unwrap(), s.t.discord.user_id("bob").unwrap());
    let old = s.t.posts_with_button("general", &format!("v1:page:pending:1:{alice}")).await;
    let answer = s.t.person("bob").clicks("general", &old, "Old").await;
    assert_eq!((&answer["type"], &answer["data"]["flags"]), (&json!(4), &json!(64)), "{answer:#}");
    assert!(content(&answer["data"]).starts_with("This list belongs to whoever asked"), "{answer:#}");

    // All that was on it was decided meanwhile.
    let own = s.t.posts_with_button("general", &format!("v1:page:failed:3:{bob}")).await;
    assert_eq!(s.t.person("bob").clicks("general", &own, "Old").await["type"], 6);
    s.t.channel("general")
        .becomes(own.id(), "no list", |now| {
            now.content() == "Nothing was given up." && now.buttons().is_empty()
        })
        .await;
    s.finish().await;
}
