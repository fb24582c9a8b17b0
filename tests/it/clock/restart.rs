//! What a new process makes of what an earlier one stored.

use std::time::Duration;

use nuncio::sandbox::discord::Fault;
use serde_json::json;
use tracing::Level;

use super::{DAY, GRACE, HOUR, SECOND, approves, asks, told_about};
use crate::approval::Stage;
use crate::database::Database;
use crate::harness::{Harness, within};

async fn restart(s: &mut Stage) {
    s.t.restart().await;
    s.t.log.seen_times(Level::INFO, "Discord knows this token", 2).await;
    s.t.online().await;
}

// A step that the running process saw does not change what is left of a wait for the next one either.
#[rstest::rstest]
#[case(HOUR)]
#[case(-HOUR)]
#[tokio::test]
async fn what_is_left_of_a_grace_after_a_step_is_left_after_a_restart(#[case] step: i64) {
    let mut s = Stage::start().await;
    s.t.introduced().await;
    let (undone, waits) = (asks(&s, "undone").await, asks(&s, "waits").await);
    let undone = approves(&s, &undone).await;
    approves(&s, &waits).await;
    s.t.clock.step_wall(step);
    s.t.is_told("clock of this machine").await;
    within("the step to be written down", async {
        while s.t.store().meta("clock.lead").await.unwrap().is_none_or(|lead| lead.len() < 6) {
            s.t.clock.advance(Duration::from_millis(100));
        }
    })
    .await;
    restart(&mut s).await;
    assert_eq!((told_about(&s, "undone"), told_about(&s, "waits")), (0, 0), "not before its time");
    s.clicks("alice", &undone, "Undo").await;
    s.says(&undone, "wants to join").await;
    s.t.clock.advance(GRACE);
    s.says(&waits, "✅").await;
    assert_eq!((told_about(&s, "undone"), told_about(&s, "waits")), (0, 1));
    if step > 0 {
        // By the new process's clock the decision is an hour old: its outcome is told in a message, too.
        s.t.channel("machines").next_message().await;
    }
    s.finish().await;
}

// As a clock that was wrong, or a version before the steady line, may have left it.
#[tokio::test]
async fn no_stored_wait_is_longer_after_a_start_than_its_rule_can_give() {
    let mut t = Harness::start().await;
    t.introduced().await;
    t.discord.faults().next_on("/messages", 1, Fault::rate_limited(Duration::from_secs(20), "user"));
    t.sends("ticket_created.json").await;
    within("a place to be left alone", async {
        while t.store().destination_counts(t.clock.steady()).await.unwrap().cooling == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    t.stop().await;
    let database = Database::open(t.folder().join("nuncio.db")).await.unwrap();
    for sql in [
        "UPDATE destinations SET not_before = not_before + 864000000 WHERE not_before > 0",
        "UPDATE deliveries SET due_at = due_at + 864000000 WHERE status = 'pending'",
        "INSERT INTO meta (key, value, updated_at) VALUES ('discord.paused_until', '9999999999999', 0)",
    ] {
        database.execute(sql, ()).await.unwrap();
    }
    drop(database);
    t.boot().await;
    t.clock.advance(Duration::from_secs(3600));
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// Rounds are numbered; by the time of a clock that was set back the last one came first.
#[tokio::test]
async fn a_machine_that_asks_again_after_the_clock_was_set_back_is_asked_about() {
    let mut s = Stage::start().await;
    let first = asks(&s, "lab").await;
    s.denies("bob", &first, "not ours").await;
    s.says(&first, "⏳").await;
    s.t.clock.advance(GRACE);
    s.says(&first, "❌").await;
    s.t.stop().await;
    s.t.clock.step_wall(-DAY);
    s.t.boot().await;
    s.t.online().await;
    let ask = |again: i64| {
        let data = json!({"id": "lab", "hostname": "LAB", "again": again});
        json!({"event_type": "machine.registered", "data": data})
    };
    s.t.sends_body(ask(1)).await;
    let second = s.t.channel("machines").next_message().await;
    approves(&s, &second).await;
    s.t.clock.advance(GRACE);
    s.says(&second, "✅").await;
    s.t.sends_body(ask(2)).await;
    let third = s.t.channel("machines").next_message().await;
    assert_eq!(third.buttons(), ["Approve", "Deny", "Details"], "{}", third.title());
    assert_eq!(told_about(&s, "lab"), 2);
    s.finish().await;
}

// The order of ids is the order of what people see, and a lane that is far behind claims by them.
#[tokio::test]
async fn what_comes_after_the_clock_was_set_back_is_shown_after_what_came_before() {
    let mut t = Harness::plain().await;
    let tickets = t.discord.channel_id("tickets").unwrap();
    let path = format!("/channels/{tickets}/messages");
    t.discord.faults().next_on(&path, usize::MAX, Fault::status(503));
    let ticket = |title: String| json!({"event_type": "ticket.created", "data": {"id": title, "title": title}, "timestamp": 1});
    t.sends_body(ticket("T0".to_owned())).await;
    t.sends_body(ticket("T1".to_owned())).await;
    t.stop().await;
    t.clock.step_wall(-HOUR);
    t.boot().await;
    t.sends_body(ticket("T2".to_owned())).await;
    t.clock.step_wall(-30 * SECOND - HOUR);
    t.sends_body(ticket("T3".to_owned())).await;
    t.discord.faults().clear();
    t.settle_in_steps(Duration::from_secs(5)).await;
    let shown: Vec<String> =
        t.channel("tickets").next_messages(4).await.iter().map(|m| m.0.to_string()).collect();
    for (place, text) in shown.iter().enumerate() {
        assert!(text.contains(&format!("T{place}")), "{place}: {text}");
    }
    t.finish().await;
}

// What waited while the clock was set, as at a machine that started with a wrong clock, is as old as it is: it pings, and
// does not say that it is late. Control: a `Jump` that skips nothing: red.
#[tokio::test]
async fn what_waited_over_a_step_is_no_older_after_a_restart() {
    let mut t = Harness::with_discord(|variables, discord| {
        let role = discord.role_id("Operators").unwrap();
        let ping = json!({"alert.triggered": [role]});
        variables.insert("PING".to_owned(), ping.to_string());
    })
    .await;
    t.introduced().await;
    t.discord.faults().next_on("/messages", 2, Fault::rate_limited(Duration::from_secs(30), "user"));
    t.sends("ticket_created.json").await;
    t.sends("alert_triggered.json").await;
    within("both to be held", async {
        while t.discord.faults().pending() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    t.clock.step_wall(DAY);
    within("the step to be written down", async {
        while t.store().meta("clock.lead").await.unwrap().is_none_or(|lead| lead.len() < 6) {
            t.clock.advance(Duration::from_millis(100));
        }
    })
    .await;
    t.restart().await;
    t.settle_in_steps(Duration::from_millis(100)).await;
    for (channel, pings) in [("tickets", false), ("alerts", true)] {
        let card = t.channel(channel).next_message().await;
        assert!(!card.0.to_string().contains(" late"), "{card:?}");
        assert_eq!(card.content().contains("<@&"), pings, "{card:?}");
    }
    t.log.expect(Level::WARN, "clock of this machine");
    t.finish().await;
}
