//! The wall clock is set, forward or back, while nuncio runs or while it is down. T-1, T-2 of the attacks.
//!
//! | taken away (control) | red |
//! | --- | --- |
//! | the steady line: `Clock::steady` is the wall clock | `at_every_state…` back by 30 s and more and forward by hours, `what_comes_after…`, `a_machine_that_asks_again_…`, `what_is_left_…` |
//! | the newest id, where the line is taken up | `at_every_state…` across a restart and back, `what_comes_after…` |
//! | the shift of what waits at a start | `what_is_left_…` after a step forward, `no_stored_wait_…` |
//! | its cap | `no_stored_wait_…` |
//! | Discord's date before the wall clock for appointments | `at_every_state…` of an hour and a day |
//! | the wait for it at a start | `at_every_state…`, a day forward across a restart |
//! | the doubt before old things are removed | `without_discord_…` |
//! | the newest round by number, not by time | `a_machine_that_asks_again_…` |

mod restart;
mod retention;
mod table;

use std::time::Duration;

use nuncio::sandbox::discord::Fault;
use serde_json::json;
use tracing::Level;

use crate::approval::Stage;
use crate::harness::{Answering, Harness, Message, within};

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// The decisions' grace on the stage.
const GRACE: Duration = Duration::from_secs(60);
const QUARTER: Duration = Duration::from_secs(15 * 60);

impl Harness {
    /// Waits until `/health` tells of something like this.
    pub async fn is_told(&self, text: &str) -> String {
        self.is_told_in_steps(text, Duration::from_millis(100)).await
    }

    /// The same of something that is looked at less often than each second.
    pub async fn is_told_in_steps(&self, text: &str, step: Duration) -> String {
        let told = async {
            loop {
                let health = self.health().await["problems"].to_string();
                if health.contains(text) {
                    return health;
                }
                self.clock.advance(step);
            }
        };
        within(&format!("{text:?} in /health"), told).await
    }

    /// Waits until `/health` tells of nothing like this any more.
    pub async fn is_over(&self, text: &str) {
        let over = async {
            while self.health().await["problems"].to_string().contains(text) {
                self.clock.advance(Duration::from_millis(100));
            }
        };
        within(&format!("{text:?} to be gone from /health"), over).await;
    }
}

/// A machine asks to join; its card.
async fn asks(s: &Stage, id: &str) -> Message {
    let data = json!({"id": id, "hostname": id.to_uppercase()});
    s.t.sends_body(json!({"event_type": "machine.registered", "data": data})).await;
    s.t.channel("machines").next_message().await
}

/// Alice approves; the card as it is then.
async fn approves(s: &Stage, card: &Message) -> Message {
    s.clicks("alice", card, "Approve").await;
    s.says(card, "⏳").await
}

/// How often XTSystems was told about a machine.
fn told_about(s: &Stage, id: &str) -> usize {
    s.platform.recorded_requests().iter().filter(|told| told.line.contains(&format!("/{id}/"))).count()
}

/// Lets the next message into a channel fail.
fn fails(s: &Stage, channel: &str, fault: Fault) {
    let id = s.t.discord.channel_id(channel).unwrap();
    s.t.discord.faults().next_on(&format!("/channels/{id}/messages"), 1, fault);
}

fn ticket(title: &str) -> serde_json::Value {
    json!({"event_type": "ticket.created", "data": {"id": title, "title": title}})
}

