//! `nuncio serve`: the product.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cli::exit_code_of;
use crate::clock::Clock;
use crate::config::Config;
use crate::telemetry;

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// What keeps it from starting, with what to do about it.
pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let (_telemetry, notes) = telemetry::init(&config.logs.filter, &config.logs.dir);
    for note in config.notes.iter().chain(&notes) {
        tracing::warn!("{note}");
    }
    let address = SocketAddr::new(config.webhook.host, config.webhook.port);
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!(
            "cannot listen on {address}: stop the program that does, or set WEBHOOK_HOST and WEBHOOK_PORT"
        )
    })?;
    // Before it is said that it is ready: whoever hears that may stop it.
    let stop = stop_signal()?;
    let path = config.webhook.path.clone();
    let database = config.database.path.clone();
    let app = App::build(config, listener, Clock::system()).await?;
    for line in app.hub().table() {
        tracing::info!("{line}");
    }
    tracing::info!("nuncio {} is ready", env!("CARGO_PKG_VERSION"));
    tracing::info!("webhooks: POST http://{}{path}", app.addr());
    tracing::info!("database: {}", database.display());
    let store = app.store().clone();
    app.run(stop).await;
    tracing::info!("stopped");
    // Why was logged. A supervisor starts it again, unless a person must act first.
    Ok(store.failure().map_or(ExitCode::SUCCESS, |error| ExitCode::from(exit_code_of(&error))))
}

/// Cancelled by Ctrl-C or SIGTERM.
///
/// # Errors
/// If the system lets no signals be caught.
pub(super) fn stop_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}
