//! Discord is never provoked: what its headers say, its pauses, its refusals.
//!
//! | protection | what was taken away | what failed then |
//! | --- | --- | --- |
//! | the lane waits for its bucket | `ready_in` | `at_full_speed…` |
//! | a place at the gate is free a second after the answer | freed after the request | `no_more_than_fifty…` (unit) |
//! | one request a pause finds out | `probing` in the gate | `a_ban_is_met…` |
//! | a pause outlives the process | `recall` | `a_ban_outlives…` |
//! | refusals outlive the process | `recall` | `refusals_outlive…` |

use std::time::Duration;

use nuncio::discord::REFUSALS;
use nuncio::model::{Action, Arrived, Attempt, Form, Message, Outcome};
use nuncio::sandbox::discord::{Fault, Setup};
use nuncio::store::{AttemptEntry, NextStep, Recorded};
use serde_json::{Value, json};

use crate::harness::{Harness, one_by_one, within};

pub fn ticket(number: usize) -> Value {
    json!({"event_type": "ticket.created", "data": {"id": number, "seq_id": number, "title": "Printer"}})
}

pub fn asset(number: usize) -> Value {
    json!({"event_type": "asset.created", "data": {"id": number, "name": format!("server-{number}")}})
}

/// How many requests were made whose method and path contain all of `parts`.
pub fn asked(t: &Harness, parts: &[&str]) -> usize {
    let holds = |asked: &nuncio::sandbox::discord::LoggedRequest| {
        let line = format!("{} {}", asked.method, asked.path);
        parts.iter().all(|part| line.contains(part))
    };
    t.discord.requests().iter().filter(|asked| holds(asked)).count()
}

pub fn posted(t: &Harness) -> usize {
    asked(t, &["POST", "/messages"])
}

pub async fn until_posted(t: &Harness, count: usize) {
    within(&format!("{count} posts"), t.discord.wait_until(|_| (posted(t) >= count).then_some(()))).await;
}

