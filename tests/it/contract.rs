//! The sandbox and we ourselves, held to Discord's own description of its API.
//!
//! The description is Discord's and not part of this project. Where it is not on the machine, these tests say so and
//! pass.

pub mod description;
mod rules;
mod tour;

use nuncio::samples;
use nuncio::sandbox::discord::Exchange;
use serde_json::{Value, json};

use crate::harness::Harness;
use description::Description;

/// Fails with everything that is wrong, each thing once.
pub fn nothing(mut wrong: Vec<String>) {
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} things are not as Discord says:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn the_sandbox_answers_as_discord_says() {
    let Some(description) = Description::find() else { return };
    let exchanges = tour::taken().await;
    assert!(exchanges.len() > 80, "the tour went to {} places only", exchanges.len());
    let wrong = exchanges.iter().flat_map(|exchange| description.answer(exchange));
    nothing(wrong.collect());
}

// The control of what is checked here: an answer and a request that are no message's are found.
#[tokio::test]
async fn a_planted_mistake_is_found() {
    let Some(description) = Description::find() else { return };
    let exchanges = tour::taken().await;
    let is_post = |exchange: &&Exchange| {
        exchange.status == 200 && exchange.method == "POST" && exchange.path.ends_with("/messages")
    };
    let posted = exchanges.iter().find(is_post).unwrap();
    nothing([description.answer(posted), description.request(posted)].concat());
    let (answer, request) = (posted.answer.clone().unwrap(), posted.request.clone().unwrap());
    let mistakes: [(&str, Value); 4] = [
        ("id", json!(7)),
        ("timestamp", json!("yesterday")),
        ("embeds", json!({})),
        ("channel_id", Value::Null),
    ];
    for (name, value) in mistakes {
        let mut planted = answer.clone();
        planted[name] = value;
        let planted = Exchange { answer: Some(planted), ..posted.clone() };
        assert!(!description.answer(&planted).is_empty(), "{name}");
    }
    let mut planted = request;
    planted["embeds"] = json!([{"title": 7}]);
    let planted = Exchange { request: Some(planted), ..posted.clone() };
    assert!(!description.request(&planted).is_empty());
}

#[tokio::test]
async fn what_the_tour_asks_is_well_formed() {
    let Some(description) = Description::find() else { return };
    let exchanges = tour::taken().await;
    // What was refused was wrong on purpose.
    let done = exchanges.iter().filter(|exchange| exchange.status < 300);
    nothing(done.flat_map(|exchange| description.request(exchange)).collect());
}

#[tokio::test]
async fn our_commands_are_registered_as_discord_says() {
    let Some(description) = Description::find() else { return };
    let mut t = Harness::start().await;
    t.discord.keep_exchanges();
    t.unset("DISCORD_GATEWAY");
    t.restart().await;
    t.online().await;
    t.commands().await;
    let exchanges = t.discord.take_exchanges();
    let registered = exchanges.iter().filter(|exchange| exchange.path.ends_with("/commands"));
    let commands = registered.clone().find_map(|exchange| exchange.request.as_ref()?.as_array()).unwrap();
    assert!(commands.len() >= 9, "{commands:#?}");
    for command in commands {
        // D-10
        assert_eq!(command["default_member_permissions"], "32", "{command:#}");
    }
    let wrong = registered.flat_map(|exchange| description.request(exchange));
    nothing(wrong.collect());
    t.finish().await;
}

#[tokio::test]
async fn we_ask_as_discord_says() {
    let Some(description) = Description::find() else { return };
    let t = Harness::start().await;
    t.discord.keep_exchanges();
    for sample in samples::all() {
        t.sends_body(serde_json::from_str(sample.body).unwrap()).await;
    }
    t.settle().await;
    let exchanges = t.discord.take_exchanges();
    assert!(exchanges.len() >= samples::all().len());
    let wrong = exchanges.iter().flat_map(|exchange| {
        let mut wrong = description.request(exchange);
        wrong.extend(description.answer(exchange));
        wrong.extend(rules::broken(exchange));
        wrong
    });
    nothing(wrong.collect());
}
