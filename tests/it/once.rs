//! Exactly once, where Discord allows it: the nonce while it is remembered, then a look into the channel, and a word
//! on the card where nobody can tell.
//!
//! | protection | what was taken away | what failed then |
//! | --- | --- | --- |
//! | the same nonce for every try | a fresh one for each | `an_answer_that_is_lost…` after 1 s, in every window |
//! | the look into the channel | sent at once | `an_answer_that_is_lost…` after 60 s and 400 s, past the window |
//! | the nonce is trusted for no longer than any window lasts | trusted for 60 s | `an_answer_that_is_lost…` after 31 s and 45 s in a window of 30 s; `one_that_is_tried_again_late…` |
//! | the channel's newest message tells, too | not asked for | `one_that_never_arrived…` |
//! | a 2xx without its proof may have arrived | taken for an error | `in_bad_weather…` |
//! | the word on the card | left out | `what_may_stand_twice…` |

use std::time::Duration;

use nuncio::sandbox::discord::{Fault, Permission};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::harness::{Harness, Message, within};

fn asset(number: usize) -> Value {
    json!({"event_type": "thing.happened", "data": {"number": number}})
}

fn posted(t: &Harness) -> usize {
    t.discord
        .requests()
        .iter()
        .filter(|asked| asked.method == "POST" && asked.path.ends_with("/messages"))
        .count()
}

async fn until_posted(t: &Harness, count: usize) {
    within("the post", t.discord.wait_until(|_| (posted(t) >= count).then_some(()))).await;
}

// K-3: Discord's memory of nonces × how long nuncio was away.
#[rstest::rstest]
#[tokio::test]
async fn an_answer_that_is_lost_with_the_process_leaves_one_message(
    #[values(30, 120, 300)] window: u64,
    #[values(1, 20, 31, 45, 60, 400)] away: u64,
) {
    let mut t = Harness::plain().await;
    t.discord.set_nonce_window(Duration::from_secs(window));
    t.sends_body(asset(0)).await;
    t.settle().await;
    t.discord.faults().next_on("/messages", 1, Fault::HangAfter);
    t.sends_body(asset(1)).await;
    until_posted(&t, 2).await;
    t.stop().await;
    t.clock.advance(Duration::from_secs(away));
    t.boot().await;
    t.sends_body(asset(2)).await;
    t.settle().await;
    let messages = t.channel("general").next_messages(3).await;
    for (number, message) in messages.iter().enumerate() {
        let description = message.0["embeds"][0]["description"].as_str().unwrap();
        assert_eq!(description, format!("number: {number}"));
        assert!(!message.0.to_string().contains("may be a duplicate"), "it is known to stand once");
    }
    t.finish().await;
}

// K-3: nuncio runs on, and is kept from trying again for longer than Discord remembers.
#[tokio::test]
async fn one_that_is_tried_again_late_is_looked_for_first() {
    let t = Harness::plain().await;
    t.introduced().await;
    t.discord.set_nonce_window(Duration::from_secs(30));
    t.discord.faults().next_on("/messages", 1, Fault::CutAfter);
    t.discord.faults().next_on("/messages", 1, Fault::rate_limited(Duration::from_secs(40), "user"));
    t.sends_body(asset(1)).await;
    // Each try ends with a word, and the next one follows when the clock is moved.
    let tried = async |count| t.log.seen_times(tracing::Level::WARN, "tried again", count).await;
    tried(1).await;
    t.clock.advance(Duration::from_secs(1));
    tried(2).await;
    t.clock.advance(Duration::from_secs(45));
    t.settle().await;
    t.channel("general").next_message().await;
    assert_eq!(posted(&t), 2, "the second met a limit, the third was not needed");
    t.finish().await;
}

