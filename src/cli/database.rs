//! The database connection of commands that run beside a server or without one.

use crate::cli::say;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{HintSender, Store};

/// Opens the database. Its hints have no receiver: a running server polls the table. Prints a notice if there was no
/// database, because the operator may be in the wrong folder.
///
/// # Errors
/// If the database cannot be used.
pub(super) async fn open(config: &Config, clock: Clock) -> anyhow::Result<Store> {
    let path = &config.database.path;
    let is_new = !path.exists();
    let store = open_quietly(config, clock).await?;
    if is_new {
        say(&format!(
            "There was no database at {}, so nuncio created an empty one. If a server is already running, it uses \
             another folder or another NUNCIO_DATABASE_URL: run the command there.",
            path.display()
        ));
    }
    Ok(store)
}

/// Opens the database, without a notice if there was none.
///
/// # Errors
/// If the database cannot be used.
pub(super) async fn open_quietly(config: &Config, clock: Clock) -> anyhow::Result<Store> {
    let (hints, _nobody) = HintSender::channel();
    Ok(Store::open(&config.database.path, clock, hints).await?)
}
