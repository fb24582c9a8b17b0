//! `nuncio serve`: the server.

use std::net::SocketAddr;
use std::process::ExitCode;

use crate::app::App;
use crate::cli::{exit_code_of, reload, signals, start, supervisor};
use crate::clock::Clock;
use crate::config::{Config, Variables};
use crate::store;
use crate::telemetry;

/// Serves until Ctrl-C, SIGTERM or SIGQUIT. `notes` are warnings about this process, for the log.
///
/// # Errors
/// If it cannot start; the error says what to do.
pub(super) async fn run(variables: Variables, notes: Vec<String>) -> anyhow::Result<ExitCode> {
    let config = Config::read(&variables, store::entrance_of(&variables))?;
    let (_telemetry, about_logs) = telemetry::init(&config.logs.filter, &config.logs.dir);
    for note in config.notes.iter().chain(&notes).chain(&about_logs) {
        tracing::warn!("{note}");
    }
    let address = SocketAddr::new(config.webhook.host, config.webhook.port);
    // As early as possible: until then these signals kill the process.
    let (stop, hangups) = signals::for_server()?;
    let listener = start::listen(address).await?;
    let has_routes = !config.routes.routes().is_empty();
    let door = config.webhook.secret.as_ref().map(|_| config.webhook.path.clone());
    let database = config.database.path.clone();
    let key = config.encryption.to_string();
    let app = App::build(config, listener, Clock::system()).await;
    let app = app.map_err(|error| start::explained(error, &database))?;
    // Without a door and a route, no event needs one.
    if door.is_some() || has_routes || !app.hub().set_routes().is_empty() {
        for line in app.hub().table() {
            tracing::info!("{line}");
        }
    }
    tracing::info!("database: {}", database.display());
    tracing::info!("key: {key}");
    if app.store().is_open_to_others() {
        let path = database.display();
        tracing::warn!(
            "other users of this machine may read {path} and what is beside it: chmod 600 {path}*"
        );
    }
    tracing::info!("nuncio {} is ready", env!("CARGO_PKG_VERSION"));
    match door {
        Some(path) => tracing::info!("webhooks: POST http://{}{path}", app.addr()),
        None => tracing::info!("webhooks: none are taken, because WEBHOOK_SECRET is not set"),
    }
    tracing::info!("API: http://{}/v1", app.admin_addr());
    let store = app.store().clone();
    tokio::spawn(reload::at_each(hangups, app.reloader(), variables));
    supervisor::ready();
    tokio::join!(app.run(stop.clone()), supervisor::stopping(stop));
    tracing::info!("stopped");
    // The reason is in the log. A supervisor restarts the process, unless an operator must act first.
    Ok(store.failure().map_or(ExitCode::SUCCESS, |error| ExitCode::from(exit_code_of(&error))))
}
