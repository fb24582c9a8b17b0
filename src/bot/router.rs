//! The one entry of every interaction, whatever brought it: routes it to its handler.

use crate::bot::command;
use crate::bot::guild_arrival::wait_for_guild;
use crate::bot::handlers::Handlers;
use crate::bot::interaction::{Interaction, InteractionKind};
use crate::bot::responder::Responder;
use crate::hub::Entrypoint;

/// Handles an interaction up to its final response. A click goes on even if the process is stopping meanwhile.
pub(super) async fn handle(handlers: &Handlers, interaction: &Interaction, responder: &Responder) {
    match &interaction.kind {
        InteractionKind::Command { name, options } => {
            let context = command::CommandContext { name, interaction, responder, handlers };
            command::answer(context, options).await;
        }
        InteractionKind::Suggestion { option, typed } => {
            let context = command::CommandContext { name: "", interaction, responder, handlers };
            command::suggest(context, *option, typed).await;
        }
        InteractionKind::Component(click) => {
            let _under_way = handlers.shared.clicks.token();
            wait_for_guild(&handlers.shared.hub, &handlers.shared.clock, interaction.guild, Entrypoint::Card)
                .await;
            handlers.handle_component(interaction, click, responder).await;
        }
        InteractionKind::Dialog(dialog) => {
            let _under_way = handlers.shared.clicks.token();
            wait_for_guild(&handlers.shared.hub, &handlers.shared.clock, interaction.guild, Entrypoint::Card)
                .await;
            handlers.handle_dialog(interaction, dialog, responder).await;
        }
    }
}

#[cfg(test)]
mod tests;
