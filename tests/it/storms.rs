//! Storms stay readable: cards share messages, digests sum up, urgent ones overtake, and everything is accounted for.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | `COALESCE=off` in place of the default | `a_storm_is_readable_and_all_of_it_is_accounted_for` |
//! | `Next::Apart`: a refused pack goes the way of a single card | `one_poison_card_does_not_sink_the_others` |

mod crash;
mod standing;
mod urgent;

use std::time::Duration;

use nuncio::sandbox::discord::Fault;
use serde_json::{Value, json};

use crate::harness::{Harness, Message, within};

fn ticket(number: usize) -> Value {
    json!({"event_type": "ticket.created", "company_id": "acme", "data":
        {"id": format!("t-{number}"), "seq_id": number, "title": "Printer", "company_name": "Acme"}})
}

/// Everything goes to `#general`.
async fn one_channel() -> Harness {
    let mut t = Harness::start().await;
    let everything = json!({"default": [t.discord.channel_id("general").unwrap()]});
    t.set("DISCORD_WEBHOOK_CHANNELS", everything.to_string());
    t.restart().await;
    t
}

/// Moves the clock on until nothing is left to deliver.
async fn settle_in_time(t: &Harness) {
    t.settle_in_steps(Duration::from_millis(100)).await;
}

/// While `storm` comes in, the channel's limit is used up: so all of it waits together.
async fn hold_back(t: &Harness, storm: impl IntoIterator<Item = Value>) {
    t.discord.faults().next_on("POST", 1, Fault::rate_limited(Duration::from_secs(300), "user"));
    for event in storm {
        t.sends_body(event).await;
    }
}

/// Moves the clock on until a digest stands in `#general`.
async fn digest_posted(t: &Harness) {
    posted(t, "📦").await;
}

/// Moves the clock on until a message stands in `#general` that begins with `sign`.
async fn posted(t: &Harness, sign: &str) {
    let is_digest = |message: &Value| message["content"].as_str().is_some_and(|said| said.starts_with(sign));
    let posted = t.discord.wait_until(|discord| {
        let messages = discord.messages(discord.channel_id("general")?);
        messages.iter().any(is_digest).then_some(())
    });
    tokio::pin!(posted);
    within("the digest", async {
        loop {
            tokio::select! {
                biased;
                () = &mut posted => break,
                () = tokio::task::yield_now() => t.clock.advance(Duration::from_millis(100)),
            }
        }
    })
    .await;
}

/// Everything that stands in `#general`, read.
async fn read_all(t: &Harness) -> Vec<Message> {
    let channel = t.channel("general");
    channel.next_messages(channel.unread().len()).await
}

/// How many events a message stands for: its cards, or what a digest says.
fn events_in(message: &Message) -> usize {
    let title = message.title();
    match title
        .strip_prefix("📦 ")
        .or_else(|| title.strip_prefix("🚨 ").filter(|rest| rest.contains(" urgent alert")))
    {
        Some(title) => title.split(' ').next().unwrap().parse().unwrap(),
        None => message.0["embeds"].as_array().unwrap().len(),
    }
}

/// The numbers of the tickets that have a card in these messages, in order.
fn numbers(messages: &[Message]) -> Vec<usize> {
    let embeds = messages.iter().flat_map(|message| message.0["embeds"].as_array().unwrap());
    let title = |embed: &Value| embed["title"].as_str().unwrap().to_owned();
    embeds
        .map(title)
        .filter_map(|title| title.strip_prefix("🎫 #")?.split(' ').next()?.parse().ok())
        .collect()
}

#[tokio::test]
async fn an_idle_lane_sends_one_card_a_message() {
    let t = one_channel().await;
    for number in 0..3 {
        t.sends_body(ticket(number)).await;
        t.settle().await;
    }
    let messages = read_all(&t).await;
    assert_eq!(numbers(&messages), [0, 1, 2]);
    assert_eq!(messages.len(), 3);
    t.finish().await;
}

#[tokio::test]
async fn behind_up_to_ten_cards_share_a_message_in_order() {
    let t = one_channel().await;
    hold_back(&t, (0..60).map(ticket)).await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert_eq!(numbers(&messages), (0..60).collect::<Vec<_>>());
    assert!((6..=12).contains(&messages.len()), "{} messages", messages.len());
    for message in &messages {
        assert!(events_in(message) <= 10);
        assert_eq!(
            message.content().lines().count(),
            events_in(message),
            "a line for each: {}",
            message.content()
        );
    }
    t.finish().await;
}

