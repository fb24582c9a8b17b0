//! The speed of nuncio beside the physical limit, measured in one run.
//!
//! The *ceiling* is a bare loop that does only what cannot be left out: accept, verify the signature, insert one row,
//! commit up to 64 of them at once, answer. The *product* is the real program between this one and a `nuncio sandbox`
//! with Discord's real limits. Both run as processes of their own, in turns, and every figure is a median.
//!
//! ```text
//! cargo run --release --example bench                        # at most 10 minutes
//! cargo run --release --example bench -- --quick             # at most 2
//! cargo run --release --example bench -- --program OTHER     # another build of nuncio
//! cargo run --release --example bench -- --only ingest,slow  # parts: ingest slow stream card decision storm
//! cargo run --release --example bench -- --write             # also puts the result into docs/performance.md
//! ```
//!
//! The result is Markdown on stdout; `docs/performance.md` holds one, and explains how to read it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program whose output is its result, and which says meanwhile what it does"
)]

mod ceiling;
mod ingest;
mod load;
mod machine;
mod program;
mod report;
mod request;
mod slow;
mod storm;

use std::collections::VecDeque;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};

use program::Programs;
use report::Report;

/// The size of a measurement.
#[derive(Clone, Copy)]
struct Plan {
    /// How often ceiling and product take turns.
    rounds: usize,
    /// How long each is under load per turn.
    turn: Duration,
    /// How long Discord is slow, at [`slow::RATE`] events per second.
    slow: Duration,
    /// The number of events in the storm.
    storm: usize,
    /// How long the storm is watched.
    patience: Duration,
    /// How many cards are timed one by one.
    cards: usize,
    /// The time limit of the whole run.
    deadline: Duration,
}

const FULL: Plan = Plan {
    rounds: 7,
    turn: Duration::from_secs(2),
    slow: Duration::from_secs(60),
    storm: 10_000,
    patience: Duration::from_secs(90),
    cards: 20,
    deadline: Duration::from_secs(600),
};
const QUICK: Plan = Plan {
    rounds: 3,
    turn: Duration::from_millis(700),
    slow: Duration::from_secs(10),
    storm: 2_000,
    patience: Duration::from_secs(30),
    cards: 6,
    deadline: Duration::from_secs(120),
};

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments: VecDeque<String> = std::env::args().skip(1).collect();
    let (mut plan, mut program, mut only, mut written) = (FULL, None, None, false);
    while let Some(argument) = arguments.pop_front() {
        let mut value = || arguments.pop_front().with_context(|| format!("{argument} wants a value"));
        match argument.as_str() {
            // The role in which this program starts itself.
            "ceiling" => return ceiling::run(value()?.as_ref()).map(|()| ExitCode::SUCCESS),
            "--quick" => plan = QUICK,
            "--write" => written = true,
            "--program" => program = Some(value()?.into()),
            "--only" => only = Some(value()?),
            _ => bail!(
                "usage: cargo run --release --example bench [-- --quick --write --program PATH --only PART,PART]"
            ),
        }
    }
    // One thread generates all the load: a second one would take processor time from what is measured.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let programs = Programs::find(program)?;
    let mut report = Report::new(machine::describe()?);
    let ended = runtime.block_on(async {
        let measured = measure(&programs, plan, only.as_deref(), &mut report);
        tokio::time::timeout(plan.deadline, measured).await.with_context(|| {
            format!("not finished within {} s: is the machine busy?", plan.deadline.as_secs())
        })
    });
    // What was measured is worth printing, even if a later part failed.
    println!("{report}");
    ended??;
    if written {
        write(&report)?;
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Replaces the result between its markers in docs/performance.md.
fn write(report: &Report) -> anyhow::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance.md");
    let page = std::fs::read_to_string(path)?;
    let (head, rest) =
        page.split_once("<!-- figures -->").context("no <!-- figures --> in performance.md")?;
    let (_, tail) = rest.split_once("<!-- /figures -->").context("no <!-- /figures --> in performance.md")?;
    std::fs::write(path, format!("{head}<!-- figures -->\n\n{report}\n<!-- /figures -->{tail}"))?;
    Ok(())
}

async fn measure(
    programs: &Programs,
    plan: Plan,
    only: Option<&str>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let wanted = |part: &str| only.is_none_or(|only| only.split(',').any(|only| only == part));
    if wanted("ingest") {
        eprintln!("ingest: {} rounds, the bare loop and nuncio in turns", plan.rounds);
        ingest::measure(programs, plan, report).await?;
    }
    if wanted("slow") {
        eprintln!("acknowledgements while Discord takes 100 ms");
        slow::compare(programs, plan, report).await?;
    }
    if wanted("stream") {
        eprintln!("{} events a second for {} s while Discord is slow", slow::RATE, plan.slow.as_secs());
        slow::endure(programs, plan, report).await?;
    }
    if wanted("card") {
        eprintln!("from the answer to the card");
        storm::cards(programs, plan, report).await?;
    }
    if wanted("decision") {
        eprintln!("a decision behind a backlog");
        storm::decision(programs, plan, report).await?;
        eprintln!("critical alerts, and a decision behind them");
        storm::alerts(programs, report).await?;
    }
    if wanted("storm") {
        eprintln!("a storm of {} events into one channel", plan.storm);
        storm::drain(programs, plan, report).await?;
    }
    Ok(())
}
