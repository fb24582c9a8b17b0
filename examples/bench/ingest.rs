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
const MOST_A_SECOND: f64 = 40_000.0;

/// One side in one round, at each number of senders.
struct Turn {
    rate: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
}

/// What stands in a cell: a figure of a [`Turn`].
type Cell = fn(&Turn) -> f64;

/// Measures both in turns.
pub async fn measure(programs: &Programs, plan: Plan, report: &mut Report) -> anyhow::Result<()> {
    let (mut bare, mut product, mut ready, mut idle) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        let discord = programs.sandbox().await?;
        for side in 0..2 {
            // Whoever goes first finds a machine that has rested: they take turns at that too.
            if (side + round) % 2 == 0 {
                let running = programs.ceiling().await?;
                bare.push(turns(&running, plan.turn).await?);
                running.end().await?;
            } else {
                let (running, took) = start(programs, &discord).await?;
                ready.push(millis(took));
                tokio::time::sleep(Duration::from_secs(1)).await;
                idle.push(running.memory_mib()?);
                product.push(turns(&running, plan.turn).await?);
                running.end().await?;
            }
        }
    }
    tell(&bare, &product, report);
    report.figure("ready after start", median(ready), " ms", Required::Below(100.0));
    report.figure("memory, idle, gateway connected", median(idle), " MiB", Required::AtMost(25.0));
    Ok(())
}

async fn start(programs: &Programs, discord: &Sandbox) -> anyhow::Result<(Running, Duration)> {
    let (running, took) = programs.nuncio(discord, &discord.map()).await?;
    running.connected().await?;
    Ok((running, took))
}

async fn turns(running: &Running, turn: Duration) -> anyhow::Result<Vec<Turn>> {
    // The first requests find caches cold and code not yet read from disk.
    one(running, 16, turn / 4).await?;
    let mut turns = Vec::with_capacity(SENDERS.len());
    for senders in SENDERS {
        let before = running.cpu()?;
        let answers = one(running, senders, turn).await?;
        let cpu = running.cpu()?.saturating_sub(before);
        turns.push(Turn {
            rate: answers.rate(),
            p50_ms: millis(answers.percentile(0.50)),
            p99_ms: millis(answers.percentile(0.99)),
            cpu_us: cpu.as_secs_f64() * 1e6 / answers.count() as f64,
        });
    }
    Ok(turns)
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
}
