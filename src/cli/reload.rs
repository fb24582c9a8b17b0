//! Configuration reload: reads `.env` again on SIGHUP while nuncio serves.

use tokio::signal::unix::Signal;

use crate::app::Reloader;
use crate::config::{Reloaded, Report, Variables};
use crate::store;

/// What the operator can do about a refused configuration.
const MEND: &str = "Fix it (nuncio config shows every problem), then send SIGHUP again";

/// Reloads the configuration after each signal. Never returns.
pub(super) async fn at_each(mut hangups: Signal, reloader: Reloader, mut running: Variables) {
    while hangups.recv().await.is_some() {
        if let Some(now) = reload(&reloader, &running).await {
            running = now;
        }
    }
}

/// Compares the variables in force with those of now.
fn between(running: &Variables) -> Result<Reloaded, Report> {
    let new = super::variables();
    Reloaded::between(running, &new, store::entrance_of(&new))
}

/// Reads the variables again. Returns those in force from now on; `None` if the previous ones stay.
async fn reload(reloader: &Reloader, running: &Variables) -> Option<Variables> {
    let reloaded = match between(running) {
        Ok(reloaded) => reloaded,
        Err(report) => {
            reloader.refuse(&format!(
                "SIGHUP received, but the new configuration is wrong, so nuncio keeps the previous one: {}. {MEND}",
                named(&report)
            ));
            return None;
        }
    };
    let before = reloader.table();
    let notes = reloaded.config.notes.clone();
    if let Err(error) = reloader.apply(reloaded.config).await {
        reloader.refuse(&format!(
            "SIGHUP received, but the database could not save the new map, so nuncio keeps the previous \
             configuration: {error}. Send SIGHUP again"
        ));
        return None;
    }
    if reloaded.in_effect.is_empty() && reloaded.at_restart.is_empty() {
        tracing::info!("SIGHUP received: the configuration has not changed");
        return Some(reloaded.variables);
    }
    if !reloaded.in_effect.is_empty() {
        tracing::info!(
            "SIGHUP received: changed, and in effect from now on: {}",
            reloaded.in_effect.join(", ")
        );
    }
    if !reloaded.at_restart.is_empty() {
        tracing::warn!(
            "SIGHUP received: changed, but in effect only after a restart: {}",
            reloaded.at_restart.join(", ")
        );
    }
    for line in reloader.table().iter().filter(|line| !before.contains(line)) {
        tracing::info!("{line}");
    }
    for note in notes {
        tracing::warn!("{note}");
    }
    Some(reloaded.variables)
}

/// The problems, by variable name only: a fix may contain a new secret, and a secret must not enter the log.
fn named(report: &Report) -> String {
    let problems = report.problems.iter().map(|problem| {
        let place = if problem.place.is_empty() { String::new() } else { format!(" ({})", problem.place) };
        format!("{}{place} {}", problem.variable, problem.wrong.what)
    });
    problems.collect::<Vec<_>>().join("; ")
}