// Without Read Message History Discord shows an empty channel.
#[tokio::test]
async fn what_may_stand_twice_says_so() {
    let mut t = Harness::plain().await;
    let general = t.discord.channel_id("general").unwrap();
    t.discord.set_nonce_window(Duration::from_secs(30));
    t.discord.deny(general, Permission::ReadMessageHistory);
    t.discord.faults().next_on("/messages", 1, Fault::HangAfter);
    t.sends_body(asset(1)).await;
    until_posted(&t, 1).await;
    t.stop().await;
    t.clock.advance(Duration::from_secs(400));
    // It may have arrived, and stands there indeed. The second one is honest about that, and stays so over a crash.
    t.discord.faults().next_on("/messages?", 1, Fault::status(500));
    t.discord.faults().next_on("POST", 1, Fault::CutBefore);
    t.boot().await;
    t.settle_in_steps(Duration::from_secs(1)).await;
    let messages = t.channel("general").next_messages(2).await;
    let footers: Vec<&str> =
        messages.iter().map(|message| message.0["embeds"][0]["footer"]["text"].as_str().unwrap()).collect();
    assert!(!footers[0].contains("may be a duplicate"), "{footers:?}");
    assert!(footers[1].ends_with(" · may be a duplicate"), "{footers:?}");
    t.finish().await;
}

#[tokio::test]
async fn one_that_never_arrived_is_sent_without_a_word_though_nobody_may_read() {
    let mut t = Harness::plain().await;
    let general = t.discord.channel_id("general").unwrap();
    t.discord.deny(general, Permission::ReadMessageHistory);
    t.discord.faults().next_on("/messages", 1, Fault::CutBefore);
    t.sends_body(asset(1)).await;
    until_posted(&t, 1).await;
    t.stop().await;
    t.clock.advance(Duration::from_secs(400));
    t.boot().await;
    t.settle().await;
    let message = t.channel("general").next_message().await;
    assert!(!message.0.to_string().contains("may be a duplicate"), "the channel's newest message is older");
    t.finish().await;
}

/// What goes wrong with a request, in all the ways that cost no real time.
fn bad_weather(random: &mut SmallRng) -> Fault {
    match random.random_range(0..9) {
        0 => Fault::rate_limited(Duration::from_secs(2), "user"),
        1 => Fault::rate_limited(Duration::from_secs(2), "shared"),
        2 => Fault::status(500),
        3 => Fault::status(502),
        4 => Fault::CutBefore,
        5 => Fault::CutAfter,
        6 => Fault::Slow(Duration::from_secs(1)),
        7 => Fault::Truncated,
        _ => Fault::WrongBody,
    }
}

// N-1, in small: three requests in ten go wrong; everything arrives, once and in order.
#[rstest::rstest]
#[tokio::test]
async fn in_bad_weather_everything_arrives_once_and_in_order(#[values(1, 2, 3)] seed: u64) {
    const EVENTS: usize = 200;
    let t = Harness::plain().await;
    let mut random = SmallRng::seed_from_u64(seed);
    // A lie without words is the truth.
    let mut weather =
        || if random.random_bool(0.3) { bad_weather(&mut random) } else { Fault::WrongHeaders(Vec::new()) };
    let days: Vec<Fault> = (0..10 * EVENTS).map(|_| weather()).collect();
    for fault in &days {
        t.discord.faults().next_on("/messages", 1, fault.clone());
    }
    for number in 0..EVENTS {
        t.sends_body(asset(number)).await;
    }
    t.settle_in_steps(Duration::from_millis(50)).await;
    let met = &days[..days.len() - t.discord.faults().pending()];
    let bad = met.iter().filter(|fault| !matches!(fault, Fault::WrongHeaders(_))).count();
    let deduplicated = t.discord.counts().deduplicated;
    println!(
        "seed {seed}: {EVENTS} events, {} requests, {bad} faults, {deduplicated} deduplicated",
        met.len()
    );
    assert!(met.len() >= EVENTS && bad > EVENTS / 5, "the weather was bad");
    t.discord.faults().clear();
    let messages = t.channel("general").next_messages(EVENTS).await;
    let said = |message: &Message| message.0["embeds"][0]["description"].as_str().unwrap().to_owned();
    let order: Vec<String> = messages.iter().map(said).collect();
    let expected: Vec<String> = (0..EVENTS).map(|number| format!("number: {number}")).collect();
    assert_eq!(order, expected);
    t.finish().await;
}
