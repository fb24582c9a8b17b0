//! A digest is claimed, marked and given back in units: a crash between any two of them loses and doubles nothing.
//!
//! The crash is exact: nuncio is down, and the units that came before it are written by hand.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | digests among the open messages of a lane | `…while_it_takes…` |
//! | `Message::settling`: always false | `…while_it_is_marked…` |
//! | the panic of what sums up goes on | `a_panic_while_it_is_summed_up_…` |
//! | a start withdraws a digest that nothing is left of | `…while_it_falls_apart…`, with 3 units: "📦 0 events" |

// K-3
use std::time::Duration;

use futures_util::future::join_all;
use nuncio::model::{Action, Attempt, DeliveryId, Destination, Form, Message as Planned, Outcome, Receipt};
use nuncio::sandbox::discord::{Fault, Permission};
use nuncio::store::{AttemptEntry, Claim, HintSender, NextStep, Recorded, Store};

use super::{digest_posted, events_in, one_channel, read_all, settle_in_time, ticket};
use crate::harness::{Harness, nuncio_id};

const EVENTS: usize = 1_200;
/// How many units take, mark or give back all of them, five hundred each.
const ALL: usize = 3;

/// nuncio is down, and this many tickets wait for `#general`.
async fn down_with_tickets() -> Harness {
    let mut t = one_channel().await;
    let token = t.variable("DISCORD_TOKEN").to_owned();
    t.unset("DISCORD_TOKEN");
    t.restart().await;
    let numbers: Vec<usize> = (0..EVENTS).collect();
    for some in numbers.chunks(50) {
        join_all(some.iter().map(|number| t.sends_body(ticket(*number)))).await;
    }
    t.stop().await;
    t.set("DISCORD_TOKEN", token);
    t
}

/// The database of a nuncio that is down, and the one place it sends to.
async fn database(t: &Harness) -> (Store, Destination) {
    let (hints, _nobody) = HintSender::channel();
    let store = Store::open(&t.folder().join("nuncio.db"), t.clock.clone(), hints).await.unwrap();
    let due = store.due_destinations(t.clock.steady()).await.unwrap();
    let destination = store.destination(due[0]).await.unwrap().unwrap();
    (store, destination)
}

/// A digest that took what `units` units take.
async fn taken(t: &Harness, store: &Store, destination: &Destination, units: usize) -> Planned {
    let digest = Planned::new(destination.id, Action::Create, Form::Digest, t.clock.moment());
    let before = DeliveryId::earliest(t.clock.steady().plus(Duration::from_secs(1)));
    for _ in 0..units {
        let claim = Claim::Ordinary { before, first_only: false };
        assert!(store.claim(&digest, destination.epoch, claim).await.unwrap().deliveries > 0);
    }
    digest
}

/// How many digests there are, now that every event was told of once.
async fn accounted_for(t: &Harness) -> usize {
    let messages = read_all(t).await;
    assert_eq!(messages.iter().map(events_in).sum::<usize>(), EVENTS);
    assert!(messages.iter().all(|message| events_in(message) > 0), "{messages:#?}");
    messages.iter().filter(|message| message.title().starts_with("📦")).count()
}

#[rstest::rstest]
#[tokio::test]
async fn a_crash_while_it_takes_its_events_loses_and_doubles_nothing(#[values(1, 2, ALL)] units: usize) {
    let mut t = down_with_tickets().await;
    let (store, destination) = database(&t).await;
    taken(&t, &store, &destination, units).await;
    store.close().await;
    t.boot().await;
    settle_in_time(&t).await;
    accounted_for(&t).await;
    t.finish().await;
}

#[rstest::rstest]
#[tokio::test]
async fn a_crash_while_it_is_marked_loses_and_doubles_nothing(#[values(1, 2, ALL)] units: usize) {
    let mut t = down_with_tickets().await;
    t.discord.faults().next_on("POST", 1, Fault::HangAfter);
    t.boot().await;
    digest_posted(&t).await;
    t.stop().await;
    let general = t.discord.channel_id("general").unwrap();
    let posted = t.discord.messages(general).pop().unwrap()["id"].as_str().unwrap().parse().unwrap();
    let (store, destination) = database(&t).await;
    let digest = store.open_messages(destination.id).await.unwrap().messages.pop().unwrap();
    let receipt = Receipt::Message { channel: nuncio_id(general), message: Some(posted) };
    let entry = AttemptEntry {
        attempt: Attempt {
            started_at: t.clock.now(),
            took: Duration::ZERO,
            status: Some(200),
            code: None,
            response: Vec::new(),
            shared_limit: false,
            cooldown: Duration::ZERO,
            outcome: Outcome::Sent(receipt),
        },
        next: NextStep::Delivered(receipt),
        not_before: t.clock.steady(),
        retry_from: None,
        denied: None,
        announced: None,
        follow_ups: Vec::new(),
    };
    // The unit that records it marks the first five hundred.
    assert_eq!(store.record(&digest, destination.epoch, entry).await.unwrap(), Recorded::Kept);
    for _ in 1..units {
        store.settle(digest.id, None).await.unwrap();
    }
    store.close().await;
    // Discord has forgotten the nonce and shows the channel to nobody: only what is written down helps.
    t.discord.deny(general, Permission::ReadMessageHistory);
    t.clock.advance(Duration::from_secs(400));
    let asked = t.discord.requests().len();
    t.boot().await;
    t.settle().await;
    let posts = t.discord.requests().split_off(asked).into_iter().filter(|asked| asked.method == "POST");
    assert_eq!(posts.count(), 0, "it stands there");
    assert_eq!(accounted_for(&t).await, 1);
    t.finish().await;
}

#[rstest::rstest]
#[tokio::test]
async fn a_crash_while_it_falls_apart_loses_and_doubles_nothing(#[values(1, ALL)] units: usize) {
    let mut t = down_with_tickets().await;
    let (store, destination) = database(&t).await;
    let digest = taken(&t, &store, &destination, ALL).await;
    for _ in 0..units {
        assert!(store.release(digest.id).await.unwrap() > 0);
    }
    store.close().await;
    t.boot().await;
    settle_in_time(&t).await;
    accounted_for(&t).await;
    t.finish().await;
}

#[tokio::test]
async fn a_panic_while_it_is_summed_up_reaches_whoever_asked() {
    let mut t = down_with_tickets().await;
    let (store, destination) = database(&t).await;
    let digest = taken(&t, &store, &destination, 1).await;
    let asking = store.clone();
    let summed =
        tokio::spawn(async move { asking.fold_events(digest.id, (), |(), _| panic!("by hand")).await });
    assert!(summed.await.unwrap_err().is_panic());
    store.close().await;
    t.boot().await;
    settle_in_time(&t).await;
    accounted_for(&t).await;
    t.finish().await;
}
