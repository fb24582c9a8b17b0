//! `nuncio clock`: the time on this machine, and an operator's confirmation that it is right.

use std::process::ExitCode;

use crate::app;
use crate::cli::actor::actor;
use crate::cli::hub_error::at_shell;
use crate::cli::{database, print, say};
use crate::clock::Clock;
use crate::config::Config;
use crate::hub::Hub;
use crate::model::By;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Confirm that this machine's clock is right, although it jumped or differs from Discord's
    Confirm,
}

/// Shows the clock, or confirms it. A running `nuncio serve` notices within a second.
///
/// # Errors
/// If the database or its key cannot be used.
pub(super) async fn run(args: &Args, config: Config) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    print(&clock.now().to_rfc3339());
    if args.what.is_none() {
        say("If this is right and /health doubts it, run: nuncio clock confirm");
        return Ok(ExitCode::SUCCESS);
    }
    let store = database::open(&config, clock.clone()).await?;
    let hub = Hub::beside_server(store.clone(), clock, config.routes, config.pings).await?;
    let done = match app::unlock(&store, &config.encryption).await {
        Ok(()) => hub.confirm_clock(&By::new(actor(), "command.clock-confirm")).await.map_err(at_shell),
        Err(error) => Err(error),
    };
    store.close().await;
    done?;
    say("Confirmed: a running server trusts this clock until it is set again or the server restarts.");
    Ok(ExitCode::SUCCESS)
}
