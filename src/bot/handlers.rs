//! What the handlers of interactions share: commands (`bot/command/`), and buttons, menus and dialogs
//! (`bot/component/`).
//!
//! Handlers take an [`Interaction`] and a [`Responder`](crate::bot::responder::Responder). They know neither the gateway
//! nor the libraries behind it.

use std::sync::Arc;

use crate::bot::Shared;
use crate::bot::guild_cache::GuildCache;
use crate::bot::interaction::Interaction;
use crate::bot::responder::Responded;
use crate::model::Snowflake;

/// What the handlers of interactions share. Clones share it.
#[derive(Clone)]
pub(super) struct Handlers {
    pub(super) shared: Arc<Shared>,
    /// Holds every channel that the bot sees.
    pub(super) guilds: GuildCache,
}

impl Handlers {
    pub(super) fn new(shared: Arc<Shared>, guilds: GuildCache) -> Self {
        Self { shared, guilds }
    }

    /// Whether the process is stopping: then no new work begins.
    pub(super) fn is_stopping(&self) -> bool {
        self.shared.stopping.is_cancelled()
    }

    /// Records that the gateway delivered an interaction.
    pub(super) fn record_arrival(&self, interaction: Snowflake) {
        self.shared.rival.record_interaction(&self.shared.hub, interaction.get());
    }

    /// Records whether the first response succeeded: another program may have answered already.
    pub(super) fn began(&self, interaction: &Interaction, first: Responded) {
        if let Err(error) = &first {
            self.shared.rival.refused(&self.shared.hub, interaction.id.get(), error);
        }
        log_unanswered(first);
    }
}

/// Logs a response that failed. It changes nothing about a decision: the gateway may have delivered a click twice
/// (40060), or the interaction expired (10062).
pub(super) fn log_unanswered(responded: Responded) {
    if let Err(error) = responded {
        tracing::debug!("a click could not be answered: {error}");
    }
}
