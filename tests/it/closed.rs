//! Channels that deny us or are gone: left alone, told of, and written to again as soon as they can be.
//!
//! | protection | what was taken away | what failed then |
//! | --- | --- | --- |
//! | a denied channel waits across a restart | `not_before` reset in `take_over` | `where_we_are_denied…` |
//! | the gateway opens closed channels | `reopen` in `set_channels` | `a_channel_that_is_back…` |
//! | a notice never causes a notice | `is_notice` | `people_are_told_once…` (unit) |

use std::time::Duration;

use nuncio::sandbox::discord::{Fault, Permission};
use tracing::Level;

use crate::harness::{Harness, within};
use crate::limits::{asked, asset, health_says, recorded, ticket, until_posted};

/// Waits until the gateway has told that the bot may not do something.
async fn gateway_tells(t: &Harness, missing: &str) {
    within("the gateway to tell", async {
        while !t.hub().channel_problems().iter().any(|problem| problem.sentence().contains(missing)) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

// N-5: 50013
#[tokio::test]
async fn where_we_are_denied_is_not_asked_more_often_because_of_restarts() {
    let mut t = Harness::plain().await;
    let tickets = t.discord.channel_id("tickets").unwrap();
    t.discord.deny(tickets, Permission::SendMessages);
    t.sends_body(ticket(1)).await;
    t.channel("general").next_message().await;
    t.log.expect(Level::ERROR, "does not let the bot write");
    let path = format!("/{tickets}/messages");
    for number in 0..5 {
        t.restart().await;
        t.sends_body(asset(number)).await;
        t.channel("assets").next_message().await;
    }
    assert_eq!(asked(&t, &["POST", &path]), 1);
    health_says(&t, "does not let the bot write", true).await;
    // All night long, every 15 minutes; it is never given up, and told once.
    for quarter in 1..=40 {
        t.clock.advance(Duration::from_secs(15 * 60));
        let again = t.discord.wait_until(|_| (asked(&t, &["POST", &path]) > quarter).then_some(()));
        within("the next try", again).await;
        recorded(&t).await;
    }
    t.discord.allow(tickets, Permission::SendMessages);
    t.settle_in_steps(Duration::from_secs(60)).await;
    t.channel("tickets").next_message().await;
    assert!(t.channel("general").next_message().await.title().ends_with("takes messages again"));
    t.finish().await;
}

// N-5: the permissions are back, and the gateway tells.
#[tokio::test]
async fn as_soon_as_the_permissions_are_back_what_waited_is_sent() {
    let t = Harness::with_bot().await;
    t.table_line("#tickets  ok").await;
    let tickets = t.discord.channel_id("tickets").unwrap();
    t.discord.deny(tickets, Permission::SendMessages);
    gateway_tells(&t, "Send Messages").await;
    t.sends_body(ticket(1)).await;
    t.channel("general").next_message().await;
    t.log.expect(Level::ERROR, "does not let the bot write");
    t.discord.allow(tickets, Permission::SendMessages);
    t.channel("tickets").next_message().await;
    t.channel("general").next_message().await;
    t.finish().await;
}

// Control: without `missing_at` the card and /health say "Discord answered 403 50013: Missing Permissions".
#[tokio::test]
async fn a_denied_channels_card_says_what_is_missing_and_who_denies_it() {
    let t = Harness::with_bot().await;
    t.table_line("#tickets  ok").await;
    let tickets = t.discord.channel_id("tickets").unwrap();
    t.discord.deny(tickets, Permission::EmbedLinks);
    gateway_tells(&t, "Embed Links").await;
    t.sends_body(ticket(1)).await;
    let card = t.channel("general").next_message().await;
    assert!(card.title().ends_with("does not let the bot write"), "{}", card.title());
    let reason = "missing Embed Links (denied to the bot itself)";
    assert_eq!(card.description(), reason);
    recorded(&t).await;
    let health = t.health().await["problems"].to_string();
    assert!(health.contains(&format!("bot's permissions change: {reason}")), "{health}");
    t.log.expect(Level::ERROR, &format!("does not let the bot write: {reason}. Its deliveries wait"));
    t.discord.allow(tickets, Permission::EmbedLinks);
    t.channel("tickets").next_message().await;
    t.channel("general").next_message().await;
    t.finish().await;
}

// N-5: 10003. The bot was thrown out, and is invited again.
#[tokio::test]
async fn a_channel_that_is_back_is_written_to_again() {
    let t = Harness::with_bot().await;
    t.places_noted().await;
    t.discord.faults().next_on("/messages", 1, Fault::refusal(404, 10003, "Unknown Channel"));
    t.sends_body(ticket(1)).await;
    t.channel("general").next_message().await;
    t.log.expect(Level::ERROR, "is closed: Discord does not know this channel (10003)");
    t.clock.advance(Duration::from_secs(3600));
    assert_eq!(asked(&t, &["GET", "/channels/"]), 0, "while the gateway is connected it would tell");
    let tickets = t.discord.channel_id("tickets").unwrap();
    t.discord.deny(tickets, Permission::ReadMessageHistory);
    gateway_tells(&t, "Read Message History").await;
    t.discord.allow(tickets, Permission::ReadMessageHistory);
    t.channel("tickets").next_message().await;
    assert!(t.channel("general").next_message().await.title().ends_with("takes messages again"));
    t.finish().await;
}

// N-5: 10003, without a gateway: one question every 15 minutes.
#[tokio::test]
async fn without_the_gateway_a_closed_channel_is_asked_for_every_quarter_of_an_hour() {
    let t = Harness::plain().await;
    t.discord.faults().next_on("/messages", 1, Fault::refusal(404, 10003, "Unknown Channel"));
    t.discord.faults().next_on("GET /api/v10/channels/", 2, Fault::refusal(404, 10003, "Unknown Channel"));
    t.sends_body(ticket(1)).await;
    t.channel("general").next_message().await;
    t.log.expect(Level::ERROR, "is closed");
    let looks = || asked(&t, &["GET", "/channels/"]);
    for quarter in 1..=3 {
        t.clock.advance(Duration::from_secs(14 * 60));
        tokio::task::yield_now().await;
        assert_eq!(looks(), quarter - 1);
        within("the look", async {
            while looks() < quarter {
                t.clock.advance(Duration::from_secs(1));
                tokio::task::yield_now().await;
            }
        })
        .await;
        within("it to be noted", async {
            let soon = |found: &nuncio::model::Destination| found.not_before > t.clock.steady();
            while !t.store().troubled_destinations().await.unwrap().iter().all(soon) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    t.channel("tickets").next_message().await;
    t.channel("general").next_message().await;
    t.finish().await;
}

// N-5: a thread that was archived is opened, one that is locked closes its lane.
#[tokio::test]
async fn an_archived_thread_is_opened_and_a_locked_one_is_told_of() {
    let t = Harness::plain().await;
    t.discord.faults().next_on("/messages", 1, Fault::refusal(400, 50083, "Thread is archived"));
    let body = serde_json::json!({"id": t.discord.channel_id("tickets")}).to_string();
    let opened = Fault::Status { status: 200, headers: Vec::new(), body };
    t.discord.faults().next_on("PATCH", 1, opened);
    t.sends_body(ticket(1)).await;
    until_posted(&t, 1).await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    t.channel("tickets").next_message().await;
    assert_eq!(asked(&t, &["PATCH", "/channels/"]), 1);
    t.discord.faults().next_on("/messages", 1, Fault::refusal(403, 160_005, "Thread is locked"));
    t.sends_body(ticket(2)).await;
    let told = t.channel("general").next_message().await;
    assert!(told.0["embeds"][0]["description"].as_str().unwrap().contains("locked"), "{told:?}");
    t.log.expect(Level::ERROR, "is closed: this thread is locked (160005)");
    recorded(&t).await;
    t.finish_with_backlog(1).await;
}

// N-8: what is no word of Discord's opens no thread. Control: with any JSON taken for the thread it is tried again and
// again, for it never opens.
#[rstest::rstest]
#[case("{}")]
#[case("<html>")]
#[case(r#"{"id":"1","type":11}"#)]
#[tokio::test]
async fn a_thread_is_opened_only_by_an_answer_about_it(#[case] body: &str) {
    let t = Harness::plain().await;
    t.discord.faults().next_on("/messages", 1, Fault::refusal(400, 50083, "Thread is archived"));
    let opened = Fault::Status { status: 200, headers: Vec::new(), body: body.to_owned() };
    t.discord.faults().next_on("PATCH", 1, opened);
    t.sends_body(ticket(1)).await;
    let told = t.channel("general").next_message().await;
    assert!(told.0["embeds"][0]["description"].as_str().unwrap().contains("archived"), "{told:?}");
    t.log.expect(Level::ERROR, "is closed: this thread is archived (50083)");
    recorded(&t).await;
    t.finish_with_backlog(1).await;
}

#[tokio::test]
async fn a_notice_never_causes_a_notice_and_names_what_to_do() {
    let t = Harness::plain().await;
    for channel in ["tickets", "general"] {
        t.discord.delete_channel(t.discord.channel_id(channel).unwrap());
    }
    t.sends_body(ticket(1)).await;
    let closed = async {
        while t.store().troubled_destinations().await.unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    within("both to be closed", closed).await;
    t.clock.advance(Duration::from_secs(60));
    t.sends("asset_created.json").await;
    t.channel("assets").next_message().await;
    // What is left: the event, and one notice about it.
    recorded(&t).await;
    t.log.expect(Level::ERROR, "is closed");
    t.log.expect(Level::ERROR, "is closed");
    t.finish_with_backlog(2).await;
}
