//! `/create-ticket`: creates a ticket in XTSystems.

use super::authorize::Done;
use super::{CommandContext, Error, authorize};
use crate::bot::interaction::TicketPriority;
use crate::bot::text::plain;
use crate::model::AuditOutcome;
use crate::xtsystems::{NewTicket, Ticket};

const LONGEST_TITLE: usize = 200;
const LONGEST_TEXT: usize = 4000;

pub(super) async fn create_ticket(
    context: CommandContext<'_>,
    title: &str,
    description: &str,
    priority: Option<TicketPriority>,
) -> Result<(), Error> {
    authorize::operate(context, "ticket", async { Ok(create(context, title, description, priority).await) })
        .await
}

/// Creates the ticket. Returns the subject for the audit log and a sentence for the person.
async fn create(
    context: CommandContext<'_>,
    title: &str,
    description: &str,
    priority: Option<TicketPriority>,
) -> Done {
    let subject = || format!("ticket {}", title.chars().take(LONGEST_TITLE).collect::<String>());
    let refused = |sentence: &str| Done::new(AuditOutcome::Refused, subject(), sentence);
    let (title, description) = (title.trim(), description.trim());
    // Discord's client checks this as well; other clients do not.
    if title.is_empty() {
        return refused("The title is empty. No ticket was created: write one of at most 200 characters.");
    }
    if description.is_empty() {
        return refused("The description is empty. No ticket was created: write what happened.");
    }
    if title.chars().count() > LONGEST_TITLE {
        return refused("The title is longer than 200 characters. No ticket was created: shorten it.");
    }
    if description.chars().count() > LONGEST_TEXT {
        return refused("The description is longer than 4000 characters. No ticket was created: shorten it.");
    }
    let Some(platform) = &context.data().errands.platform else { return refused(super::NO_KEY) };
    let ticket = NewTicket {
        title: title.to_owned(),
        description: description.to_owned(),
        priority: priority.unwrap_or(TicketPriority::Medium).as_str().to_owned(),
        created_by: authorize::person(context).name,
    };
    // The gateway may deliver a command twice: the key makes it one ticket.
    let key = format!("cmd_{}", context.interaction.id);
    match platform.create_ticket(&ticket, &key).await {
        Ok(made) => Done::new(AuditOutcome::Done, format!("ticket {}", made.id), summary(context, &made)),
        Err(failure) if matches!(failure.status, Some(200..=299)) => {
            let sentence = "XTSystems created the ticket but did not return its number: look for it there.";
            Done::new(AuditOutcome::Done, subject(), sentence)
        }
        Err(failure) => {
            Done::new(AuditOutcome::Failed, subject(), format!("No ticket was created. {failure}."))
        }
    }
}

fn summary(context: CommandContext<'_>, ticket: &Ticket) -> String {
    let name = if ticket.seq_id.is_empty() { &ticket.id } else { &ticket.seq_id };
    let link = context.data().errands.ticket_url.as_ref().and_then(|template| template.expand(&ticket.id));
    let link = link.map(|url| format!(" <{url}>")).unwrap_or_default();
    format!(
        "Ticket #{} is created.{link} Its card appears as soon as XTSystems sends the event.",
        plain(name)
    )
}
