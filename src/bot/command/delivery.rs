//! `/deliveries`, and "Redeliver" and "Show raw" in a message's menu.

use super::authorize::Done;
use super::{CommandContext, Error, authorize};
use crate::bot::answer;
use crate::bot::list::{self, List};
use crate::bot::refusal;
use crate::bot::reply::{Choice, ReplyBody};
use crate::bot::text::plain;
use crate::bot::text::quoted;
use crate::hub::{self, Redelivered, Refusal, Rules};
use crate::model::{
    AttemptRow, AuditOutcome, DecisionAction, DeliveryDetails, NotRetried, Revived, RowResult, Snowflake,
    payload,
};
use crate::render::{self, Surface};

/// Discord: "Application Command Object", choices.
const MOST_CHOICES: usize = 25;
/// Maximum number of deliveries searched for autocomplete.
const LOOKED_AT: u32 = 500;
/// Maximum number of attempts shown per delivery.
const MOST_TRIES: usize = 8;
/// Bodies below this size appear inline. Longer ones are attached, and so are bodies that could end a code block.
const INLINE: usize = 1700;
/// Discord: "Create Message", content.
const MOST_CONTENT: usize = 2000;
/// A message shows at most ten cards.
const MOST_RAW: usize = 10;
const GONE: &str = "Its destination was removed, so it cannot be sent there again. To send new events elsewhere, use \
                    Set channel in `/webhook-config`.";
const UNCHANGED: &str = "Nothing was changed.";
const REPLAYED: &str = "That was done already.";
const NOT_OURS: &str =
    "nuncio did not send this message, or does not keep its event any more (RETENTION_DAYS).";

/// List what was given up, the newest first
pub(super) async fn failed(context: CommandContext<'_>) -> Result<(), Error> {
    authorize::list(context, List::GivenUp).await
}

/// Everything that was tried with one delivery
pub(super) async fn show(context: CommandContext<'_>, id: &str) -> Result<(), Error> {
    context.responder.defer().await?;
    let hub = &context.data().hub;
    let found = match hub.delivery_named(id).await? {
        Some(id) => hub.delivery_details(id).await?,
        None => None,
    };
    authorize::say(context, found.map_or_else(|| unknown(id), |(details, tries)| history(&details, &tries)))
        .await
}

/// Send one again that was given up or delivered
pub(super) async fn retry(context: CommandContext<'_>, id: &str) -> Result<(), Error> {
    let hub = &context.data().hub;
    let work = async {
        let Some(id) = hub.delivery_named(id).await? else {
            return Ok(Done::new(AuditOutcome::Refused, "delivery", unknown(id)));
        };
        let subject = format!("delivery {id}");
        let (outcome, sentence) = match hub.redeliver(id, &authorize::by(context)).await {
            Ok(Some(revived)) => outcome(&revived, &hub.rules()),
            Ok(None) => (AuditOutcome::Done, REPLAYED.to_owned()),
            Err(error) => (AuditOutcome::Refused, refusal::sentence(error, UNCHANGED)?),
        };
        Ok(Done::new(outcome, subject, sentence))
    };
    authorize::operate(context, "delivery", work).await
}

/// Sends again what a message shows.
pub(super) async fn redeliver(context: CommandContext<'_>, message: Snowflake) -> Result<(), Error> {
    let subject = format!("message {message}");
    let hub = &context.data().hub;
    let work = async {
        let done = hub.redeliver_message(message, &authorize::by(context)).await;
        let (outcome, sentence) = match done {
            Ok(None) => (AuditOutcome::Done, REPLAYED.to_owned()),
            Ok(Some(Redelivered { deliveries: 1.., .. })) => {
                (AuditOutcome::Done, "It is sent again, as a new message.".to_owned())
            }
            Ok(Some(Redelivered { gone: 1.., .. })) => (AuditOutcome::Refused, GONE.to_owned()),
            Ok(Some(_)) => {
                (AuditOutcome::Refused, "It is on its way already: nothing was changed.".to_owned())
            }
            Err(hub::Error::NotFound(_)) => (AuditOutcome::Refused, NOT_OURS.to_owned()),
            Err(error) => (AuditOutcome::Refused, refusal::sentence(error, UNCHANGED)?),
        };
        Ok(Done::new(outcome, &subject, sentence))
    };
    authorize::operate(context, &subject, work).await
}

