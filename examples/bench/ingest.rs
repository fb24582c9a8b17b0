//! Durable ingest beside the ceiling: how many events a second, how soon each is acknowledged, at what cost.

use std::time::Duration;

use anyhow::ensure;

use crate::Plan;
use crate::load::{self, Answers};
use crate::program::{Programs, Running, Sandbox};
use crate::report::{Report, Required, median, millis};
use crate::request::Requests;

const SENDERS: [usize; 4] = [1, 16, 64, 256];
/// The number of senders that the figures are about.
const JUDGED: usize = 64;
/// More than either side can take in a second.
const MOST_A_SECOND: f64 = 30_000.0;
/// How long Discord's limits may keep what a turn brought in.
const DRAIN: Duration = Duration::from_secs(15);

/// One side in one round, at each number of senders.
struct Turn {
    rate: f64,
    p50_ms: f64,
    p99_ms: f64,
    events: f64,
    cpu_us: f64,
    /// Until Discord had all of it, too.
    whole_us: f64,
}

/// What stands in a cell: a figure of a [`Turn`].
type Cell = fn(&Turn) -> f64;

/// Measures both: at each number of senders one after the other, the one that waits stopped where it is.
pub async fn measure(programs: &Programs, plan: Plan, report: &mut Report) -> anyhow::Result<()> {
    let (mut bare, mut product, mut ready, mut idle) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        let discord = programs.sandbox().await?;
        let (nuncio, took) = programs.nuncio(&discord, &discord.map()).await?;
        nuncio.connected().await?;
        ready.push(millis(took));
        tokio::time::sleep(Duration::from_secs(1)).await;
        idle.push(nuncio.memory_mib()?);
        let ceiling = programs.ceiling().await?;
        // The first requests find caches cold and code not yet read from disk.
        one(&nuncio, 16, plan.turn / 4).await?;
        both(&nuncio, &discord, Running::pause, Sandbox::pause)?;
        one(&ceiling, 16, plan.turn / 4).await?;
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for (at, senders) in SENDERS.into_iter().enumerate() {
            let turn = if senders == JUDGED { 2 * plan.turn } else { plan.turn };
            // Whoever goes first finds a machine that has rested: they take turns at that too.
            for side in [(at + round) % 2, (at + round + 1) % 2] {
                if side == 0 {
                    other.push(take_turn(&ceiling, senders, turn).await?);
                    continue;
                }
                both(&nuncio, &discord, Running::resume, Sandbox::resume)?;
                let before = nuncio.cpu()?;
                let mut taken = take_turn(&nuncio, senders, turn).await?;
                // What waits for Discord now is this turn's, and must not be the next one's burden.
                nuncio.drained(DRAIN).await?;
                taken.whole_us = micros(nuncio.cpu()?.saturating_sub(before)) / taken.events;
                own.push(taken);
                both(&nuncio, &discord, Running::pause, Sandbox::pause)?;
            }
        }
        bare.push(other);
        product.push(own);
        nuncio.end().await?;
        ceiling.end().await?;
    }
    tell(&bare, &product, report);
    report.figure("ready after start", median(ready), " ms", Required::Below(100.0));
    report.figure("memory, idle, gateway connected", median(idle), " MiB", Required::AtMost(25.0));
    Ok(())
}

/// What nuncio does in its turn includes what Discord has to do with it.
fn both(
    nuncio: &Running,
    discord: &Sandbox,
    to_nuncio: impl Fn(&Running) -> anyhow::Result<()>,
    to_discord: impl Fn(&Sandbox) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    to_nuncio(nuncio)?;
    to_discord(discord)
}

async fn take_turn(running: &Running, senders: usize, turn: Duration) -> anyhow::Result<Turn> {
    let before = running.cpu()?;
    let answers = one(running, senders, turn).await?;
    let events = answers.count() as f64;
    let cpu_us = micros(running.cpu()?.saturating_sub(before)) / events;
    Ok(Turn {
        rate: answers.rate(),
        p50_ms: millis(answers.percentile(0.50)),
        p99_ms: millis(answers.percentile(0.99)),
        events,
        cpu_us,
        whole_us: cpu_us,
    })
}

fn micros(span: Duration) -> f64 {
    span.as_secs_f64() * 1e6
}

async fn one(running: &Running, senders: usize, turn: Duration) -> anyhow::Result<Answers> {
    let most = (turn.as_secs_f64() * MOST_A_SECOND) as usize;
    let answers = load::full(running.address, Requests::mixed(most), senders, turn).await?;
    ensure!(answers.refused == 0, "{} requests were not answered 200", answers.refused);
    Ok(answers)
}

fn tell(bare: &[Vec<Turn>], product: &[Vec<Turn>], report: &mut Report) {
    let of = |rounds: &[Vec<Turn>], at: usize, cell: Cell| {
        median(rounds.iter().map(|turns| cell(&turns[at])).collect())
    };
    // The median of the rounds' ratios: what disturbs a round disturbs both sides of it.
    let ratio = |at: usize, cell: Cell| {
        median(product.iter().zip(bare).map(|(own, bare)| cell(&own[at]) / cell(&bare[at])).collect())
    };
    let judged = SENDERS.iter().position(|senders| *senders == JUDGED).unwrap_or_default();
    let figures: [(&str, Cell, Required); 3] = [
        ("durable ingest ÷ ceiling, 64 senders", |turn| turn.rate, Required::AtLeast(0.7)),
        ("processor time for an event ÷ ceiling's, 64 senders", |turn| turn.cpu_us, Required::AtMost(1.6)),
        ("acknowledged, p99 ÷ ceiling's, 64 senders", |turn| turn.p99_ms, Required::AtMost(1.3)),
    ];
    for (what, cell, required) in figures {
        report.figure(what, ratio(judged, cell), "", required);
    }
    let mut table = "Durable ingest: the bare loop / nuncio, and the ratio\n\n\
                     | senders | events a second | p50 | p99 | processor time for an event |\n\
                     | ---: | ---: | ---: | ---: | ---: |"
        .to_owned();
    for (at, senders) in SENDERS.into_iter().enumerate() {
        let cell = |cell: Cell, digits: usize, unit: &str| {
            let (one, other) = (of(bare, at, cell), of(product, at, cell));
            format!("{one:.digits$} / {other:.digits$}{unit}, {:.2}", ratio(at, cell))
        };
        table += &format!(
            "\n| {senders} | {} | {} | {} | {} |",
            cell(|turn| turn.rate, 0, ""),
            cell(|turn| turn.p50_ms, 2, " ms"),
            cell(|turn| turn.p99_ms, 2, " ms"),
            cell(|turn| turn.cpu_us, 0, " µs"),
        );
    }
    report.detail(table);
    report.detail(format!(
        "Until Discord has all of it, an event of {JUDGED} senders takes {:.0} µs of nuncio's processor time: the table counts \
         what is delivered while they send.",
        of(product, judged, |turn| turn.whole_us)
    ));
}