#[tokio::test]
async fn a_storm_is_readable_and_all_of_it_is_accounted_for() {
    let t = one_channel().await;
    hold_back(&t, (0..500).map(ticket)).await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert_eq!(messages.iter().map(events_in).sum::<usize>(), 500);
    // At five messages in five seconds.
    assert!(messages.len() <= 5, "{} messages", messages.len());
    let digest = messages.iter().find(|message| message.title().starts_with("📦")).unwrap();
    let embed = &digest.0["embeds"][0];
    let description = embed["description"].as_str().unwrap();
    assert!(description.contains("ticket.created"), "{description}");
    assert!(description.contains("Acme"), "{description}");
    assert!(description.contains("Nothing was lost"), "{description}");
    assert_eq!(embed["fields"][0]["name"], "Look first");
    assert_eq!(embed["fields"][0]["value"].as_str().unwrap().lines().count(), 10);
    let id = &description[description.find("--digest ").unwrap() + 9..][..8];
    let listed = t.runs(&["events", "--json", "--digest", id]).await;
    let listed: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed.len(), events_in(digest), "the command lists exactly these");
    assert!(embed["footer"]["text"].as_str().unwrap().ends_with(id));
    let wrong = t.runs(&["events", "--digest", "00000000"]).await;
    assert_eq!((wrong.code, wrong.stdout.as_str()), (1, ""), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("there is no digest 00000000"), "{}", wrong.stderr);
    let receipts = t.store().backlog().await.unwrap();
    assert_eq!((receipts.pending, receipts.sending, receipts.dead), (0, 0, 0));
    t.finish().await;
}

#[tokio::test]
async fn with_off_every_event_has_a_message_of_its_own() {
    let mut t = one_channel().await;
    t.set("COALESCE", "off");
    t.restart().await;
    hold_back(&t, (0..30).map(ticket)).await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert_eq!((messages.len(), numbers(&messages)), (30, (0..30).collect()));
    t.finish().await;
}

#[tokio::test]
async fn with_cards_there_is_no_digest() {
    let mut t = one_channel().await;
    t.set("COALESCE", "cards");
    t.restart().await;
    hold_back(&t, (0..150).map(ticket)).await;
    settle_in_time(&t).await;
    assert_eq!(numbers(&read_all(&t).await), (0..150).collect::<Vec<_>>());
    t.finish().await;
}

#[tokio::test]
async fn a_decision_and_an_urgent_alert_overtake_and_travel_alone() {
    let t = one_channel().await;
    let machine =
        json!({"event_type": "machine.registered", "data": {"id": "m-1", "hostname": "DESKTOP-001"}});
    let alert = |severity: &str| json!({"event_type": "alert.triggered", "data": {"severity": severity, "title": severity}});
    let storm = (0..130).map(ticket).chain([alert("warning"), alert("critical"), machine]);
    hold_back(&t, storm).await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    let titles: Vec<&str> = messages.iter().take(3).map(Message::title).collect();
    assert!(titles[0].contains("DESKTOP-001 wants to join"), "{titles:?}");
    assert!(titles[1].contains("CRITICAL"), "{titles:?}");
    assert!(titles[2].contains("📦"), "{titles:?}");
    assert!(messages.iter().all(|message| message.0["embeds"].as_array().unwrap().len() == 1));
    assert_eq!(messages.iter().map(events_in).sum::<usize>(), 133);
    t.finish().await;
}

#[tokio::test]
async fn one_poison_card_does_not_sink_the_others() {
    // L-2
    let t = one_channel().await;
    hold_back(&t, (0..20).map(ticket)).await;
    t.discord.faults().next_on("POST", 1, Fault::refusal(400, 50035, "Invalid Form Body"));
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    let mut found = numbers(&messages);
    found.sort_unstable();
    assert_eq!(found, (0..20).collect::<Vec<_>>(), "each as a card, none as plain text, none dead");
    assert_eq!(t.store().backlog().await.unwrap().dead, 0);
    t.finish().await;
}