/// Shows the event behind a message as it came, without its secrets.
pub(super) async fn show_raw(context: CommandContext<'_>, message: Snowflake) -> Result<(), Error> {
    let subject = format!("message {message}");
    // What a card leaves out is not meant for everyone who sees the card.
    if !authorize::may_operate(context, &subject).await? {
        return Ok(());
    }
    context.responder.defer().await?;
    let hub = &context.data().hub;
    let mut bodies = Vec::new();
    for (_, event) in hub.shown_in(message).await?.into_iter().take(MOST_RAW) {
        bodies.extend(hub.event(event).await?.map(|(_, body)| pretty(&body)));
    }
    let (outcome, what) = match bodies.len() {
        0 => (AuditOutcome::Refused, NOT_OURS.to_owned()),
        1 => (AuditOutcome::Done, "one event was shown as it came".to_owned()),
        count => (AuditOutcome::Done, format!("{count} events were shown as they came")),
    };
    authorize::note(context, &subject, outcome, &what).await;
    context.responder.reply(raw(&bodies)).await?;
    Ok(())
}

fn raw(bodies: &[String]) -> ReplyBody {
    let reply = ReplyBody::default().ephemeral();
    let text = bodies.join("\n");
    if text.is_empty() {
        reply.content(NOT_OURS)
    } else if text.len() <= INLINE && !text.contains("``") {
        reply.content(render::listing(text.lines(), MOST_CONTENT).write(Surface::Embed))
    } else {
        reply.attachment("event.json", text.into_bytes())
    }
}

fn pretty(body: &[u8]) -> String {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    json.and_then(|json| serde_json::to_string_pretty(&payload::without_secrets(&json).0).ok())
        .unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
}

fn outcome(revived: &Revived, rules: &Rules) -> (AuditOutcome, String) {
    let sentence = match revived {
        Revived::Pending { reopened: false } => "It is sent again, as a new message.",
        Revived::Pending { reopened: true } => {
            "It is sent again, as a new message; its channel was closed and is tried again."
        }
        Revived::Called => "The call to XTSystems is made again.",
        Revived::NotCalled(why) => return (AuditOutcome::Refused, not_called(*why, rules)),
        Revived::Conflict { reopened: true, .. } => {
            "It waits for its channel, which was closed: nuncio tries the channel again now."
        }
        Revived::Conflict { reopened: false, .. } => "It is on its way already: nothing was changed.",
        Revived::Gone(_) => GONE,
        Revived::Unreadable => "Its row in the database is damaged: nothing was changed.",
        Revived::NotFound => "This delivery is not kept any more (RETENTION_DAYS).",
    };
    (if revived.is_done() { AuditOutcome::Done } else { AuditOutcome::Refused }, sentence.to_owned())
}

/// Why the call to XTSystems is not repeated, and who can repeat it.
fn not_called(why: NotRetried, rules: &Rules) -> String {
    let (press, refusal) = match why {
        NotRetried::NeedsApprover => {
            (DecisionAction::TryAgain, Refusal::NotApprover(rules.approvers.clone()))
        }
        NotRetried::NeedsOperator => (DecisionAction::Resend, Refusal::NotOperator(rules.operators.clone())),
        _ => {
            return format!(
                "The call to XTSystems is not made again: {}. Nothing was changed.",
                why.reason()
            );
        }
    };
    answer::refused(&refusal, press)
}

/// Why an id names no delivery.
fn unknown(id: &str) -> String {
    let id = id.trim();
    let digits = id.strip_prefix("dlv_").unwrap_or(id);
    let is_id = (8..=32).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let shown = quoted(id);
    if is_id {
        format!("No delivery ends in {shown}, or several do. `/deliveries failed` lists what was given up.")
    } else {
        format!("{shown} is not a delivery id. Use the 8 characters that `/deliveries failed` shows.")
    }
}

fn history(details: &RowResult<DeliveryDetails>, tries: &[AttemptRow]) -> String {
    let mut text = list::listed(details);
    if let Ok(details) = details {
        text.push_str(&format!("\nNow: {}, tried {} times", details.status.as_str(), details.attempts));
    }
    for one in tries.iter().rev().take(MOST_TRIES) {
        let status = one.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let code = one.code.map(|code| format!(" {code}")).unwrap_or_default();
        let said = plain(&one.response);
        let at = one.started_at.as_secs();
        text.push_str(&format!("\n<t:{at}:T> {}, {status}{code}, {} ms {said}", one.class, one.took_ms));
    }
    text.chars().take(1900).collect()
}

/// Suggests recent dead letters, labeled by their subject.
pub(super) async fn suggest(context: CommandContext<'_>, partial: &str) -> Vec<Choice> {
    let dead_letters = context.data().hub.given_up(0, LOOKED_AT).await.unwrap_or_default();
    let name = |details: &DeliveryDetails| {
        let name = format!("{} {} → {}", details.id.short(), details.kind.as_str(), details.destination);
        name.chars().take(100).collect::<String>()
    };
    let partial = partial.to_lowercase();
    let choices = dead_letters.iter().flatten().map(|details| (name(details), details.id.to_string()));
    let fitting = choices.filter(|(name, _)| name.to_lowercase().contains(&partial));
    super::choices(fitting.take(MOST_CHOICES))
}
