//! Slash commands: the list of them, and the checks and error handling around each one.
//!
//! Each command family has its own file. Whatever fails, the person gets one friendly sentence that only they see, with
//! a reference that is also in the log. No reply pings anyone.

mod authorize;
mod config;
mod delivery;
mod machine;
mod mute;
mod register;
mod status;
mod test;
mod ticket;
mod unmute;

use std::sync::Arc;

use poise::{BoxFuture, CreateReply, Framework, FrameworkError, FrameworkOptions};
use serenity::all::CreateAutocompleteResponse;
use tokio_util::sync::CancellationToken;

use crate::bot::rival::Rival;
use crate::bot::{CommandDeps, Shared, http};
use crate::clock::Clock;
use crate::hub::Hub;
use crate::model::EventId;
use crate::xtsystems::NO_KEY;

/// Dependencies of the commands.
pub(super) struct Data {
    hub: Hub,
    errands: CommandDeps,
    clock: Clock,
    rival: Arc<Rival>,
    /// Cancelled at shutdown.
    stopping: CancellationToken,
    /// Cancelled when the connection that delivered the command is abandoned: another connection receives it as well.
    closed: CancellationToken,
}

/// Why a command could not be answered. Inner errors stay in the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// Discord refused the reply.
    #[error("{}", http::sentence(.0))]
    Answer(#[from] serenity::Error),
    /// A database query failed.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
}

pub(super) type Command = poise::Command<Data, Error>;

/// A command as Discord sent it, with the person's roles and permissions at that moment.
type Context<'a> = poise::ApplicationContext<'a, Data, Error>;

/// All commands of this configuration. Commands that need a missing setting are left out.
pub(super) fn all() -> Vec<Command> {
    vec![
        status::webhook_status(),
        config::webhook_config(),
        register::register_webhook(),
        test::test_webhook(),
        ticket::create_ticket(),
        machine::machine(),
        delivery::deliveries(),
        mute::mute(),
        unmute::unmute(),
        delivery::redeliver(),
        delivery::show_raw(),
    ]
}

/// The poise framework for one connection. Its setup must not fail: until setup is done, every event waits.
pub(super) fn framework(shared: &Shared, closed: CancellationToken) -> Framework<Data, Error> {
    let data = Data {
        hub: shared.hub.clone(),
        errands: shared.errands.clone(),
        clock: shared.clock.clone(),
        rival: Arc::clone(&shared.rival),
        stopping: shared.stopping.clone(),
        closed,
    };
    Framework::builder()
        .options(FrameworkOptions {
            commands: all(),
            command_check: Some(|context| Box::pin(may_begin(context))),
            on_error: |error| Box::pin(report_error(error)),
            // `http::serenity` already allows no mentions. Poise's own default allows mentions of all users.
            allowed_mentions: None,
            ..FrameworkOptions::default()
        })
        .initialize_owners(false)
        .setup(|_, _, _| -> BoxFuture<'_, Result<Data, Error>> { Box::pin(async move { Ok(data) }) })
        .build()
}

/// Runs before every command and suggestion: refuses work at shutdown, and any use in a foreign guild.
async fn may_begin(context: poise::Context<'_, Data, Error>) -> Result<bool, Error> {
    let data = context.data();
    data.rival.record_interaction(&data.hub, context.id());
    if data.stopping.is_cancelled() {
        reply(context, "nuncio is restarting: try again in a minute. Nothing was changed.").await;
        return Ok(false);
    }
    if data.closed.is_cancelled() {
        return Ok(false);
    }
    match context {
        poise::Context::Application(context) => authorize::check_guild(context).await,
        poise::Context::Prefix(_) => Ok(false),
    }
}

/// Reports a failure to the person and to the log.
async fn report_error(error: FrameworkError<'_, Data, Error>) {
    let reference = EventId::new().short();
    let Some(context) = error.ctx() else {
        match error {
            FrameworkError::UnknownInteraction { interaction, .. } => {
                tracing::info!(
                    "/{} was called, but nuncio no longer has that command",
                    interaction.data.name
                );
            }
            other => tracing::error!(
                "Discord's library reported an error to the bot: {other}. The bot goes on. Please report this"
            ),
        }
        return;
    };
    let name = context.command().qualified_name.clone();
    let sentence = match &error {
        FrameworkError::CommandCheckFailed { error: None, .. } => return,
        FrameworkError::GuildOnly { .. } => {
            "This works only in a server: use it in a channel of the operator's server.".to_owned()
        }
        // The second: an unknown choice, from a command that another version registered.
        FrameworkError::ArgumentParse { .. } | FrameworkError::CommandStructureMismatch { .. } => {
            "Discord sent options that this command does not have. Nothing was changed: reload Discord (Ctrl+R) and try again."
                .to_owned()
        }
        FrameworkError::Command { error: Error::Answer(error), .. }
        | FrameworkError::CommandCheckFailed { error: Some(Error::Answer(error)), .. }
            if http::is_over(error) =>
        {
            tracing::debug!("/{name} could not be answered: {}", http::sentence(error));
            context.data().rival.refused(&context.data().hub, context.id(), error);
            return;
        }
        FrameworkError::CommandPanic { .. } => {
            tracing::error!(reference, "/{name} failed because nuncio panicked (stderr shows where). Everything else \
                                        goes on. Please report this");
            format!(
                "The command failed because of a bug in nuncio. Everything else goes on. Give your operator the code \
                 `{reference}`."
            )
        }
        _ => {
            let cause = match &error {
                FrameworkError::Command { error, .. } => error.to_string(),
                other => other.to_string(),
            };
            tracing::error!(
                reference, cause, "/{name} failed, and its user was given the code in `reference`. If it fails \
                 again, report this"
            );
            format!(
                "The command failed. Try again in a minute; if it fails again, give your operator the code `{reference}`."
            )
        }
    };
    reply(context, &sentence).await;
}

/// Replies to the person who ran the command.
async fn reply(context: poise::Context<'_, Data, Error>, sentence: &str) {
    let reply = CreateReply::default().content(sentence).ephemeral(true);
    if let Err(error) = context.send(reply).await {
        tracing::warn!(
            "the answer to a command did not reach Discord: {}. The person sees that the command failed",
            http::sentence(&error)
        );
    }
}

/// Autocomplete suggestions, as pairs of label and value.
fn choices(found: impl Iterator<Item = (String, String)>) -> CreateAutocompleteResponse {
    found.fold(CreateAutocompleteResponse::new(), |choices, (name, value)| {
        choices.add_string_choice(name, value)
    })
}
