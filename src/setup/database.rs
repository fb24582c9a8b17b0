//! The database connection, for audit entries and for the test.

use crate::app;
use crate::config::Config;
use crate::setup::Setup;
use crate::store::{HintSender, Store};

/// Opens the database with its key.
pub(super) async fn open(setup: &Setup<'_>, config: &Config) -> Result<Store, String> {
    let (hints, _nobody) = HintSender::channel();
    let store = Store::open(&config.database.path, setup.clock.clone(), hints).await;
    let store = store.map_err(|error| error.to_string())?;
    match app::unlock(&store, &config.encryption).await {
        Ok(()) => Ok(store),
        Err(error) => {
            store.close().await;
            Err(error.to_string())
        }
    }
}
