//! Around every command that changes something: who may, and the note of it in the audit log.

use poise::CreateReply;

use super::{Context, Error};
use crate::bot::component;
use crate::hub::{Person, Refusal};
use crate::model::{Actor, AuditEntry, AuditOutcome, Snowflake};

/// Who typed the command, by what Discord said with it.
pub(super) fn person(context: Context<'_>) -> Person {
    let asked = context.interaction;
    component::person(&asked.user, asked.member.as_deref(), asked.guild_id, &context.data().clock)
}

/// Whether they may change what is not a decision. If not, they are told who can, and it is noted.
pub(super) async fn may_operate(context: Context<'_>, subject: &str) -> Result<bool, Error> {
    let Err(refusal) = context.data().hub.may_operate(&person(context)) else { return Ok(true) };
    say(context, refused(&refusal)).await?;
    note(context, subject, AuditOutcome::Refused, &refusal.to_string()).await;
    Ok(false)
}

/// Says one thing to the one who asked.
pub(super) async fn say(context: Context<'_>, sentence: impl Into<String>) -> Result<(), Error> {
    context.send(CreateReply::default().content(sentence).ephemeral(true)).await?;
    Ok(())
}

/// Notes what came of the command. A log that does not take it is an error in our own log, not the person's.
pub(super) async fn note(context: Context<'_>, subject: &str, outcome: AuditOutcome, detail: &str) {
    let Person { id, name, .. } = person(context);
    let action = format!("command.{}", context.command().qualified_name.replace(' ', "-").to_lowercase());
    let entry = AuditEntry {
        outcome,
        detail: detail.to_owned(),
        channel: Some(Snowflake::new(context.interaction.channel_id.get())),
        interaction: Some(Snowflake::new(context.interaction.id.get())),
        ..AuditEntry::new(Actor::Person { id, name }, action, subject)
    };
    if let Err(error) = context.data().hub.audit(entry).await {
        tracing::error!(%error, "a command is not in the audit log: {subject}");
    }
}

fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotOperator(roles) if roles.is_empty() => {
            "Only members with the permission Manage Server can do this here: ask one of them.".to_owned()
        }
        Refusal::NotOperator(roles) => {
            let names: Vec<String> = roles.iter().take(5).map(|role| format!("<@&{role}>")).collect();
            format!("Only {} can do this: ask one of them.", names.join(" or "))
        }
        Refusal::TimedOut => "You are in time-out here, so you cannot do this until that is over.".to_owned(),
        _ => "This works in a server only.".to_owned(),
    }
}
