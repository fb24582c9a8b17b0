//! Authorization and audit log entries for every command that changes something.

use poise::{CommandInteractionType, CreateReply};
use serenity::all::{CreateActionRow, CreateAutocompleteResponse, CreateEmbed, CreateInteractionResponse};

use super::{Context, Data, Error};
use crate::bot::guild_arrival::wait_for_guild;
use crate::bot::list::{List, Page};
use crate::bot::person::person as clicking;
use crate::bot::refusal::refused;
use crate::hub::{Entrypoint, Person};
use crate::model::{Actor, AuditEntry, AuditOutcome, By, Snowflake};

/// The result of a command that changes something.
pub(super) struct Done {
    /// For the audit log.
    pub(super) outcome: AuditOutcome,
    /// Subject for the audit log.
    pub(super) subject: String,
    /// For the person and for the audit log.
    pub(super) sentence: String,
    /// Buttons for the next steps.
    buttons: Vec<CreateActionRow>,
    /// Shown below the sentence.
    embed: Option<CreateEmbed>,
}

impl Done {
    pub(super) fn new(
        outcome: AuditOutcome,
        subject: impl Into<String>,
        sentence: impl Into<String>,
    ) -> Self {
        Self { outcome, subject: subject.into(), sentence: sentence.into(), buttons: Vec::new(), embed: None }
    }

    /// Adds buttons, and the embed with what the person needs to know about them.
    pub(super) fn with(self, buttons: Vec<CreateActionRow>, embed: Option<CreateEmbed>) -> Self {
        Self { buttons, embed, ..self }
    }
}

/// Runs `work` for an operator, records the outcome in the audit log and replies with it. For anyone else `work` does
/// not begin: the reply names who has access, and the audit log records the refused request about `subject`.
pub(super) async fn operate(
    context: Context<'_>,
    subject: &str,
    work: impl Future<Output = Result<Done, Error>>,
) -> Result<(), Error> {
    if !may_operate(context, subject).await? {
        return Ok(());
    }
    context.defer_ephemeral().await?;
    let Done { outcome, subject, sentence, buttons, embed } = work.await?;
    note(context, &subject, outcome, &sentence).await;
    let mut reply = CreateReply::default().content(sentence).ephemeral(true);
    if !buttons.is_empty() {
        reply = reply.components(buttons);
    }
    if let Some(embed) = embed {
        reply = reply.embed(embed);
    }
    context.send(reply).await?;
    Ok(())
}

/// The person who ran the command, from Discord's interaction.
pub(super) fn person(context: Context<'_>) -> Person {
    let asked = context.interaction;
    clicking(&asked.user, asked.member.as_deref(), asked.guild_id, &context.data().clock)
}

/// Whether the person has operator access. If not, replies with who has it and records the refusal.
pub(super) async fn may_operate(context: Context<'_>, subject: &str) -> Result<bool, Error> {
    let Err(refusal) = context.data().hub.may_operate(&person(context)) else { return Ok(true) };
    say(context, refused(&refusal)).await?;
    note(context, subject, AuditOutcome::Refused, &refusal.to_string()).await;
    Ok(false)
}

/// Replies to the person who ran the command.
pub(super) async fn say(context: Context<'_>, sentence: impl Into<String>) -> Result<(), Error> {
    context.send(CreateReply::default().content(sentence).ephemeral(true)).await?;
    Ok(())
}

/// Shows the first page of a list.
pub(super) async fn list(context: Context<'_>, list: List) -> Result<(), Error> {
    context.defer_ephemeral().await?;
    let reader = Snowflake::new(context.interaction.user.id.get());
    let shown = Page::first(list, reader).show(&context.data().hub).await?;
    let reply = CreateReply::default().ephemeral(true).components(shown.buttons);
    let reply = match shown.embed {
        Some(embed) => reply.embed(embed),
        None => reply.content(shown.sentence.unwrap_or_default()),
    };
    context.send(reply).await?;
    Ok(())
}

/// The command's audit log entry.
fn entry(
    context: Context<'_>,
    subject: &str,
    outcome: AuditOutcome,
    detail: impl Into<String>,
) -> AuditEntry {
    AuditEntry { outcome, detail: detail.into(), ..by(context).entry(subject) }
}

/// The request for a change that the command is.
pub(super) fn by(context: Context<'_>) -> By {
    let name = context.command().qualified_name.replace([' ', '_'], "-").to_lowercase();
    By {
        channel: Some(Snowflake::new(context.interaction.channel_id.get())),
        interaction: Some(Snowflake::new(context.interaction.id.get())),
        ..By::new(Actor::Person(person(context)), format!("command.{name}"))
    }
}

/// Records the command's outcome in the audit log. If that fails, our own log gets an error and the person none.
pub(super) async fn note(context: Context<'_>, subject: &str, outcome: AuditOutcome, detail: &str) {
    let entry = entry(context, subject, outcome, detail);
    if let Err(error) = context.data().hub.audit(entry).await {
        tracing::error!(%error, "what came of a command could not be written to the audit log: {subject}");
    }
}

/// Whether commands are allowed in this guild at all. If not, replies with that and records the refusal.
pub(super) async fn check_guild(context: Context<'_>) -> Result<bool, Error> {
    let Data { hub, clock, .. } = context.data();
    wait_for_guild(hub, clock, context.interaction.guild_id, Entrypoint::Command).await;
    let Err(refusal) = hub.check_guild(&person(context), Entrypoint::Command) else { return Ok(true) };
    if context.interaction_type == CommandInteractionType::Autocomplete {
        let nothing = CreateInteractionResponse::Autocomplete(CreateAutocompleteResponse::new());
        context.interaction.create_response(context.http(), nothing).await?;
        return Ok(false);
    }
    say(context, refused(&refusal)).await?;
    note(context, "server", AuditOutcome::Refused, &refusal.to_string()).await;
    Ok(false)
}
