//! Durable ingest beside the ceiling: events per second, time to the acknowledgment, and cost.

use std::time::Duration;

use anyhow::ensure;

use crate::Plan;
use crate::load::{self, Answers};
use crate::program::{Programs, Running, Sandbox};
use crate::report::{Report, Required, median, millis};
use crate::request::Requests;

const SENDERS: [usize; 4] = [1, 16, 64, 256];
/// The number of senders for which the report has requirements.
const JUDGED: usize = 64;
/// More than either side can accept in a second.
const MOST_A_SECOND: f64 = 30_000.0;
/// How long Discord's limits may hold back the events of a turn.
const DRAIN: Duration = Duration::from_secs(15);

/// One side in one round, for each number of senders.
struct Turn {
    rate: f64,
    p50_ms: f64,
    p99_ms: f64,
    events: f64,
    cpu_us: f64,
    /// Until Discord also had all of it.
    whole_us: f64,
}

/// A cell of the table: a figure of a [`Turn`].
type Cell = fn(&Turn) -> f64;

/// Measures both, one after the other for each number of senders; the one that waits is suspended.
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
        // A warm-up: the first requests find cold caches, and code not yet read from disk.
        one(&nuncio, 16, plan.turn / 4).await?;
        both(&nuncio, &discord, Running::pause, Sandbox::pause)?;
        one(&ceiling, 16, plan.turn / 4).await?;
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for (at, senders) in SENDERS.into_iter().enumerate() {
            let turn = if senders == JUDGED { 2 * plan.turn } else { plan.turn };
            // The side that goes first finds a rested machine, so the two take turns at that as well.
            for side in [(at + round) % 2, (at + round + 1) % 2] {
                if side == 0 {
                    other.push(take_turn(&ceiling, senders, turn).await?);
                    continue;
                }
                both(&nuncio, &discord, Running::resume, Sandbox::resume)?;
                let before = nuncio.cpu()?;
                let mut taken = take_turn(&nuncio, senders, turn).await?;
                // Deliveries that wait now belong to this turn, and must not burden the next one.
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

/// Signals nuncio and its Discord together: a turn of nuncio includes Discord's part of the work.
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
    // The median of the ratios of the rounds: a disturbance of a round disturbs both sides of it.
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
