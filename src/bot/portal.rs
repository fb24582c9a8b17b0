//! The application's settings in the Developer Portal: one of them takes all clicks and commands away from the gateway.

use crate::bot::Shared;
use crate::hub::{Condition, interactions_elsewhere};

/// Looks at the settings, and says so if Discord sends interactions elsewhere. Servers written by others may have none.
pub(super) async fn inspect(shared: &Shared) {
    let Ok(application) = shared.client.application().await else { return };
    if application.takes_interactions_away() {
        let sentence = interactions_elsewhere(application.id).sentence();
        if shared.hub.conditions().raise(Condition::InteractionsElsewhere, sentence.clone()) {
            tracing::warn!("{sentence}");
        }
    }
}
