//! Answers that lie: a success without its proof, an error that is not Discord's, a stale answer on a connection.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the proof of a create: any 2xx is delivered | `a_success_without_its_proof…` where it had no effect, `…_of_others…`, `where_nothing_can_be_known…` |
//! | its nonce: any id is a proof | the cases of another id and of a stale answer |
//! | the id of a changed message | `a_change_counts…` |
//! | `distrust` | `a_stale_answer…` |
//! | the look whose error it is: all are Discord's | `an_error_that_is_not_discords…`, `a_401_of_a_proxy…` |
//! | the value of `x-ratelimit-global` | `a_limit_that_is_not_global…` |

mod connection;
mod recovery;
mod token;

use std::time::Duration;

use nuncio::sandbox::discord::{Dialect, Fault, Permission};
use rstest::rstest;
use serde_json::json;

use crate::harness::{Harness, Message};
use crate::limits::{asset, health_says, posted, ticket, until_posted};

fn answered(status: u16, body: &str) -> Fault {
    Fault::Status { status, headers: Vec::new(), body: body.to_owned() }
}

fn is_labelled(message: &Message) -> bool {
    message.0.to_string().contains("may be a duplicate")
}

/// Three tickets stand in the channel, once and in order, and none of them says that it may be a duplicate.
async fn three_stand(t: &Harness) {
    let messages = t.channel("tickets").next_messages(3).await;
    for (number, message) in messages.iter().enumerate() {
        assert_eq!(message.title(), format!("🎫 #{number} Printer"));
        assert!(!is_labelled(message), "{message:#?}");
    }
}

// N-8: what had no effect is sent again, what had is not; by the nonce, and past its window by a look.
#[rstest]
#[case::html(answered(200, "<html>all is well</html>"))]
#[case::an_empty_object(answered(200, "{}"))]
#[case::empty(answered(200, ""))]
#[case::null(answered(200, "null"))]
#[case::no_content(answered(204, ""))]
#[case::another_id(answered(200, r#"{"id":"1","channel_id":"2"}"#))]
#[case::stale(Fault::Stale)]
#[case::html_after_the_effect(Fault::WrongBody)]
#[case::half_of_it_after_the_effect(Fault::Truncated)]
#[tokio::test]
async fn a_success_without_its_proof_loses_and_doubles_nothing(
    #[case] fault: Fault,
    #[values(1, 4, 12)] times: usize,
) {
    let t = Harness::plain().await;
    t.introduced().await;
    t.discord.faults().next_on("POST", times, fault);
    for number in 0..3 {
        t.sends_body(ticket(number)).await;
    }
    t.settle_in_steps(Duration::from_secs(1)).await;
    three_stand(&t).await;
    t.finish().await;
}

// N-8: servers that others wrote need not say the nonce back, and heed none.
#[rstest]
#[case::html(answered(200, "<html>all is well</html>"))]
#[case::an_empty_object(answered(200, "{}"))]
#[case::no_content(answered(204, ""))]
#[case::stale(Fault::Stale)]
#[case::html_after_the_effect(Fault::WrongBody)]
#[tokio::test]
async fn a_success_without_its_proof_of_others_is_looked_for(#[case] fault: Fault) {
    let mut t = Harness::plain().await;
    t.stop().await;
    t.discord.behave(Dialect::Others);
    t.boot().await;
    t.sends_body(ticket(0)).await;
    t.settle().await;
    assert_eq!(posted(&t), 1, "an honest answer without a nonce is believed at once");
    t.discord.faults().next_on("POST", 2, fault);
    for number in 1..3 {
        t.sends_body(ticket(number)).await;
    }
    t.settle_in_steps(Duration::from_secs(1)).await;
    three_stand(&t).await;
    t.finish().await;
}

// N-8: where nobody may look either, a message may be a duplicate, and says so.
#[tokio::test]
async fn where_nothing_can_be_known_the_card_says_so() {
    let mut t = Harness::plain().await;
    t.stop().await;
    t.discord.behave(Dialect::Others);
    t.discord.deny(t.discord.channel_id("tickets").unwrap(), Permission::ReadMessageHistory);
    t.discord.faults().next_on("POST", 1, Fault::WrongBody);
    t.boot().await;
    t.sends_body(ticket(0)).await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    let messages = t.channel("tickets").next_messages(2).await;
    assert!(!is_labelled(&messages[0]) && is_labelled(&messages[1]), "{messages:#?}");
    t.finish().await;
}

