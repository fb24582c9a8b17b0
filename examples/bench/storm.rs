//! Latency as members see it: how soon a card is in its channel when nothing waits, when much waits, and in an event
//! storm.

use std::collections::HashSet;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use serde_json::json;

use crate::Plan;
use crate::load;
use crate::program::{Posted, Programs, Running, Sandbox};
use crate::report::{Report, Required, median};
use crate::request::{self, Requests};

const SENDERS: usize = 64;
const BACKLOG: usize = 5_000;
const ALERTS: usize = 1_000;
/// The time limit for one card.
const PATIENCE: Duration = Duration::from_secs(60);

/// From the answer to the sender until Discord has the card, while nothing else happens.
pub async fn cards(programs: &Programs, plan: Plan, report: &mut Report) -> anyhow::Result<()> {
    let (discord, running) = with_one_channel(programs).await?;
    let mut took = Vec::new();
    for _ in 0..plan.cards {
        let known = discord.posted(discord.channel("general")).await?.len();
        send(&running, Requests::of(1, request::ticket)).await?;
        let answered = now_ms();
        let at = wait_for(&discord, |posted| posted.get(known).map(|card| card.at_ms)).await?;
        took.push((at - answered).max(0) as f64);
        // A channel takes one message per second.
        tokio::time::sleep(Duration::from_millis(1_050)).await;
    }
    let slowest = took.iter().copied().fold(0.0, f64::max);
    report.detail(format!(
        "From the answer until Discord has the card, nothing else waiting: {:.0} ms in the median of {}, {slowest:.0} ms at \
         most.",
        median(took),
        plan.cards
    ));
    running.end().await
}

/// A machine's join request while 5,000 events wait for the same channel.
pub async fn decision(programs: &Programs, plan: Plan, report: &mut Report) -> anyhow::Result<()> {
    let backlog = BACKLOG.min(plan.storm);
    let (discord, running) = with_one_channel(programs).await?;
    send(&running, Requests::of(backlog, request::ticket)).await?;
    let began = Instant::now();
    send(&running, Requests::of(1, request::machine)).await?;
    wait_for(&discord, |posted| posted.iter().any(|card| card.body.contains("DESKTOP-")).then_some(()))
        .await?;
    let what = format!("a decision's card behind {backlog} events, in the channel after");
    report.figure(what, began.elapsed().as_secs_f64(), " s", Required::AtMost(10.0));
    running.end().await
}

/// A machine's join request behind a thousand critical alerts, each of which must be named.
pub async fn alerts(programs: &Programs, report: &mut Report) -> anyhow::Result<()> {
    let (discord, running) = with_one_channel(programs).await?;
    let began = Instant::now();
    send(&running, Requests::of(ALERTS, request::critical)).await?;
    let asked = Instant::now();
    send(&running, Requests::of(1, request::machine)).await?;
    wait_for(&discord, |posted| posted.iter().any(|card| card.body.contains("DESKTOP-")).then_some(()))
        .await?;
    let what = format!("a decision's card behind {ALERTS} critical alerts, in the channel after");
    report.figure(what, asked.elapsed().as_secs_f64(), " s", Required::AtMost(10.0));
    wait_for(&discord, |posted| (named(posted) == ALERTS).then_some(())).await?;
    let what = format!("{ALERTS} critical alerts in one channel, all named after");
    report.figure(what, began.elapsed().as_secs_f64(), " s", Required::Below(60.0));
    running.end().await
}

/// How many alerts are named, by the host of each.
fn named(posted: &[Posted]) -> usize {
    let hosts = posted.iter().flat_map(|message| message.body.split("NODE-").skip(1));
    let number = |rest: &str| rest.split(|sign: char| !sign.is_ascii_digit()).next().map(str::to_owned);
    hosts.filter_map(number).collect::<HashSet<_>>().len()
}

/// All events at once into one channel, until nothing waits.
pub async fn drain(programs: &Programs, plan: Plan, report: &mut Report) -> anyhow::Result<()> {
    let (discord, running) = with_one_channel(programs).await?;
    let began = Instant::now();
    send(&running, Requests::of(plan.storm, request::ticket)).await?;
    let accepted = began.elapsed();
    let mut pending = running.pending().await?;
    while pending > 0 && began.elapsed() < plan.patience {
        tokio::time::sleep(Duration::from_millis(200)).await;
        pending = running.pending().await?;
    }
    let took = began.elapsed().as_secs_f64();
    let posted = discord.posted(discord.channel("general")).await?.len();
    let what = format!("a storm of {} events into one channel, finished after", plan.storm);
    report.figure(what, if pending == 0 { took } else { f64::INFINITY }, " s", Required::Below(60.0));
    report.detail(format!(
        "The storm: accepted within {:.1} s; {posted} messages in {took:.1} s, {pending} events still waiting then.",
        accepted.as_secs_f64()
    ));
    running.end().await
}

/// A nuncio that sends everything to one channel of a Discord with its real limits.
async fn with_one_channel(programs: &Programs) -> anyhow::Result<(Sandbox, Running)> {
    let discord = programs.sandbox().await?;
    let map = json!({"default": [discord.channel("general")]});
    let (running, _) = programs.nuncio(&discord, &map).await?;
    running.connected().await?;
    Ok((discord, running))
}

async fn send(running: &Running, requests: Requests) -> anyhow::Result<()> {
    let (count, senders) = (requests.len(), requests.len().min(SENDERS));
    let answers = load::full(running.address, requests, senders, PATIENCE).await?;
    ensure!(answers.count() - answers.refused == count, "not all of {count} requests were answered 200");
    Ok(())
}

/// Waits until `found` finds something in the channel; an error after the time limit.
async fn wait_for<T>(discord: &Sandbox, found: impl Fn(&[Posted]) -> Option<T>) -> anyhow::Result<T> {
    let began = Instant::now();
    loop {
        let posted = discord.posted(discord.channel("general")).await?;
        if let Some(found) = found(&posted) {
            return Ok(found);
        }
        ensure!(began.elapsed() < PATIENCE, "a card did not come within {} s", PATIENCE.as_secs());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
