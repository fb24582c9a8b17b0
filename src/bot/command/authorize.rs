//! Authorization and audit log entries for every command that changes something.

use super::{CommandContext, Error};
use crate::bot::Shared;
use crate::bot::guild_arrival::wait_for_guild;
use crate::bot::list::{List, ListPage};
use crate::bot::person::person as clicking;
use crate::bot::refusal::refused;
use crate::bot::reply::{ReplyBody, ReplyEmbed, ReplyRow};
use crate::hub::{Entrypoint, Person, Refusal};
use crate::model::{AuditEntry, AuditOutcome, By};

/// The result of a command that changes something.
pub(super) struct Done {
    /// For the audit log.
    pub(super) outcome: AuditOutcome,
    /// Subject for the audit log.
    pub(super) subject: String,
    /// For the person and for the audit log.
    pub(super) sentence: String,
    /// Buttons for the next steps.
    buttons: Vec<ReplyRow>,
    /// Shown below the sentence.
    embed: Option<ReplyEmbed>,
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
    pub(super) fn with(self, buttons: Vec<ReplyRow>, embed: Option<ReplyEmbed>) -> Self {
        Self { buttons, embed, ..self }
    }
}

/// Runs `work` for an operator, records the outcome in the audit log and replies with it. For anyone else `work` does
/// not begin: the reply names who has access, and the audit log records the refused request about `subject`.
pub(super) async fn operate(
    context: CommandContext<'_>,
    subject: &str,
    work: impl Future<Output = Result<Done, Error>>,
) -> Result<(), Error> {
    if !may_operate(context, subject).await? {
        return Ok(());
    }
    context.responder.defer().await?;
    let Done { outcome, subject, sentence, buttons, embed } = work.await?;
    note(context, &subject, outcome, &sentence).await;
    let mut reply = ReplyBody::whisper(sentence);
    if !buttons.is_empty() {
        reply = reply.components(buttons);
    }
    if let Some(embed) = embed {
        reply = reply.embed(embed);
    }
    context.responder.reply(reply).await?;
    Ok(())
}

/// The person who ran the command, from Discord's interaction.
pub(super) fn person(context: CommandContext<'_>) -> Person {
    clicking(context.interaction, &context.data().clock)
}

/// Whether the person has operator access. If not, replies with who has it and records the refusal.
pub(super) async fn may_operate(context: CommandContext<'_>, subject: &str) -> Result<bool, Error> {
    let Err(refusal) = context.data().hub.may_operate(&person(context)) else { return Ok(true) };
    say(context, refused(&refusal)).await?;
    note(context, subject, AuditOutcome::Refused, &refusal.to_string()).await;
    Ok(false)
}

/// Replies to the person who ran the command.
pub(super) async fn say(context: CommandContext<'_>, sentence: impl Into<String>) -> Result<(), Error> {
    context.responder.reply(ReplyBody::whisper(sentence)).await?;
    Ok(())
}

/// Shows the first page of a list.
pub(super) async fn list(context: CommandContext<'_>, list: List) -> Result<(), Error> {
    context.responder.defer().await?;
    let shown = ListPage::first(list, context.interaction.user.id).show(&context.data().hub).await?;
    let reply = ReplyBody::default().ephemeral().components(shown.buttons);
    let reply = match shown.embed {
        Some(embed) => reply.embed(embed),
        None => reply.content(shown.sentence.unwrap_or_default()),
    };
    context.responder.reply(reply).await?;
    Ok(())
}

/// The command's audit log entry.
fn entry(
    context: CommandContext<'_>,
    subject: &str,
    outcome: AuditOutcome,
    detail: impl Into<String>,
) -> AuditEntry {
    AuditEntry { outcome, detail: detail.into(), ..by(context).entry(subject) }
}

/// The request for a change that the command is.
pub(super) fn by(context: CommandContext<'_>) -> By {
    let name = context.name.replace([' ', '_'], "-").to_lowercase();
    context.interaction.by(person(context), format!("command.{name}"))
}

/// Records the command's outcome in the audit log, unless the hub has recorded this very command with the change it
/// made. If that fails, our own log gets an error and the person none.
pub(super) async fn note(context: CommandContext<'_>, subject: &str, outcome: AuditOutcome, detail: &str) {
    let entry = entry(context, subject, outcome, detail);
    if let Err(error) = context.data().hub.audit(entry).await {
        tracing::error!(%error, "what came of a command could not be written to the audit log: {subject}");
    }
}

/// Whether commands are allowed in this guild at all. If not, replies with that and records the refusal.
pub(super) async fn check_guild(context: CommandContext<'_>) -> Result<bool, Error> {
    let Some(refusal) = guild_refusal(context).await else { return Ok(true) };
    say(context, refused(&refusal)).await?;
    note(context, "server", AuditOutcome::Refused, &refusal.to_string()).await;
    Ok(false)
}

/// Why commands are not allowed in this guild; `None` if they are.
pub(super) async fn guild_refusal(context: CommandContext<'_>) -> Option<Refusal> {
    let Shared { hub, clock, .. } = context.data();
    wait_for_guild(hub, clock, context.interaction.guild, Entrypoint::Command).await;
    hub.check_guild(&person(context), Entrypoint::Command).err()
}
