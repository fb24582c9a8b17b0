//! A lane that breaks after its request has left: what it sent is in doubt, and it knows that. (The panic is the log's:
//! a lane says what came of a message before it is recorded.)
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `own_up` before a lane that broke starts again | all |
//! | five breaks are enough | `a_message_that_breaks_every_lane_…`, `a_digest_that_…` |

use nuncio::model::DeliveryFilter;
use std::time::Duration;

use nuncio::sandbox::discord::RateLimits;
use tracing::Level;

use crate::harness::{Harness, Message};
use crate::limits::ticket;
use crate::poison::{thing, told};
use crate::webhooks::{footer, routed};

const DELIVERED: &str = "delivered to";

async fn settle(t: &Harness) {
    t.settle_in_steps(Duration::from_secs(1)).await;
}

#[rstest::rstest]
#[case::through_the_bot(false, 1)]
#[case::through_a_webhook(true, 2)]
#[tokio::test]
async fn what_a_broken_lane_had_sent_is_in_doubt(#[case] webhook: bool, #[case] stands: usize) {
    let mut t = Harness::plain().await;
    let channel = if webhook {
        routed(&mut t).await;
        "general"
    } else {
        "tickets"
    };
    t.log.breaks_at(DELIVERED, 1);
    t.sends_body(ticket(1)).await;
    t.log.seen(Level::ERROR, "sending to a destination failed").await;
    settle(&t).await;
    t.log.expect(Level::ERROR, "sending to a destination failed");
    let messages = t.channel(channel).next_messages(stands).await;
    let says = |message: &Message| footer(message).ends_with(" · may be a duplicate");
    assert_eq!(says(messages.last().unwrap()), webhook, "{messages:#?}");
    let letter = &t.store().delivery_details_of(DeliveryFilter::All, 1).await.unwrap()[0];
    let tries = t.store().tries(letter.id).await.unwrap();
    let tries: Vec<_> =
        tries.iter().map(|tried| (&*tried.class, tried.response.contains("panicked"))).collect();
    assert_eq!(tries, [("ambiguous", true), ("sent", false)]);
    // What comes after it is not.
    t.sends_body(ticket(2)).await;
    assert!(!says(&t.channel(channel).next_message().await));
    t.finish().await;
}

#[tokio::test]
async fn a_message_that_breaks_every_lane_is_given_up_and_the_others_arrive() {
    let mut t = Harness::plain().await;
    routed(&mut t).await;
    t.log.breaks_at(DELIVERED, 5);
    t.sends_body(ticket(1)).await;
    t.sends_body(ticket(2)).await;
    settle(&t).await;
    for _ in 0..5 {
        t.log.expect(Level::ERROR, "sending to a destination failed");
    }
    t.log.expect(Level::ERROR, "a message makes nuncio panic every time");
    let dead = t.store().delivery_details_of(DeliveryFilter::Dead, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    let reason = dead[0].reason.as_deref().unwrap();
    assert!(reason.ends_with("it may be in the channel all the same"), "{reason}");
    let messages = t.channel("general").next_messages(6).await;
    assert!(messages[..5].iter().all(|message| message.title().contains("#1 ")), "{messages:#?}");
    assert!(messages[5].title().contains("#2 "), "{messages:#?}");
    t.finish().await;
}

#[tokio::test]
async fn a_digest_that_breaks_every_lane_is_taken_apart() {
    let mut t = Harness::start().await;
    t.discord.set_rate_limits(RateLimits::unlimited());
    let token = t.variable("DISCORD_TOKEN").to_owned();
    t.unset("DISCORD_TOKEN");
    t.restart().await;
    for number in 0..150 {
        t.sends_body(thing(number)).await;
    }
    t.stop().await;
    t.set("DISCORD_TOKEN", token);
    t.log.breaks_at(DELIVERED, 5);
    t.boot().await;
    settle(&t).await;
    for _ in 0..5 {
        t.log.expect(Level::ERROR, "sending to a destination failed");
    }
    t.log.expect(Level::WARN, "its events are sent in smaller messages");
    assert_eq!(t.store().backlog().await.unwrap().dead, 0);
    assert_eq!(told(&t), (0..150).collect::<Vec<_>>(), "in order, each once");
    let unread = t.channel("general").unread().len();
    let messages = t.channel("general").next_messages(unread).await;
    let digests: Vec<_> = messages.iter().filter(|message| message.title().starts_with("📦")).collect();
    assert_eq!(digests.len(), 1, "{digests:#?}");
    t.finish().await;
}
