//! Nothing old is removed by a clock that may be wrong.

use std::time::Duration;

use serde_json::json;
use tracing::Level;

use super::DAY;
use crate::harness::{Harness, at_shell, within};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

async fn events(t: &Harness) -> usize {
    t.store().recent(100).await.unwrap().len()
}

/// The first look at what is old comes a minute after the start.
async fn held(t: &Harness) -> String {
    t.is_told_in_steps("Nothing old is removed", MINUTE).await
}

/// Waits until what is over was removed and so many are left. Every hour there is a look; what a step of the wall clock
/// made look old becomes so only by time that passes, a month of it.
async fn removed(t: &Harness, left: usize) {
    within("old events to be removed", async {
        while events(t).await > left {
            t.clock.advance(HOUR);
            tokio::task::yield_now().await;
        }
    })
    .await;
}

// A8: a clock that runs a month ahead would have all of it removed, for good.
#[tokio::test]
async fn a_clock_31_days_ahead_at_a_start_removes_nothing_until_it_is_right_or_confirmed() {
    let mut t = Harness::start().await;
    t.sends("ticket_created.json").await;
    t.channel("tickets").next_message().await;
    t.settle().await;
    t.stop().await;
    t.clock.step_wall(31 * DAY);
    t.boot().await;
    t.log.seen_times(Level::INFO, "Discord knows this token", 2).await;
    let health = held(&t).await;
    assert!(health.contains("31 days ahead of Discord's"), "{health}");
    assert!(health.contains("nuncio clock confirm"), "{health}");
    t.clock.advance(120 * MINUTE);
    assert_eq!(events(&t).await, 1, "kept");

    t.clock.step_wall(-31 * DAY);
    t.is_over("clock of this machine").await;
    t.clock.advance(120 * MINUTE);
    assert_eq!(events(&t).await, 1, "not old at all");

    t.restart().await;
    t.clock.step_wall(31 * DAY);
    held(&t).await;
    t.hub().confirm_clock(&at_shell()).await.unwrap();
    t.is_over("clock of this machine").await;
    removed(&t, 0).await;
    t.finish().await;
}

// Nobody else's clock is at hand: the newest event says that something may be wrong, also after another start.
#[tokio::test]
async fn without_discord_a_clock_far_behind_the_newest_event_waits_for_a_person() {
    let mut t = Harness::with(|variables| drop(variables.remove("DISCORD_TOKEN"))).await;
    t.sends_body(json!({"event_type": "printer.jammed", "data": {}})).await;

    t.set("DISCORD_WEBHOOK_CHANNELS", r#"{"default":[]}"#);
    t.restart().await;
    t.sends("ticket_created.json").await;
    assert_eq!(events(&t).await, 2);
    t.stop().await;
    t.clock.step_wall(31 * DAY);
    t.boot().await;
    let health = held(&t).await;
    assert!(health.contains("the newest event from before the start came at"), "{health}");
    t.sends("user_created.json").await;
    t.restart().await;
    held(&t).await;
    assert_eq!(events(&t).await, 3, "kept");
    t.hub().confirm_clock(&at_shell()).await.unwrap();
    t.is_over("Nothing old is removed").await;
    removed(&t, 2).await;

    t.finish_with_backlog(1).await;
}