#[tokio::test]
async fn a_digest_that_is_refused_falls_apart() {
    let mut t = one_channel().await;
    t.set("COALESCE_DEPTH", "20");
    t.restart().await;
    hold_back(&t, (0..40).map(ticket)).await;
    t.discord.faults().next_on("POST", 1, Fault::refusal(400, 50035, "Invalid Form Body"));
    settle_in_time(&t).await;
    let mut found = numbers(&read_all(&t).await);
    found.sort_unstable();
    assert_eq!(found, (0..40).collect::<Vec<_>>());
    t.finish().await;
}

#[tokio::test]
async fn a_digest_that_must_wait_stays_one_message() {
    // N-1
    let t = one_channel().await;
    hold_back(&t, (0..150).map(ticket)).await;
    t.discord.faults().next_on("POST", 3, Fault::rate_limited(Duration::from_secs(3), "user"));
    t.discord.faults().next_on("POST", 1, Fault::CutAfter);
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert_eq!(messages.iter().map(events_in).sum::<usize>(), 150);
    assert_eq!(messages.iter().filter(|message| message.title().starts_with("📦")).count(), 1);
    t.finish().await;
}

// K-3
#[tokio::test]
async fn a_restart_in_the_middle_of_a_digest_loses_and_doubles_nothing() {
    let mut t = one_channel().await;
    hold_back(&t, (0..350).map(ticket)).await;
    // Discord takes the digest, and the answer never comes.
    t.discord.faults().next_on("POST", 1, Fault::HangAfter);
    digest_posted(&t).await;
    t.restart().await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert_eq!(messages.iter().map(events_in).sum::<usize>(), 350);
    assert_eq!(messages.iter().filter(|message| message.title().starts_with("📦")).count(), 1);
    t.finish().await;
}

#[tokio::test]
async fn what_comes_late_says_how_late_and_why_and_pings_nobody() {
    let mut t = one_channel().await;
    let role = t.discord.role_id("Operators").unwrap();
    t.set("PING", json!({"ticket.*": [role]}).to_string());
    t.restart().await;
    t.discord.faults().break_for(Duration::from_secs(42 * 60));
    t.sends_body(ticket(1)).await;
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    let footer = messages[0].0["embeds"][0]["footer"]["text"].as_str().unwrap();
    assert!(footer.contains(" min late: Discord answered 503 · "), "{footer}");
    assert!(!messages[0].content().contains("<@&"), "{}", messages[0].content());
    t.finish().await;
}

#[tokio::test]
async fn what_is_older_than_a_day_becomes_one_digest() {
    let mut t = one_channel().await;
    let token = t.variable("DISCORD_TOKEN").to_owned();
    t.unset("DISCORD_TOKEN");
    t.restart().await;
    for number in 0..5 {
        t.sends_body(ticket(number)).await;
    }
    t.clock.advance(Duration::from_secs(25 * 3600));
    t.set("DISCORD_TOKEN", token);
    t.restart().await;
    t.settle().await;
    let messages = read_all(&t).await;
    assert_eq!((messages.len(), events_in(&messages[0])), (1, 5));
    t.finish().await;
}

#[tokio::test]
async fn ten_thousand_events_in_one_channel_are_through_in_a_minute() {
    let t = one_channel().await;
    let body = |number| serde_json::to_vec(&ticket(number)).unwrap();
    let timestamp = t.clock.now().as_secs().to_string();
    for chunk in (0..10_000).collect::<Vec<usize>>().chunks(250) {
        let accepts = chunk.iter().map(|number| {
            let event =
                nuncio::ingress::source::xtsystems::parse(&body(*number).into(), &timestamp, t.clock.now())
                    .unwrap();
            t.hub().accept(event)
        });
        for accepted in futures_util::future::join_all(accepts).await {
            accepted.unwrap();
        }
    }
    // By the real clock: five messages in five seconds, and the last of them is the digest.
    let settled = tokio::time::timeout(Duration::from_secs(300), t.hub().settled());
    settled.await.expect("everything is delivered").unwrap();
    let messages = read_all(&t).await;
    assert_eq!(messages.iter().map(events_in).sum::<usize>(), 10_000);
    let seconds = messages.len().div_ceil(5) * 5;
    assert!(seconds < 60, "{} messages take {seconds} s at five in five seconds", messages.len());
    t.finish().await;
}
