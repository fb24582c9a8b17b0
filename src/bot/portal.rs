//! A check of the application's settings in the Developer Portal: the interactions endpoint URL takes all clicks and
//! commands away from the gateway.

use crate::bot::Shared;
use crate::hub::{Condition, interactions_elsewhere};

/// Warns if Discord sends interactions to an endpoint URL. Discord-compatible servers may lack these settings.
pub(super) async fn inspect(shared: &Shared) {
    let Ok(application) = shared.client.application().await else { return };
    if application.takes_interactions_away() {
        let sentence = interactions_elsewhere(application.id).sentence();
        if shared.hub.conditions().raise(Condition::InteractionsElsewhere, sentence.clone()) {
            tracing::warn!("{sentence}");
        }
    }
}
