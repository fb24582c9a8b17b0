//! From an accepted event to exactly one message, whatever Discord does in between.

use std::time::Duration;

use nuncio::sandbox::discord::{Fault, Permission, RateLimits};
use serde_json::{Value, json};
use tracing::Level;

use crate::harness::{Harness, within};

fn ticket(number: usize) -> Value {
    json!({"event_type": "ticket.created", "data": {"id": number, "seq_id": number, "title": "Printer"}})
}

/// The bodies of all requests that tried to post a message.
fn posts(t: &Harness) -> Vec<Value> {
    let requests = t.discord.requests();
    let posts = requests.iter().filter(|asked| asked.method == "POST" && asked.path.ends_with("/messages"));
    posts.filter_map(|asked| asked.body.clone()).collect()
}

/// Waits until Discord was asked `count` times to post a message.
async fn posted(t: &Harness, count: usize) {
    within(&format!("{count} requests"), t.discord.wait_until(|_| (posts(t).len() >= count).then_some(())))
        .await;
}

/// Moves the clock on, again and again, until there is nothing left to deliver: retries wait for their time.
async fn settle_in_time(t: &Harness) {
    t.settle_in_steps(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn every_message_carries_a_nonce_of_its_own_and_mentions_nobody() {
    let t = Harness::plain().await;
    for number in 1..=3 {
        t.sends_body(ticket(number)).await;
    }
    t.channel("tickets").next_messages(3).await;
    let posts = posts(&t);
    let mut nonces: Vec<&str> = posts.iter().map(|body| body["nonce"].as_str().unwrap()).collect();
    nonces.sort_unstable();
    nonces.dedup();
    assert_eq!(nonces.len(), 3);
    for body in &posts {
        assert_eq!(body["enforce_nonce"], true);
        assert_eq!(body["nonce"].as_str().unwrap().len(), 24);
        assert_eq!(body["allowed_mentions"], json!({"parse": [], "roles": []}));
    }
    t.finish().await;
}

#[tokio::test]
async fn a_burst_keeps_its_order_and_respects_the_limits() {
    let t = Harness::plain().await;
    for number in 0..40 {
        t.sends_body(ticket(number)).await;
    }
    settle_in_time(&t).await;
    let titles = t.channel("tickets").next_messages(40).await;
    for (number, message) in titles.iter().enumerate() {
        assert_eq!(message.title(), format!("🎫 #{number} Printer"));
    }
    assert_eq!(t.discord.counts().rate_limited, 0, "the headers said when to wait");
    t.finish().await;
}

#[tokio::test]
async fn more_than_a_lane_keeps_in_memory_arrives_in_order_too() {
    let t = Harness::plain().await;
    t.discord.set_rate_limits(RateLimits::unlimited());
    t.discord.faults().next_on("/messages", 1, Fault::Delay(Duration::from_secs(1)));
    let sends = (0..300).map(|number| t.sends_body(ticket(number)));
    // Ids, and with them the order, are given when an event is committed; here all come at once.
    futures_util::future::join_all(sends).await;
    t.clock.advance(Duration::from_secs(1));
    t.settle().await;
    let messages = t.channel("tickets").next_messages(300).await;
    let footers: Vec<&str> =
        messages.iter().map(|message| message.0["embeds"][0]["title"].as_str().unwrap()).collect();
    let mut unique = footers.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), 300, "each once");
    t.finish().await;
}

