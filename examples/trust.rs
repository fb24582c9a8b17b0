//! The proof at full length: the cases of `tests/trust` against the real program, as one table.
//!
//! ```text
//! cargo run --release --example trust -- --full
//! cargo run --release --example trust -- --full --only K-3,N-1
//! ```
//!
//! Progress goes to stderr; stdout is the Markdown of the table in docs/trust.md. Exit code 1 if a row fails. See
//! `docs/trust.md`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program whose output is its result")]

#[path = "../tests/trust/rig.rs"]
mod rig;

use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Parser;
use nuncio::clock::Clock;
use rig::table::{HEAD, Holds, Row};
use rig::{
    Size, click, decision, kill, network, pace, packed, poison, power, refused, stop, storage, webhook,
};

/// The time limit of a run: a case without a result by then has failed.
const LIMIT: Duration = Duration::from_secs(25 * 60);

/// How often a case that still runs is reported.
const WORD: Duration = Duration::from_secs(60);

/// Proves what nuncio promises, and prints the table.
#[derive(Debug, Parser)]
struct Arguments {
    /// At full length; without it the short form that `cargo test` runs
    #[arg(long)]
    full: bool,
    /// Only these cases, with commas between: K-3,N-1
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Put the table into docs/trust.md as well
    #[arg(long)]
    write: bool,
    /// The program on trial; built from this repository if not given
    #[arg(long)]
    nuncio: Option<PathBuf>,
}

type Rig = Pin<Box<dyn Future<Output = anyhow::Result<Row>>>>;

/// A case: its number, what must come out, and the function that finds it out.
struct Case {
    name: &'static str,
    required: &'static str,
    /// Whether it may run beside others: it mostly waits, and measures no time.
    beside: bool,
    rig: fn(Size) -> Rig,
}

macro_rules! case {
    ($name:literal, $required:expr, $beside:literal, $rig:path) => {
        Case { name: $name, required: $required, beside: $beside, rig: |size| Box::pin($rig(size)) }
    };
}

/// In the order of the table.
const CASES: &[Case] = &[
    case!("K-1", kill::K1, true, kill::at_random),
    case!("K-1 packed", packed::PACKED, true, packed::at_random),
    case!("K-2", kill::K2, false, kill::before_the_answer),
    case!("K-3", kill::K3, true, kill::after_discord_took_it),
    case!("K-3 URL", webhook::KILLED, true, webhook::killed),
    case!("K-4", decision::K4, false, decision::killed),
    case!("K-5", stop::K5, false, stop::under_load),
    case!("K-7", power::K7, false, power::cuts),
    case!("F-1", storage::F1, false, storage::disk_full),
    case!("F-3", storage::F3, false, storage::locked),
    case!("D-7", click::D7, false, click::acknowledged),
    case!("N-1", network::N1, true, network::storm),
    case!("N-2", network::N2, false, network::lying_headers),
    case!("N-8, N-9", network::N8, false, network::strangers_answer),
    case!("N-10", network::N10, false, network::recovery),
    case!("N-4", refused::N4, false, refused::dead_token),
    case!("N-5", refused::N5, false, refused::refusals),
    case!("D-12", webhook::DELETED, false, webhook::deleted),
    case!("L-2", poison::L2, false, poison::among_others),
    case!("429s", pace::LIMITS, true, pace::full_speed),
    case!("restart", pace::RESTART, false, pace::restart),
];

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    // Absolute: cases start it in folders of their own.
    rig::try_program(match &arguments.nuncio {
        Some(path) => path.canonicalize().context("--nuncio")?,
        None => build()?,
    });
    let size = if arguments.full { Size::Full } else { Size::Short };
    let chosen = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    let cases: Vec<&Case> = CASES.iter().filter(|case| chosen(case.name)).collect();
    let known: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    ensure!(!cases.is_empty(), "no such case; there are {}", known.join(" "));
    ensure!(
        !arguments.write || arguments.full && arguments.only.is_empty(),
        "--write is for a whole run: --full, without --only"
    );
    let (clock, began) = (Clock::system(), Instant::now());
    let date = clock.now().to_rfc3339();
    let (beside, alone): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| case.beside);
    let mut rows: Vec<Row> =
        futures_util::future::join_all(beside.into_iter().map(|case| run(case, size, began))).await;
    for case in alone {
        rows.push(run(case, size, began).await);
    }
    let place = |row: &Row| CASES.iter().position(|case| case.name == row.case);
    rows.sort_by_key(place);
    let table = table(&rows, size, &date, began.elapsed());
    println!("{table}");
    if arguments.write {
        write(&table)?;
    }
    let fails = rows.iter().any(|row| row.holds == Holds::No);
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The table for docs/trust.md, with the date, the duration and the machine.
fn table(rows: &[Row], size: Size, date: &str, took: Duration) -> String {
    let form = size.of("the short form", "full length");
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let date = date.split('T').next().unwrap_or_default();
    let minutes = took.as_secs().div_ceil(60);
    let rows: Vec<String> = rows.iter().map(Row::to_string).collect();
    format!("{date}, {form}, {build} build, {cores} cores, {minutes} min:\n\n{HEAD}\n{}", rows.join("\n"))
}

/// Replaces the table between its markers in docs/trust.md.
fn write(table: &str) -> anyhow::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/trust.md");
    let page = std::fs::read_to_string(path)?;
    let (head, rest) = page.split_once("<!-- trust -->").context("no <!-- trust --> in docs/trust.md")?;
    let (_, tail) = rest.split_once("<!-- /trust -->").context("no <!-- /trust --> in docs/trust.md")?;
    std::fs::write(path, format!("{head}<!-- trust -->\n\n{table}\n\n<!-- /trust -->{tail}"))?;
    Ok(())
}

/// Runs one case until it ends or reaches the time limit.
async fn run(case: &Case, size: Size, began: Instant) -> Row {
    eprintln!("{:>5} s  {} begins", began.elapsed().as_secs(), case.name);
    let left = LIMIT.saturating_sub(began.elapsed());
    let patience = async {
        loop {
            Clock::system().sleep(WORD).await;
            eprintln!("{:>5} s  {} goes on", began.elapsed().as_secs(), case.name);
        }
    };
    let ran = tokio::select! {
        ran = rig::within("the case to end", left, (case.rig)(size)) => ran,
        () = patience => unreachable!("it has no end"),
    };
    let row = ran.and_then(|row| row).unwrap_or_else(|error| Row::broken(case.name, case.required, &error));
    eprintln!("{:>5} s  {row}", began.elapsed().as_secs());
    row
}

/// Builds the program with this example's profile; returns its path.
fn build() -> anyhow::Result<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--bin", "nuncio"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    ensure!(cargo.status().context("cargo build")?.success(), "nuncio could not be built");
    let own = std::env::current_exe()?;
    let folder = own.ancestors().nth(2).context("this example stands in target/<profile>/examples")?;
    Ok(folder.join("nuncio"))
}
