//! `/machine`: decisions on machines without a card at hand.

use super::{CommandContext, Error, authorize};
use crate::bot::answer::{self, ClickReply};
use crate::bot::list::List;
use crate::bot::reply::{Choice, ReplyBody};
use crate::bot::text::plain;
use crate::bot::text::quoted;
use crate::hub::{Click, ClickOutcome};
use crate::model::{Decision, DecisionAction};

const UNKNOWN: &str =
    "No machine with that id or name has asked to join. `/machine pending` lists those that wait.";
const AMBIGUOUS: &str = "Several customers have a machine with that id. Nothing was decided: choose a suggestion \
                         that appears while you type, or use the buttons on its card.";
/// Discord: "Application Command Object", choices.
const MOST_CHOICES: usize = 25;
/// Maximum number of machines searched for autocomplete.
const LOOKED_AT: u32 = 500;

/// List the machines that wait for a decision, the oldest first
pub(super) async fn pending(context: CommandContext<'_>) -> Result<(), Error> {
    authorize::list(context, List::Undecided).await
}

/// Approve a machine
pub(super) async fn approve(context: CommandContext<'_>, machine: &str) -> Result<(), Error> {
    press(context, DecisionAction::Approve, machine, None).await
}

/// Deny a machine, with a reason
pub(super) async fn deny(context: CommandContext<'_>, machine: &str, reason: &str) -> Result<(), Error> {
    let length = reason.trim().chars().count();
    if !(3..=400).contains(&length) {
        return authorize::say(context, "A reason has 3 to 400 characters. Nothing was decided.").await;
    }
    press(context, DecisionAction::Deny, machine, Some(reason.trim().to_owned())).await
}

/// Everything that is known about a machine's request
pub(super) async fn show(context: CommandContext<'_>, machine: &str) -> Result<(), Error> {
    press(context, DecisionAction::Details, machine, None).await
}

/// Performs the card button's action, under the same rules.
async fn press(
    context: CommandContext<'_>,
    press: DecisionAction,
    machine: &str,
    text: Option<String>,
) -> Result<(), Error> {
    context.responder.defer().await?;
    let hub = &context.data().hub;
    let mut found = hub.decisions_named(machine.trim()).await?;
    let decision = match (found.len(), found.pop()) {
        (1, Some(decision)) => decision,
        (0, _) | (_, None) => return authorize::say(context, UNKNOWN).await,
        (_, Some(last)) if found.iter().all(|other| other.object == last.object) => {
            return authorize::say(context, AMBIGUOUS).await;
        }
        (_, Some(last)) => {
            found.push(last);
            return authorize::say(context, several(&found)).await;
        }
    };
    let click = Click {
        interaction: context.interaction.id,
        person: authorize::person(context),
        press,
        token: decision.token,
        place: None,
        text,
    };
    let clicked = match hub.click(&click).await {
        Ok(clicked) => clicked,
        Err(error) => return authorize::say(context, answer::unchanged(press, error)?).await,
    };
    match answer::to(&clicked) {
        ClickReply::Sentence(sentence) => authorize::say(context, sentence).await,
        ClickReply::Embed(embed) => {
            context.responder.reply(ReplyBody::default().embed(*embed).ephemeral()).await?;
            Ok(())
        }
        ClickReply::Nothing => authorize::say(context, done(&clicked)).await,
    }
}

/// Asks which of several machines with one name is meant.
fn several(found: &[Decision]) -> String {
    let ids: Vec<String> = found.iter().take(10).map(|decision| quoted(&decision.object)).collect();
    format!(
        "{} machines of that name wait. Nothing was decided. Name one by its id: {}",
        found.len(),
        ids.join(", ")
    )
}

/// States the outcome in words: a card would show it, but here the person sees no card.
fn done(clicked: &ClickOutcome) -> String {
    match clicked {
        ClickOutcome::Done(decision) => format!(
            "{} is {}. nuncio tells XTSystems in a moment; the card shows its answer, and until then an Undo button.",
            plain(&decision.label),
            decision.verdict.as_str(),
        ),
        _ => "That was done already.".to_owned(),
    }
}

/// Suggests undecided machines, labeled by name.
pub(super) async fn suggest(context: CommandContext<'_>, partial: &str) -> Vec<Choice> {
    let waiting = context.data().hub.undecided_machines(0, LOOKED_AT).await.unwrap_or_default();
    let partial = partial.to_lowercase();
    let fits = |decision: &&Decision| {
        decision.object.len() <= 100
            && (decision.label.to_lowercase().contains(&partial)
                || decision.object.to_lowercase().contains(&partial))
    };
    let choice = |decision: &Decision| {
        let name: String = format!("{} ({})", decision.label, decision.object).chars().take(100).collect();
        // Customers may use the same ids for their machines.
        (name, decision.id.to_string())
    };
    super::choices(waiting.iter().filter(fits).take(MOST_CHOICES).map(choice))
}
