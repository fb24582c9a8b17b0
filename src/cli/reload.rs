//! SIGHUP: reads `.env` again while nuncio serves.

use tokio::signal::unix::Signal;

use crate::app::Reloader;
use crate::config::{Reloaded, Report, Variables};

/// What to do about a configuration that was refused.
const MEND: &str = "Fix it (nuncio config shows every problem), then send SIGHUP again";

/// Reads the variables again after each signal. Never ends.
pub(super) async fn at_each(mut hangups: Signal, reloader: Reloader, mut running: Variables) {
    while hangups.recv().await.is_some() {
        if let Some(now) = reload(&reloader, &running).await {
            running = now;
        }
    }
}

/// Reads the variables again. What counts from now on; `None`: what counted before.
async fn reload(reloader: &Reloader, running: &Variables) -> Option<Variables> {
    let reloaded = match Reloaded::between(running, &super::variables()) {
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

/// What is wrong, by the names of variables alone: a fix may hold a new secret, and the log is no place for one.
fn named(report: &Report) -> String {
    let problems = report.problems.iter().map(|problem| {
        let place = if problem.place.is_empty() { String::new() } else { format!(" ({})", problem.place) };
        format!("{}{place} {}", problem.variable, problem.wrong.what)
    });
    problems.collect::<Vec<_>>().join("; ")
}
