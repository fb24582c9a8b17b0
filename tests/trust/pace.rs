//! Discord is never provoked, and nobody waits for a restart: how many 429s full speed costs, and how soon the first
//! card goes out when ten thousand wait.

use std::time::{Duration, Instant};

use serde_json::json;

use super::stage::Stage;
use super::table::{Holds, Row};
use super::{PATIENCE, Size};

pub const LIMITS: &str = "≤ 5 per 10,000 requests";
pub const RESTART: &str = "the first card in < 2 s";
const FIRST_CARD: Duration = Duration::from_secs(2);

/// How many 429s we cause at full speed, with honest headers.
pub async fn full_speed(size: Size) -> anyhow::Result<Row> {
    let (events, channels) = size.of((40, 4), (10_000, 50));
    let mut stage = Stage::set(channels).await?;
    stage.sandbox.order(json!({"limits": "default"})).await?;
    stage.start().await?;
    let began = Instant::now();
    stage.sender.deliver_all(0..events).await?;
    stage.settle(10 * PATIENCE).await?;
    let took = began.elapsed();
    let limited = limited(&stage).await?;
    let verdict = stage.verdict().await?;
    let misled = misled().await?;
    Ok(Row {
        case: "429s",
        done: format!(
            "{events} messages to {channels} channels at full speed, with Discord's limits (5 in 5 s for each channel, 50 a second in all)"
        ),
        required: LIMITS,
        measured: format!("{limited} × 429 in {:.0} s; {verdict}", took.as_secs_f64()),
        holds: Holds::both(limited * 10_000 <= 5 * events && verdict.is_clean(), misled > 0),
        control: format!("headers that say there is room when there is none: {misled} × 429"),
    })
}

async fn limited(stage: &Stage) -> anyhow::Result<usize> {
    let counts = stage.sandbox.counts().await?;
    Ok(usize::try_from(counts["rate_limited"].as_u64().unwrap_or_default())?)
}

/// The control: without an honest word about the limits, they are found the hard way.
async fn misled() -> anyhow::Result<usize> {
    let mut stage = Stage::set(1).await?;
    stage.sandbox.order(json!({"limits": "default"})).await?;
    let headers =
        json!({"x-ratelimit-remaining": "5", "x-ratelimit-limit": "5", "x-ratelimit-reset-after": "0.001"});
    stage
        .sandbox
        .order(json!({"fail": {"kind": "wrong_headers", "headers": headers, "on": "/messages", "n": 6}}))
        .await?;
    stage.start().await?;
    stage.sender.deliver_all(0..7).await?;
    stage.settle(PATIENCE).await?;
    limited(&stage).await
}

/// How soon the first card goes out after a restart with a great backlog.
pub async fn restart(size: Size) -> anyhow::Result<Row> {
    let events = size.of(200, 10_000);
    let soon = first_card(events, Duration::ZERO).await?;
    let late = first_card(10, Duration::from_secs(3)).await?;
    Ok(Row {
        case: "restart",
        done: format!("{events} events pending, `kill -9`, restart; timed from the start of the process"),
        required: RESTART,
        measured: format!("{:.2} s", soon.as_secs_f64()),
        holds: Holds::both(size.in_time(soon, FIRST_CARD), late > FIRST_CARD),
        control: format!("Discord takes 3 s for it: {:.2} s", late.as_secs_f64()),
    })
}

async fn first_card(events: usize, slow: Duration) -> anyhow::Result<Duration> {
    let mut stage = Stage::set(4).await?;
    // Without a token everything is accepted and kept.
    let token = stage.variables.remove("DISCORD_TOKEN").unwrap_or_default();
    stage.start().await?;
    stage.sender.deliver_all(0..events).await?;
    stage.kill().await?;
    stage.variables.insert("DISCORD_TOKEN".to_owned(), token);
    let delay = json!({"kind": "delay", "seconds": slow.as_secs(), "on": "POST ", "n": 4});
    if !slow.is_zero() {
        stage.sandbox.order(json!({"fail": delay})).await?;
    }
    let began = Instant::now();
    stage.start().await?;
    stage.sandbox.sent(1, PATIENCE).await?;
    Ok(began.elapsed())
}