#[rstest::rstest]
#[case::refused_connection(Fault::CutBefore)]
#[case::lost_answer(Fault::CutAfter)]
#[case::server_error(Fault::status(500))]
#[case::bad_gateway(Fault::status(502))]
#[case::rate_limited(Fault::rate_limited(Duration::from_secs(3), "user"))]
#[case::shared_limit(Fault::rate_limited(Duration::from_secs(30), "shared"))]
#[case::global_limit(Fault::rate_limited(Duration::from_secs(3), "global"))]
#[case::html_where_a_message_should_be(Fault::WrongBody)]
#[case::half_an_answer(Fault::Truncated)]
#[tokio::test]
async fn one_fault_is_survived_without_loss_and_without_a_second_message(#[case] fault: Fault) {
    // N-1, N-5
    let t = Harness::plain().await;
    t.discord.faults().next_on("/messages", 1, fault);
    for number in 1..=3 {
        t.sends_body(ticket(number)).await;
    }
    settle_in_time(&t).await;
    let messages = t.channel("tickets").next_messages(3).await;
    let titles: Vec<&str> = messages.iter().map(|message| message.title()).collect();
    assert_eq!(titles, ["🎫 #1 Printer", "🎫 #2 Printer", "🎫 #3 Printer"]);
    assert_eq!(t.discord.faults().pending(), 0);
    t.finish().await;
}

#[tokio::test]
async fn an_answer_that_never_comes_is_asked_for_again_with_the_same_nonce() {
    let t = Harness::plain().await;
    t.introduced().await;
    t.discord.faults().next_on("/messages", 1, Fault::CutAfter);
    t.sends_body(ticket(1)).await;
    t.settle().await;
    let posts = posts(&t);
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0]["nonce"], posts[1]["nonce"]);
    assert_eq!(t.discord.counts().deduplicated, 1);
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// K-3, past the window
#[tokio::test]
async fn once_the_nonce_may_be_forgotten_the_channel_is_read_before_sending_again() {
    let mut t = Harness::plain().await;
    t.discord.set_nonce_window(Duration::from_secs(30));
    t.discord.faults().next_on("/messages", 1, Fault::HangAfter);
    t.sends_body(ticket(1)).await;
    posted(&t, 1).await;
    t.stop().await;
    t.clock.advance(Duration::from_secs(400));
    t.boot().await;
    t.settle().await;
    assert_eq!(posts(&t).len(), 1, "it was found in the channel");
    t.channel("tickets").next_message().await;

    // The control: without the look into the channel a second message would stand there. One that never arrived is
    // sent again.
    t.discord.faults().next_on("POST", 1, Fault::Delay(Duration::from_secs(3600)));
    t.sends_body(ticket(2)).await;
    t.stop().await;
    t.discord.faults().clear();
    t.clock.advance(Duration::from_secs(400));
    t.boot().await;
    t.settle().await;
    assert_eq!(t.channel("tickets").next_message().await.title(), "🎫 #2 Printer");
    t.finish().await;
}

#[tokio::test]
async fn a_card_that_discord_refuses_goes_as_plain_text_and_then_to_the_dead() {
    // N-5: 50035
    let t = Harness::plain().await;
    t.discord.faults().next_on("/messages", 1, Fault::refusal(400, 50035, "Invalid Form Body"));
    t.sends_body(ticket(1)).await;
    let message = t.channel("tickets").next_message().await;
    assert_eq!(message.0["embeds"], json!([]));
    assert!(message.content().contains("Printer"), "{}", message.content());
    t.settle().await;

    t.discord.faults().next_on("/messages", 2, Fault::refusal(400, 50035, "Invalid Form Body"));
    t.sends_body(ticket(2)).await;
    t.sends_body(ticket(3)).await;
    assert_eq!(t.channel("tickets").next_message().await.title(), "🎫 #3 Printer", "others are not held up");
    t.settle().await;
    assert_eq!(t.store().backlog().await.unwrap().dead, 1);
    t.log.expect(Level::ERROR, "refused a message for good: Discord answered 400 50035: Invalid Form Body");
    t.finish().await;
}

