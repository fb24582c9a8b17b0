//! Slash commands at the gateway: poise registers and parses them, their handlers are in `bot/command/`.
//!
//! Every function that poise calls is one line: it hands its options over. Access is not checked here.

mod definition;

use std::convert::Infallible;

use poise::{BoxFuture, CommandInteractionType, Framework, FrameworkError, FrameworkOptions};
use serenity::all::{AutocompleteChoice, CreateAutocompleteResponse};
use tokio_util::sync::CancellationToken;

use crate::bot::gateway::callback::Callback;
use crate::bot::gateway::incoming;
use crate::bot::handlers::Handlers;
use crate::bot::interaction::{CommandOptions, InteractionKind, SuggestedOption};
use crate::bot::reply::{FirstResponse, ReplyBody};
use crate::bot::responder::{FirstReturned, Responder};
use crate::bot::router;

/// What the commands of one connection need.
pub(super) struct CommandData {
    handlers: Handlers,
    /// Cancelled when the connection that delivered the command is abandoned: another connection receives it as well.
    closed: CancellationToken,
}

type PoiseCommand = poise::Command<CommandData, Infallible>;

/// A command as poise parsed it.
type PoiseContext<'a> = poise::ApplicationContext<'a, CommandData, Infallible>;

/// All commands, as the JSON that Discord receives.
pub(in crate::bot) fn definitions() -> serde_json::Result<serde_json::Value> {
    serde_json::to_value(poise::builtins::create_application_commands(&definition::all()))
}

/// The poise framework for one connection. Its setup must not fail: until setup is done, every event waits.
pub(super) fn framework(handlers: Handlers, closed: CancellationToken) -> Framework<CommandData, Infallible> {
    let data = CommandData { handlers, closed };
    Framework::builder()
        .options(FrameworkOptions {
            commands: definition::all(),
            command_check: Some(|context| Box::pin(may_begin(context))),
            on_error: |error| Box::pin(report_error(error)),
            ..FrameworkOptions::default()
        })
        .initialize_owners(false)
        .setup(|_, _, _| -> BoxFuture<'_, Result<CommandData, Infallible>> {
            Box::pin(async move { Ok(data) })
        })
        .build()
}

/// Whether this connection still counts. At shutdown it does: the handler replies that nuncio is restarting.
async fn may_begin(context: poise::Context<'_, CommandData, Infallible>) -> Result<bool, Infallible> {
    let CommandData { handlers, closed } = context.data();
    Ok(handlers.is_stopping() || !closed.is_cancelled())
}

/// Hands a command to its handler, which answers it whatever happens.
async fn run(context: PoiseContext<'_>, options: CommandOptions) -> Result<(), Infallible> {
    let name = context.command().qualified_name.to_string();
    let interaction = incoming::command(context.interaction, InteractionKind::Command { name, options });
    let responder = Responder::new(Callback::new(&context.serenity_context().http, &interaction));
    router::handle(&context.data().handlers, &interaction, &responder).await;
    Ok(())
}

/// Suggestions for an option. Poise sends them.
async fn suggest(
    context: PoiseContext<'_>,
    option: SuggestedOption,
    typed: &str,
) -> CreateAutocompleteResponse {
    let kind = InteractionKind::Suggestion { option, typed: typed.to_owned() };
    let interaction = incoming::command(context.interaction, kind);
    let later = Callback::new(&context.serenity_context().http, &interaction);
    let (outlet, first) = FirstReturned::new(later);
    router::handle(&context.data().handlers, &interaction, &Responder::new(outlet)).await;
    match first.await {
        Ok(FirstResponse::Choices(choices)) => {
            let choices =
                choices.into_iter().map(|choice| AutocompleteChoice::new(choice.name, choice.value));
            CreateAutocompleteResponse::new().set_choices(choices.collect())
        }
        _ => CreateAutocompleteResponse::new(),
    }
}

/// Answers what poise could not hand over. Whatever fails in a handler is reported there.
async fn report_error(error: FrameworkError<'_, CommandData, Infallible>) {
    match error {
        // The connection was abandoned.
        FrameworkError::CommandCheckFailed { .. } => {}
        FrameworkError::UnknownInteraction { interaction, .. } => {
            tracing::info!("/{} was called, but nuncio no longer has that command", interaction.data.name);
        }
        FrameworkError::GuildOnly { ctx: poise::Context::Application(context), .. } => {
            reply(context, "This works only in a server: use it in a channel of the operator's server.")
                .await;
        }
        // The second: an unknown choice, from a command that another version registered.
        FrameworkError::ArgumentParse { ctx: poise::Context::Application(context), .. }
        | FrameworkError::CommandStructureMismatch { ctx: context, .. } => {
            if context.interaction_type == CommandInteractionType::Command {
                let _ = run(context, CommandOptions::Unreadable).await;
            }
        }
        other => tracing::error!(
            "Discord's library reported an error to the bot: {other}. The bot goes on. Please report this"
        ),
    }
}

/// Replies to a command that has no handler here. A suggestion has no place for a sentence.
async fn reply(context: PoiseContext<'_>, sentence: &str) {
    if context.interaction_type == CommandInteractionType::Autocomplete {
        return;
    }
    let kind = InteractionKind::Command { name: String::new(), options: CommandOptions::Unreadable };
    let callback =
        Callback::new(&context.serenity_context().http, &incoming::command(context.interaction, kind));
    if let Err(error) = Responder::new(callback).reply(ReplyBody::whisper(sentence)).await {
        tracing::warn!(
            "the answer to a command did not reach Discord: {error}. The person sees that the command failed"
        );
    }
}