// T-2
#[rstest::rstest]
#[tokio::test]
async fn at_every_state_a_step_of_the_wall_clock_delays_and_hastens_nothing(
    #[values(-DAY, -HOUR, -30 * SECOND, -SECOND, SECOND, 30 * SECOND, HOUR, DAY)] step: i64,
    #[values(true, false)] live: bool,
) {
    let mut s = Stage::with(|variables| {
        variables.insert("DECISION_EXPIRY".to_owned(), "24h".to_owned());
    })
    .await;
    s.t.introduced().await;
    s.t.places_noted().await;
    // Delivered; paused by a 429; denied; muted.
    s.t.sends_body(ticket("Printer")).await;
    s.t.channel("tickets").next_message().await;
    fails(&s, "alerts", Fault::rate_limited(Duration::from_secs(20), "user"));
    s.t.sends("alert_triggered.json").await;
    fails(&s, "assets", Fault::refusal(403, 50013, "Missing Permissions"));
    s.t.sends("asset_created.json").await;
    s.t.channel("general").next_message().await;
    s.t.log.seen(Level::ERROR, "does not let the bot write").await;
    s.t.log.expect(Level::ERROR, "does not let the bot write");
    within("two places to be left alone", async {
        while s.t.store().destination_counts(s.t.clock.steady()).await.unwrap().cooling < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    s.t.hub()
        .mute("ticket.*", Duration::from_secs(2 * 3600), "", &crate::harness::by("Alice"))
        .await
        .unwrap();
    // Being told to XTSystems, again and again; in its grace, to be undone; in its grace; open.
    let tried = asks(&s, "tried").await;
    s.platform.next(3, &Answering::With(503, "{}"));
    approves(&s, &tried).await;
    s.t.clock.advance(GRACE);
    s.platform.call(1).await;
    let (undone, waits, open) = (asks(&s, "undone").await, asks(&s, "waits").await, asks(&s, "open").await);
    let undone = approves(&s, &undone).await;
    approves(&s, &waits).await;

    // The alert's time came meanwhile. What comes next is paused again.
    s.t.channel("alerts").next_message().await;
    fails(&s, "general", Fault::rate_limited(Duration::from_secs(20), "user"));
    s.t.sends("company_created.json").await;
    within("#general to be left alone", async {
        while s.t.store().destination_counts(s.t.clock.steady()).await.unwrap().cooling < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;

    if live {
        s.t.clock.step_wall(step);
    } else {
        s.t.stop().await;
        s.t.clock.step_wall(step);
        s.t.boot().await;
        s.t.log.seen_times(Level::INFO, "Discord knows this token", 2).await;
        s.t.online().await;
    }

    // It is said, and only if it is worth it.
    let is_far = step.abs() > 30 * SECOND;
    if is_far {
        let way = match (live, step > 0) {
            (true, true) => "jumped forward by",
            (true, false) => "jumped back by",
            (false, true) => "ahead of Discord's",
            (false, false) => "behind Discord's",
        };
        s.t.is_told(way).await;
    } else {
        s.t.clock.advance(Duration::from_secs(2));
        let health = s.t.health().await["problems"].to_string();
        assert!(!health.contains("clock"), "{health}");
    }
    // A process that was down for so long finds all waits over, and that is what a step forward looks like to it.
    let is_later = !live && step >= 60 * SECOND;
    if is_later {
        s.says(&undone, "✅").await;
    } else {
        assert_eq!((told_about(&s, "undone"), told_about(&s, "waits")), (0, 0), "not before its time");
        s.clicks("alice", &undone, "Undo").await;
        s.says(&undone, "wants to join").await;
    }
    // Still muted.
    s.t.sends_body(ticket("Scanner")).await;

    s.t.clock.advance(Duration::from_secs(20));
    if live {
        s.t.channel("general").next_message().await;
    }
    s.t.clock.advance(GRACE);
    s.says(&waits, "✅").await;
    s.says(&tried, "✅").await;
    let told = [told_about(&s, "undone"), told_about(&s, "waits"), told_about(&s, "tried")];
    if is_later {
        assert!(!told.contains(&0) && told.iter().sum::<usize>() == 6, "three of them in vain: {told:?}");
    } else {
        // After a start that finds the clock set back, one of the three refusals may have met the other call.
        assert!(told[0] == 0 && told[1] > 0 && told[2] > 0, "undone is never told: {told:?}");
        assert_eq!(told.iter().sum::<usize>(), 5, "three times in vain, then each is heard: {told:?}");
    }
    s.t.clock.advance(QUARTER);
    s.t.channel("assets").next_message().await;
    if !live {
        // At a start the gateway opens what denied us; what waited shares messages, and some comes late.
        s.t.settle().await;
        for channel in ["general", "machines"] {
            let unread = s.t.channel(channel).unread().len();
            s.t.channel(channel).next_messages(unread).await;
        }
    } else {
        s.t.channel("general").next_message().await;
    }

    assert!(s.t.channel("tickets").unread().is_empty(), "muted for two hours");
    s.t.clock.advance(Duration::from_secs(2 * 3600));
    let sum = s.t.channel("tickets").next_message().await;
    assert!(sum.description().contains("1 event was not shown"), "{}", sum.description());
    let asks = s.t.channel("machines").now(open.id());
    assert!(asks.title().contains("wants to join"), "open for a day: {}", asks.title());
    s.t.clock.advance(Duration::from_secs(24 * 3600));
    s.says(&open, "⌛").await;
    if !is_later {
        s.says(&undone, "⌛").await;
    }

    // Nothing was removed, and a clock that is set right is right.
    assert!(s.t.store().recent(100).await.unwrap().len() > 10);
    s.t.clock.step_wall(-step);
    s.t.is_over("clock of this machine").await;
    s.finish().await;
}