#[tokio::test]
async fn a_deleted_channel_is_asked_once_and_what_was_for_it_waits() {
    // N-5: 10003
    let mut t = Harness::plain().await;
    let tickets = t.discord.channel_id("tickets").unwrap();
    t.discord.delete_channel(tickets);
    for number in 1..=3 {
        t.sends_body(ticket(number)).await;
    }
    t.sends("asset_created.json").await;
    t.channel("assets").next_message().await;
    let told = t.channel("general").next_message().await;
    assert!(told.title().ends_with("is closed"), "{}", told.title());
    let problem = t.health().await["problems"][0].as_str().unwrap().to_owned();
    assert!(problem.contains("Discord does not know this channel (10003)"), "{problem}");
    t.sends_body(ticket(4)).await;
    assert_eq!(posts(&t).len(), 3, "one to the channel that is gone, one to each of the others");
    t.log.expect(Level::ERROR, "is closed: Discord does not know this channel (10003)");

    // A start is a person's wish to try again: one more request, no more. People know already.
    t.restart().await;
    posted(&t, 4).await;
    within("the lane to close", async {
        while t.health().await["status"] == "ok" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    t.log.expect(Level::ERROR, "is closed: Discord does not know this channel (10003)");
    t.finish_with_backlog(4).await;
}

#[tokio::test]
async fn a_refused_token_is_not_used_again_and_nothing_is_lost() {
    // N-4
    let mut t = Harness::plain().await;
    t.introduced().await;
    t.discord.revoke_token();
    t.sends_body(ticket(1)).await;
    t.sends("asset_created.json").await;
    t.sends("alert_triggered.json").await;
    posted(&t, 1).await;
    within("health to say so", async {
        while t.health().await["discord"] == "connected" {
            tokio::task::yield_now().await;
        }
    })
    .await;
    t.clock.advance(Duration::from_secs(7200));
    t.sends_body(ticket(2)).await;
    let refused = t.discord.requests().iter().filter(|asked| asked.status == Some(401)).count();
    assert!((1..=3).contains(&refused), "{refused} requests with the dead token");
    t.log.expect(Level::ERROR, "Discord refused DISCORD_TOKEN (401)");
    t.discord.restore_token();
    t.restart().await;
    t.settle().await;
    t.channel("tickets").next_messages(2).await;
    t.channel("assets").next_message().await;
    t.channel("alerts").next_message().await;
    t.finish().await;
}

#[tokio::test]
async fn without_a_token_everything_is_accepted_and_kept() {
    let mut t = Harness::with(|variables| {
        variables.remove("DISCORD_TOKEN");
    })
    .await;
    t.sends_body(ticket(1)).await;
    let health = t.health().await;
    assert_eq!(
        (&health["status"], &health["discord"], &health["pending"]),
        (&json!("degraded"), &json!("disconnected"), &json!(1))
    );
    assert!(health["problems"][0].as_str().unwrap().contains("DISCORD_TOKEN is not set"), "{health}");
    let token = t.discord.bot_token().expose().to_owned();
    t.set("DISCORD_TOKEN", token);
    t.restart().await;
    t.channel("tickets").next_message().await;
    t.finish().await;
}

#[tokio::test]
async fn urgent_events_overtake_what_waits() {
    let mut t = Harness::plain().await;
    let everything = json!({"default": [t.discord.channel_id("general").unwrap()]});
    t.set("DISCORD_WEBHOOK_CHANNELS", everything.to_string());
    t.restart().await;
    for number in 0..100 {
        t.sends_body(ticket(number)).await;
    }
    t.sends("machine_registered.json").await;
    settle_in_time(&t).await;
    let messages = t.channel("general").next_messages(101).await;
    let place = messages.iter().position(|message| message.title().contains("wants to join")).unwrap();
    assert!(place <= 20, "the machine's card is number {place}");
    t.finish().await;
}

#[tokio::test]
async fn a_channel_that_denies_us_is_tried_again_later() {
    // N-5: 50001
    let t = Harness::plain().await;
    let tickets = t.discord.channel_id("tickets").unwrap();
    t.discord.deny(tickets, Permission::SendMessages);
    t.sends_body(ticket(1)).await;
    posted(&t, 1).await;
    t.discord.allow(tickets, Permission::SendMessages);
    // People are told, elsewhere.
    let told = t.channel("general").next_message().await;
    assert!(told.title().ends_with("does not let the bot write"), "{}", told.title());
    let problem = t.health().await["problems"][0].as_str().unwrap().to_owned();
    assert!(problem.contains("does not let the bot write") && problem.contains("50013"), "{problem}");
    t.log.expect(Level::ERROR, "does not let the bot write: Discord answered 403 50013");
    t.clock.advance(Duration::from_secs(14 * 60));
    t.sends_body(ticket(2)).await;
    assert_eq!(posts(&t).len(), 2, "the notice, and nothing to the channel itself");
    settle_in_time(&t).await;
    t.channel("tickets").next_messages(2).await;
    let told = t.channel("general").next_message().await;
    assert!(told.title().ends_with("takes messages again"), "{}", told.title());
    assert_eq!(t.health().await["problems"], json!([]));
    t.finish().await;
}

#[tokio::test]
async fn whatever_stands_in_an_event_its_card_is_delivered() {
    let t = Harness::plain().await;
    let huge = "Ü🎫*".repeat(30_000);
    let wild = [
        json!({"event_type": "ticket.created", "data": null}),
        json!({"event_type": "ticket.updated", "data": {"title": {"a": []}, "notes": "none", "seq_id": huge}}),
        json!({"event_type": "alert.triggered", "data": {"title": huge, "details": [[[huge]]], "severity": 7}}),
        json!({"event_type": "machine.registered", "data": [1, 2, 3]}),
        json!({"event_type": "asset.created", "data": "\u{0}\u{202e}@everyone"}),
        json!({"event_type": "printer.jammed", "data": {(huge.as_str()): huge, "": "", "*": "<@&1>"}}),
    ];
    for body in wild {
        t.sends_body(body).await;
    }
    t.settle().await;
    for (channel, count) in [("tickets", 2), ("alerts", 1), ("machines", 1), ("assets", 1), ("general", 1)] {
        for message in t.channel(channel).next_messages(count).await {
            assert_eq!(message.0["embeds"].as_array().unwrap().len(), 1, "as a card, not as plain text");
            assert_eq!(message.0["mention_everyone"], false);
        }
    }
    t.finish().await;
}

#[tokio::test]
async fn a_ban_is_met_with_one_request_a_pause_and_then_everything_arrives() {
    // N-3
    let t = Harness::plain().await;
    let ban = Fault::Status { status: 429, headers: Vec::new(), body: "error code: 1015".to_owned() };
    t.discord.faults().next_on("POST", 1000, ban);
    t.sends_body(ticket(1)).await;
    posted(&t, 1).await;
    for fixture in ["asset_created.json", "alert_triggered.json", "machine_registered.json"] {
        t.sends(fixture).await;
    }
    for (probe, wait) in [5_u32, 10, 20, 40, 60].into_iter().enumerate() {
        let until = async || t.store().meta("discord.paused_until").await.unwrap()?.parse::<i64>().ok();
        within("the pause to be kept", async {
            let least = i64::from(wait) * 1000 - 2_500;
            while until().await.is_none_or(|until| until - t.clock.now().as_millis() < least) {
                tokio::task::yield_now().await;
            }
        })
        .await;
        t.clock.advance(Duration::from_secs(u64::from(wait / 2)));
        t.sends_body(ticket(2 + probe)).await;
        assert_eq!(posts(&t).len(), 1 + probe, "four lanes wait");
        t.clock.advance(Duration::from_secs(u64::from(wait - wait / 2)));
        posted(&t, 2 + probe).await;
    }
    t.discord.faults().clear();
    settle_in_time(&t).await;
    assert_eq!(t.health().await["status"], "ok");
    t.channel("tickets").next_messages(6).await;
    t.channel("assets").next_message().await;
    t.channel("alerts").next_message().await;
    t.channel("machines").next_message().await;
    t.finish().await;
}
