//! `/unmute`: lists mutes and ends them.

use super::authorize::Done;
use super::{CommandContext, Error, authorize};
use crate::bot::refusal;
use crate::bot::reply::Choice;
use crate::bot::text::glimpse;
use crate::bot::text::quoted;
use crate::hub;
use crate::model::{AuditOutcome, Mute};

/// Discord: "Application Command Object", choices.
const MOST_CHOICES: usize = 25;
const LISTED: usize = 10;

/// Ends a mute, or lists the mutes.
pub(super) async fn unmute(context: CommandContext<'_>, mute: Option<&str>) -> Result<(), Error> {
    authorize::operate(context, "mute", end(context, mute.map(str::trim))).await
}

async fn end(context: CommandContext<'_>, wanted: Option<&str>) -> Result<Done, Error> {
    let hub = &context.data().hub;
    let Some(wanted) = wanted else {
        return Ok(Done::new(AuditOutcome::Done, "mutes, listed", list(&hub.mutes().await?)));
    };
    match hub.unmute(wanted, &authorize::by(context)).await {
        Ok(ended) if ended.is_empty() => {
            Ok(Done::new(AuditOutcome::Done, "mute", "That mute has already ended."))
        }
        Ok(ended) => {
            let names: Vec<String> = ended.iter().map(|mute| quoted(mute.name())).collect();
            let subjects: Vec<&str> = ended.iter().map(Mute::name).collect();
            let sentence = format!(
                "The mute of {} has ended. If it silenced anything, one card sums that up in a moment.",
                names.join(", ")
            );
            Ok(Done::new(AuditOutcome::Done, format!("mute {}", subjects.join(", ")), sentence))
        }
        Err(hub::Error::NotFound(_)) => {
            let sentence = format!("Nothing is muted as {}. {}", quoted(wanted), list(&hub.mutes().await?));
            Ok(Done::new(AuditOutcome::Refused, "mute", sentence))
        }
        Err(error) => {
            Ok(Done::new(AuditOutcome::Refused, "mute", refusal::sentence(error, "Nothing was changed.")?))
        }
    }
}

fn list(mutes: &[(Mute, u64)]) -> String {
    let line = |(mute, silenced): &(Mute, u64)| {
        format!(
            "🔕 {} until <t:{}:f>, by {}: {silenced} silenced so far",
            glimpse(mute.name(), 60),
            mute.until.as_secs(),
            glimpse(&mute.by, 30),
        )
    };
    let mut lines: Vec<String> = mutes.iter().take(LISTED).map(line).collect();
    match mutes.len() {
        0 => return "Nothing is muted now.".to_owned(),
        count if count > LISTED => lines.push(format!("… {} more", count - LISTED)),
        _ => {}
    }
    lines.join("\n")
}

/// Suggests the current mutes.
pub(super) async fn suggest(context: CommandContext<'_>, partial: &str) -> Vec<Choice> {
    let hub = &context.data().hub;
    // Only operators see the mutes that only operators may end. Suppressed events are not counted here: that is too
    // expensive for every keystroke.
    let mutes = match hub.may_operate(&authorize::person(context)) {
        Ok(()) => hub.muted_now().await.unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    let partial = partial.trim().to_lowercase();
    let fits = |mute: &&Mute| mute.name().to_lowercase().contains(&partial);
    let choice = |mute: &Mute| {
        let name = format!("{} · by {}", mute.name(), mute.by);
        (name.chars().take(100).collect(), mute.id.to_string())
    };
    super::choices(mutes.iter().filter(fits).take(MOST_CHOICES).map(choice))
}
