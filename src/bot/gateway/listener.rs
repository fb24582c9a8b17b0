//! The gateway's interactions: each becomes nuncio's own and is handed to its handler.
//!
//! Clicks and dialogs go straight there; commands take the way through poise, which parses them
//! (`bot/gateway/command.rs`).

use serenity::all::{Context, EventHandler, Interaction};
use serenity::async_trait;
use tokio_util::sync::CancellationToken;

use crate::bot::gateway::callback::Callback;
use crate::bot::gateway::incoming;
use crate::bot::handlers::Handlers;
use crate::bot::responder::Responder;
use crate::bot::router;
use crate::model::Snowflake;

/// Receives the interactions of one connection.
#[derive(Clone)]
pub(super) struct Listener {
    handlers: Handlers,
    /// Cancelled when this connection is abandoned: another connection receives the same events.
    closed: CancellationToken,
}

impl Listener {
    pub(super) fn new(handlers: Handlers, closed: CancellationToken) -> Self {
        Self { handlers, closed }
    }

    /// Handles a click or a dialog up to its final reply. Of a command, only its arrival counts here.
    pub(super) async fn receive(&self, context: &Context, interaction: &Interaction) {
        if self.closed.is_cancelled() {
            return;
        }
        self.handlers.record_arrival(Snowflake::new(interaction.id().get()));
        let interaction = match interaction {
            Interaction::Component(click) => incoming::component(click),
            Interaction::Modal(modal) => incoming::dialog(modal),
            _ => return,
        };
        let responder = Responder::new(Callback::new(&context.http, &interaction));
        router::handle(&self.handlers, &interaction, &responder).await;
    }
}

#[async_trait]
impl EventHandler for Listener {
    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        self.receive(&context, &interaction).await;
    }
}
