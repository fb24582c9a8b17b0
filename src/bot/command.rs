//! The handlers of the slash commands, and the checks and error handling around each one.
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

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use crate::bot::Shared;
use crate::bot::handlers::Handlers;
use crate::bot::interaction::{CommandOptions, Interaction, SuggestedOption};
use crate::bot::reply::{Choice, ReplyBody};
use crate::bot::responder::{Responder, ResponseError};
use crate::model::EventId;
use crate::xtsystems::NO_KEY;

/// Why a command could not be answered. Inner errors stay in the log.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// A response did not arrive.
    #[error(transparent)]
    Answer(#[from] ResponseError),
    /// A database query failed.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
}

/// A command that a person uses, or is typing.
#[derive(Clone, Copy)]
pub(super) struct CommandContext<'a> {
    /// The qualified name, such as "machine approve".
    pub(super) name: &'a str,
    pub(super) interaction: &'a Interaction,
    pub(super) responder: &'a Responder,
    pub(super) handlers: &'a Handlers,
}

impl<'a> CommandContext<'a> {
    fn data(self) -> &'a Shared {
        &self.handlers.shared
    }
}

/// Runs a command: refuses work at shutdown, and any use in a foreign guild, and reports whatever fails.
pub(super) async fn answer(context: CommandContext<'_>, options: &CommandOptions) {
    if context.handlers.is_stopping() {
        return reply(context, "nuncio is restarting: try again in a minute. Nothing was changed.").await;
    }
    let work = async {
        if authorize::check_guild(context).await? {
            run(context, options).await?;
        }
        Ok::<(), Error>(())
    };
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => report_error(context, &error).await,
        Err(_) => report_panic(context).await,
    }
}

async fn run(context: CommandContext<'_>, options: &CommandOptions) -> Result<(), Error> {
    use CommandOptions as Options;
    match options {
        Options::WebhookStatus => status::webhook_status(context).await,
        Options::WebhookConfig => config::webhook_config(context).await,
        Options::RegisterWebhook { events } => register::register_webhook(context, events.as_deref()).await,
        Options::TestWebhook => test::test_webhook(context).await,
        Options::CreateTicket { title, description, priority } => {
            ticket::create_ticket(context, title, description, *priority).await
        }
        Options::MachinePending => machine::pending(context).await,
        Options::MachineApprove { machine } => machine::approve(context, machine).await,
        Options::MachineDeny { machine, reason } => machine::deny(context, machine, reason).await,
        Options::MachineShow { machine } => machine::show(context, machine).await,
        Options::DeliveriesFailed => delivery::failed(context).await,
        Options::DeliveriesShow { id } => delivery::show(context, id).await,
        Options::DeliveriesRetry { id } => delivery::retry(context, id).await,
        Options::Mute { kind, duration, reason } => {
            mute::mute(context, kind, duration, reason.as_deref().unwrap_or_default()).await
        }
        Options::Unmute { mute } => unmute::unmute(context, mute.as_deref()).await,
        Options::Redeliver { message } => delivery::redeliver(context, *message).await,
        Options::ShowRaw { message } => delivery::show_raw(context, *message).await,
        Options::Unreadable => {
            let sentence = "Discord sent options that this command does not have. Nothing was changed: reload Discord \
                            (Ctrl+R) and try again.";
            authorize::say(context, sentence).await
        }
    }
}

/// Suggests values for an option that a person is typing; none at shutdown, and none in a foreign guild.
pub(super) async fn suggest(context: CommandContext<'_>, option: SuggestedOption, typed: &str) {
    let may_know = !context.handlers.is_stopping() && authorize::guild_refusal(context).await.is_none();
    let choices = match option {
        _ if !may_know => Vec::new(),
        SuggestedOption::Machine => machine::suggest(context, typed).await,
        SuggestedOption::Delivery => delivery::suggest(context, typed).await,
        SuggestedOption::Mute => unmute::suggest(context, typed).await,
        SuggestedOption::MutableKind => mute::suggest(typed),
        SuggestedOption::Duration => mute::spans(typed),
        SuggestedOption::Events => register::suggest(typed),
    };
    if let Err(error) = context.responder.choices(choices).await {
        tracing::debug!("suggestions could not be answered: {error}");
    }
}

/// Reports a failure to the person and to the log.
async fn report_error(context: CommandContext<'_>, error: &Error) {
    let name = context.name;
    if let Error::Answer(error) = error
        && error.is_over()
    {
        tracing::debug!("/{name} could not be answered: {error}");
        let data = context.data();
        data.rival.refused(&data.hub, context.interaction.id.get(), error);
        return;
    }
    let reference = EventId::new().short();
    tracing::error!(
        reference,
        cause = error.to_string(),
        "/{name} failed, and its user was given the code in `reference`. If it \
         fails again, report this"
    );
    let sentence = format!(
        "The command failed. Try again in a minute; if it fails again, give your operator the code `{reference}`."
    );
    reply(context, &sentence).await;
}

/// Reports a panic, which is a bug in nuncio, to the person and to the log.
async fn report_panic(context: CommandContext<'_>) {
    let (name, reference) = (context.name, EventId::new().short());
    tracing::error!(
        reference,
        "/{name} failed because nuncio panicked (stderr shows where). Everything else goes on. \
                                Please report this"
    );
    let sentence = format!(
        "The command failed because of a bug in nuncio. Everything else goes on. Give your operator the code \
         `{reference}`."
    );
    reply(context, &sentence).await;
}

/// Replies to the person who ran the command.
async fn reply(context: CommandContext<'_>, sentence: &str) {
    if let Err(error) = context.responder.reply(ReplyBody::whisper(sentence)).await {
        tracing::warn!(
            "the answer to a command did not reach Discord: {error}. The person sees that the command failed"
        );
    }
}

/// Suggestions from pairs of label and value.
fn choices(found: impl Iterator<Item = (String, String)>) -> Vec<Choice> {
    found.map(|(name, value)| Choice::new(name, value)).collect()
}
