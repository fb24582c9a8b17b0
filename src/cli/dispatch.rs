//! `nuncio dispatch`: what a hosting platform reports, from the shell. Works beside a running server.

mod args;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use crate::app;
use crate::cli::actor::actor;
use crate::cli::hub_error::at_shell;
use crate::cli::{counted, database, print, say, table};
use crate::clock::Clock;
use crate::config::Config;
use crate::hub::Hub;
use crate::model::By;
use crate::model::dispatch::{Dispatch, DispatchReport, Dispatched};
use crate::store::Lock;

use args::{Function, To};

/// How long `--wait` waits.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(200);
/// The most characters of a name or an error on a line.
const GLIMPSE: usize = 120;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    function: Function,
}

/// Dispatches, and says to how many webhooks. A running `nuncio serve` sends it within a second, otherwise the next one
/// does.
///
/// # Errors
/// If the database or its key cannot be used, or the options contradict each other.
pub(super) async fn run(args: Args, config: Config) -> anyhow::Result<ExitCode> {
    let (dispatch, to) = args.function.read()?;
    let clock = Clock::system();
    let is_served = Lock::is_held(&config.database.path);
    let store = database::open(&config, clock.clone()).await?;
    let hub = Hub::beside_server(store.clone(), clock.clone(), config.routes, config.pings).await?;
    let done = match app::unlock(&store, &config.encryption).await {
        Ok(()) => perform(&hub, &clock, &dispatch, &to, is_served).await,
        Err(error) => Err(error),
    };
    store.close().await;
    done
}

async fn perform(
    hub: &Hub,
    clock: &Clock,
    dispatch: &Dispatch,
    to: &To,
    is_served: bool,
) -> anyhow::Result<ExitCode> {
    let by = By::new(actor(), "command.dispatch");
    let done = hub.dispatch(dispatch, &to.options(), None, &by).await.map_err(at_shell)?;
    let dispatched = done.done().unwrap_or_default();
    for warning in &dispatched.warnings {
        say(&format!("{warning}."));
    }
    if !is_served && dispatched.deliveries > 0 {
        say("nuncio is not running on this database: it is sent at its next start.");
    }
    if !to.wait || !is_served {
        tell(&dispatched, to.json);
        return Ok(code(dispatched.deliveries > 0));
    }
    let report = follow(hub, clock, &dispatched).await?;
    tell_report(&dispatched, &report, to.json);
    Ok(code(report.sent() > 0))
}

/// Looks until every webhook has an outcome, or [`PATIENCE`] runs out: the deliveries are another process's.
async fn follow(hub: &Hub, clock: &Clock, dispatched: &Dispatched) -> anyhow::Result<DispatchReport> {
    let until = clock.elapsed() + PATIENCE;
    loop {
        let report = hub.dispatch_report(dispatched, Duration::ZERO).await?;
        if report.pending() == 0 || clock.elapsed() >= until {
            return Ok(report);
        }
        clock.sleep(LOOK).await;
    }
}

fn code(is_success: bool) -> ExitCode {
    if is_success { ExitCode::SUCCESS } else { ExitCode::from(super::FAILED) }
}

fn tell(dispatched: &Dispatched, as_json: bool) {
    let id = dispatched.event_id.map(|id| id.to_string());
    if as_json {
        let errors: Vec<Value> = dispatched
            .errors
            .iter()
            .map(|error| json!({"webhook": error.webhook, "error": error.error}))
            .collect();
        print(&json!({"event_id": id, "deliveries": dispatched.deliveries, "errors": errors}).to_string());
        return;
    }
    let id = id.unwrap_or_default();
    for error in &dispatched.errors {
        say(&format!("{}. It is kept: nuncio events show {id}", table::clean(&error.error, GLIMPSE)));
    }
    if dispatched.deliveries > 0 {
        print(&format!("{id}  for {}", counted(dispatched.deliveries, "webhook")));
    }
}

fn tell_report(dispatched: &Dispatched, report: &DispatchReport, as_json: bool) {
    if as_json {
        let results: Vec<Value> = report
            .results
            .iter()
            .map(|result| {
                json!({
                    "webhook": result.webhook, "status": result.status, "state": result.state.as_str(),
                    "ms": result.ms, "attempts": result.attempts, "error": result.error(),
                })
            })
            .collect();
        let id = dispatched.event_id.map(|id| id.to_string());
        print(
            &json!({
                "event_id": id, "success": report.sent() > 0, "sent": report.sent(), "failed": report.failed(),
                "pending": report.pending(), "results": results,
            })
            .to_string(),
        );
        return;
    }
    for error in &report.errors {
        say(&table::clean(&error.error, GLIMPSE));
    }
    for result in &report.results {
        let took = result.ms.map(|ms| format!("  {ms} ms")).unwrap_or_default();
        let error = result.error().map(|error| format!("  {error}")).unwrap_or_default();
        let line = format!("{}  {}{took}{error}", result.webhook, result.state.as_str());
        print(&table::fitted(&table::clean(&line, 2 * GLIMPSE)));
    }
    say(&format!("{} sent, {} failed, {} pending.", report.sent(), report.failed(), report.pending()));
}
