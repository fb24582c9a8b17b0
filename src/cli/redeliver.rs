//! `nuncio redeliver`: sends what was left behind.

use std::process::ExitCode;

use crate::clock::Clock;
use crate::config::Config;
use crate::hub::Hub;
use crate::store::{HintSender, Store};

/// Gives every unrouted event the route it has by now. A running `nuncio serve` sends them within a second; else the
/// next one does.
///
/// # Errors
/// If the database cannot be used.
pub(super) async fn unrouted(config: Config) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    // Nobody listens to hints here: the running server looks at the table.
    let (hints, _nobody) = HintSender::channel();
    let store = Store::open(&config.database.path, clock.clone(), hints).await?;
    let hub = Hub::new(store.clone(), clock, config.routes, config.pings).await?;
    let done = hub.redeliver_unrouted().await?;
    store.close().await;
    super::print(&format!(
        "{} events now have a route: {} deliveries are due. {} still have none.",
        done.routed, done.deliveries, done.unrouted
    ));
    if done.unrouted > 0 {
        super::print("Add their kinds, or \"default\", to DISCORD_WEBHOOK_CHANNELS and try again.");
    }
    Ok(ExitCode::SUCCESS)
}