/// Waits until what came of every request is written down.
pub async fn recorded(t: &Harness) {
    within("the rest to be recorded", async {
        while t.store().backlog().await.unwrap().sending > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Waits until `/health` names a problem with `words` in it, or none any more.
pub async fn health_says(t: &Harness, words: &str, holds: bool) {
    within(&format!("health to say {words:?}"), async {
        while t.health().await["problems"].to_string().contains(words) != holds {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

// N-2: through the real client. What the waits come to, for every status, is in src/discord/lies.rs.
#[tokio::test]
async fn a_message_that_arrived_is_sent_once_whatever_its_answer_claims() {
    let t = Harness::plain().await;
    let names = [
        "retry-after",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ratelimit-reset-after",
        "x-ratelimit-bucket",
    ];
    let values = [
        "-1",
        "inf",
        "nan",
        "1e300",
        "soon",
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "",
        "604800",
        "1",
        "99999999999",
        "0",
    ];
    let mut sent = 0;
    for name in names {
        for value in values {
            let lie = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let lies = match sent % 2 {
                0 => vec![lie(name, value)],
                // Doubled, and where it matters.
                _ => vec![lie("x-ratelimit-remaining", "0"), lie(name, value), lie(name, "2")],
            };
            t.discord.faults().next_on("/messages", 1, Fault::WrongHeaders(lies));
            t.sends_body(ticket(sent)).await;
            sent += 1;
            t.settle_in_steps(Duration::from_secs(60)).await;
            assert_eq!(posted(&t), sent, "{name}: {value:?}");
        }
    }
    assert!(sent >= 60);
    let messages = t.channel("tickets").next_messages(sent).await;
    for (number, message) in messages.iter().enumerate() {
        assert_eq!(message.title(), format!("🎫 #{number} Printer"));
    }
    t.finish().await;
}

// N-2
#[rstest::rstest]
#[case::an_empty_success(204, "")]
#[case::a_success_that_lies(200, r#"{"code":10003,"retry_after":9}"#)]
#[case::too_much(429, r#"{"retry_after":-1}"#)]
#[case::too_much_for_a_week(429, r#"{"retry_after":604800}"#)]
#[case::broken(500, r#"{"message":"No","code":0,"retry_after":1e300}"#)]
#[case::under_pressure(503, "")]
#[case::not_found(404, "<html>")]
#[case::refused(400, r#"{"message":"No","code":50035}"#)]
#[tokio::test]
async fn no_status_with_lies_is_met_with_more_than_one_more_request(#[case] status: u16, #[case] body: &str) {
    for lie in ["-1", "inf", "nan", "1e300", "soon", "604800"] {
        let t = Harness::plain().await;
        let headers =
            ["Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset-After", "X-RateLimit-Reset"];
        let headers = headers.into_iter().map(|name| (name.to_owned(), lie.to_owned())).collect();
        t.discord.faults().next_on("/messages", 1, Fault::Status { status, headers, body: body.to_owned() });
        t.sends_body(ticket(1)).await;
        until_posted(&t, 1).await;
        t.settle_in_steps(Duration::from_secs(60)).await;
        assert_eq!(posted(&t), 2, "{lie}");
        t.channel("tickets").next_message().await;
        t.finish().await;
    }
}

/// Ten channels, each with its own kind.
async fn ten_channels() -> Harness {
    let setup = Setup {
        channels: (0..10)
            .map(|number| (format!("room-{number}"), String::new()))
            .chain(
                ["tickets", "machines", "assets", "alerts", "general"]
                    .map(|name| (name.to_owned(), String::new())),
            )
            .collect(),
        ..Setup::default()
    };
    let mut t = Harness::in_guild(setup, one_by_one).await;
    let map: serde_json::Map<String, Value> = (0..10)
        .map(|number| {
            let channel = t.discord.channel_id(&format!("room-{number}")).unwrap();
            (format!("kind{number}.happened"), json!([channel]))
        })
        .collect();
    t.set("DISCORD_WEBHOOK_CHANNELS", Value::Object(map).to_string());
    t.restart().await;
    t
}

#[tokio::test]
async fn at_full_speed_with_honest_headers_hardly_a_request_is_one_too_many() {
    const SENDS: usize = 2_000;
    let t = ten_channels().await;
    for number in 0..SENDS {
        let kind = format!("kind{}.happened", number % 10);
        t.sends_body(json!({"event_type": kind, "data": {"number": number}})).await;
    }
    let began = t.clock.elapsed();
    // Time passes only while no request is on its way: else the clock runs away from the lanes.
    loop {
        let backlog = t.store().backlog().await.unwrap();
        match (backlog.pending, backlog.sending) {
            (0, 0) => break,
            (_, 0) => t.clock.advance(Duration::from_millis(50)),
            _ => tokio::task::yield_now().await,
        }
        // Four in five seconds for each channel, since the fifth place is kept for decisions: 250 s at the best.
        assert!(t.clock.elapsed() - began < Duration::from_secs(600), "{backlog:?}");
    }
    let took = t.clock.elapsed() - began;
    let counts = t.discord.counts();
    println!("{SENDS} sends to 10 channels: {} 429s, {took:?} of the clock", counts.rate_limited);
    // At most 5 in 10,000.
    assert!(counts.rate_limited <= 1, "{counts:?}");
    for number in 0..10 {
        let messages = t.channel(&format!("room-{number}")).next_messages(SENDS / 10).await;
        let order: Vec<String> =
            messages.iter().map(|message| message.0["embeds"][0]["description"].to_string()).collect();
        let expected: Vec<String> =
            (0..SENDS / 10).map(|nth| format!("\"number: {}\"", nth * 10 + number)).collect();
        assert_eq!(order, expected);
    }
    t.finish().await;
}

// N-3
#[tokio::test]
async fn a_ban_outlives_the_process_and_the_gateway_is_not_asked_either() {
    let mut t = Harness::plain().await;
    t.discord.ban_for(Duration::from_secs(600));
    t.sends_body(ticket(1)).await;
    health_says(&t, "refuses all requests from this address", true).await;
    within("the pause to be kept", async {
        while t.store().meta("discord.paused_until").await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let during = t.discord.requests().len();
    t.unset("DISCORD_GATEWAY");
    for number in 0..5 {
        t.restart().await;
        t.sends_body(asset(number)).await;
        // The pause of five seconds, over all of them.
        t.clock.advance(Duration::from_millis(900));
    }
    assert_eq!(t.discord.requests().len(), during, "nothing was asked");
    t.settle_in_steps(Duration::from_secs(10)).await;
    t.channel("tickets").next_message().await;
    t.channel("assets").next_messages(5).await;
    within("the bot to be online", async {
        while !matches!(t.hub().gateway(), nuncio::hub::GatewayState::Connected { .. }) {
            t.clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    })
    .await;
    t.finish().await;
}

#[tokio::test]
async fn refusals_outlive_the_process() {
    let mut t = Harness::with(|variables| {
        variables.remove("DISCORD_TOKEN");
        one_by_one(variables);
    })
    .await;
    t.sends_body(ticket(1)).await;
    // As an earlier process would have left it: a thousand refusals in ten minutes.
    let store = t.store();
    let [id] = store.due_destinations(t.clock.steady()).await.unwrap()[..] else { panic!("one destination") };
    let epoch = store.destination(id).await.unwrap().unwrap().epoch;
    let mut message = Message {
        deliveries: store.page(id, t.clock.steady(), 1).await.unwrap().deliveries,
        ..Message::new(id, Action::Create, Form::Single, t.clock.moment())
    };
    assert!(store.begin(&message, epoch).await.unwrap());
    for _ in 0..REFUSALS {
        let attempt = Attempt {
            started_at: t.clock.now(),
            took: Duration::ZERO,
            status: Some(429),
            code: None,
            response: Vec::new(),
            shared_limit: false,
            cooldown: Duration::ZERO,
            outcome: Outcome::Retry { after: None, arrived: Arrived::No },
        };
        let not_before = t.clock.steady();
        let (denied, announced, follow_ups) = (None, None, Vec::new());
        let retry_from = None;
        let entry = AttemptEntry {
            attempt,
            next: NextStep::InDoubt,
            not_before,
            retry_from,
            denied,
            announced,
            follow_ups,
        };
        assert_eq!(store.record(&message, epoch, entry).await.unwrap(), Recorded::Kept);
        message.attempts += 1;
    }
    let token = t.discord.bot_token().expose().to_owned();
    t.set("DISCORD_TOKEN", token);
    t.restart().await;
    health_says(&t, "Discord refused 1000 requests in ten minutes", true).await;
    t.clock.advance(Duration::from_secs(60));
    t.sends_body(ticket(2)).await;
    assert_eq!(t.discord.requests().len(), 0, "nuncio sends Discord nothing");
    t.settle_in_steps(Duration::from_secs(10)).await;
    t.channel("tickets").next_messages(2).await;
    t.finish().await;
}