// N-8
#[rstest]
#[case::html(answered(200, "<html>all is well</html>"))]
#[case::an_empty_object(answered(200, "{}"))]
#[case::no_content(answered(204, ""))]
#[case::stale(Fault::Stale)]
#[tokio::test]
async fn a_change_counts_with_the_id_of_its_message(#[case] fault: Fault) {
    let t = Harness::start().await;
    t.introduced().await;
    let data = json!({"id": 1, "seq_id": 1, "title": "Printer", "status": "open"});
    t.sends_body(json!({"event_type": "ticket.created", "data": data})).await;
    let card = t.channel("tickets").next_message().await;
    t.sends_body(asset(1)).await;
    t.channel("assets").next_message().await;
    t.discord.faults().next_on("PATCH", 3, fault);
    let data = json!({"id": 1, "seq_id": 1, "title": "Scanner", "status": "open"});
    t.sends_body(json!({"event_type": "ticket.updated", "data": data})).await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    t.channel("tickets").becomes(card.id(), "the new title", |now| now.title().contains("Scanner")).await;
    t.finish().await;
}

// N-9: nothing is dead, closed or paused for good; it arrives when the stranger has gone.
#[rstest]
#[tokio::test]
async fn an_error_that_is_not_discords_is_retried_and_nothing_more(
    #[values(302, 307, 400, 401, 402, 404, 405, 407, 409, 410, 413, 418, 421, 431, 451)] status: u16,
    #[values("<html>Log in</html>", r#"{"error":"blocked"}"#, r#"{"code":10003}"#)] body: &str,
) {
    let t = Harness::plain().await;
    t.introduced().await;
    t.discord.faults().next_on("/messages", 3, answered(status, body));
    t.sends_body(ticket(0)).await;
    health_says(&t, &format!("what answers in Discord's place ({status}) is not Discord"), true).await;
    // What else there is goes its way.
    t.sends_body(asset(1)).await;
    t.channel("assets").next_message().await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    assert!(!is_labelled(&t.channel("tickets").next_message().await), "it cannot have arrived");
    assert_eq!(posted(&t), 5);
    assert_eq!(t.health().await["status"], "ok");
    t.finish().await;
}

// N-9, N-4: only Discord's own 401 is about the token.
#[tokio::test]
async fn a_401_of_a_proxy_stops_nothing_for_good() {
    let t = Harness::plain().await;
    t.introduced().await;
    t.discord.faults().next_on("/messages", 1, Fault::page(401));
    t.sends_body(ticket(0)).await;
    until_posted(&t, 1).await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    t.channel("tickets").next_message().await;
    let problems = t.health().await["problems"].to_string();
    assert!(!problems.contains("DISCORD_TOKEN"), "{problems}");
    t.finish().await;
}

// N-9: a limit of one channel holds that channel only.
#[rstest]
#[case("false")]
#[case("")]
#[case("0")]
#[tokio::test]
async fn a_limit_that_is_not_global_holds_one_channel(#[case] header: &str) {
    let t = Harness::plain().await;
    t.introduced().await;
    let headers = [("X-RateLimit-Global", header), ("Retry-After", "300"), ("Via", "1.1 google")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let body = json!({"message": "You are being rate limited.", "retry_after": 300.0, "global": false});
    let limited = Fault::Status { status: 429, headers, body: body.to_string() };
    t.discord.faults().next_on("/messages", 1, limited);
    t.sends_body(ticket(0)).await;
    until_posted(&t, 1).await;
    t.sends_body(asset(1)).await;
    t.channel("assets").next_message().await;
    t.clock.advance(Duration::from_secs(300));
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// N-8: who is registered with a page of HTML is not registered.
#[rstest]
#[case::html(answered(200, "<html>Log in</html>"))]
#[case::an_object(answered(200, "{}"))]
#[case::nothing(answered(204, ""))]
#[tokio::test]
async fn commands_are_registered_only_by_discord(#[case] fault: Fault) {
    let mut t = Harness::start().await;
    t.stop().await;
    t.discord.faults().next_on("PUT", 1, fault);
    t.unset("DISCORD_GATEWAY");
    t.boot().await;
    t.online().await;
    t.log.seen(tracing::Level::WARN, "the commands could not be registered").await;
    t.clock.advance(Duration::from_secs(5));
    t.log.seen(tracing::Level::INFO, "commands registered").await;
    t.finish().await;
}
