//! `/mute`: stops posting a kind of event for a while.

use super::authorize::Done;
use super::{CommandContext, Error, authorize};
use crate::bot::kinds::kinds_and_families;
use crate::bot::mute_answer;
use crate::bot::mute_answer::NOT_MUTED;
use crate::bot::mute_question;
use crate::bot::refusal;
use crate::bot::reply::Choice;
use crate::bot::text::quoted;
use crate::config::span_of;
use crate::hub::UnknownKind;
use crate::model::{AuditOutcome, Kind, KindMeaning, Source};

/// Suggested durations; any other may be typed.
const SPANS: [(&str, &str); 7] = [
    ("30 minutes", "30m"),
    ("1 hour", "1h"),
    ("4 hours", "4h"),
    ("8 hours", "8h"),
    ("1 day", "1d"),
    ("3 days", "3d"),
    ("1 week", "7d"),
];

/// Does not post a kind of event for a while.
pub(super) async fn mute(
    context: CommandContext<'_>,
    kind: &str,
    duration: &str,
    reason: &str,
) -> Result<(), Error> {
    authorize::operate(context, "mute", silence(context, kind.trim(), duration, reason.trim())).await
}

async fn silence(
    context: CommandContext<'_>,
    kind: &str,
    duration: &str,
    reason: &str,
) -> Result<Done, Error> {
    let refused = |sentence: String| Done::new(AuditOutcome::Refused, "mute", sentence);
    let Some(span) = span_of(duration) else {
        return Ok(refused(format!(
            "{} is not a duration: write 30m, 1h or 2d. Nothing was muted.",
            quoted(duration)
        )));
    };
    let subject = format!("mute {}", kind.chars().take(128).collect::<String>());
    if let Some(unknown) = context.data().hub.unknown_kind(kind).await? {
        let (buttons, embed) = mute_question::question(kind, span, reason);
        let done = Done::new(AuditOutcome::Refused, subject, never_came(kind, &unknown, !buttons.is_empty()));
        return Ok(done.with(buttons, embed));
    }
    match context.data().hub.mute(kind, span, reason, &authorize::by(context)).await {
        Ok(muted) => Ok(Done::new(AuditOutcome::Done, subject, mute_answer::muted(&muted))),
        Err(error) => Ok(refused(refusal::sentence(error, NOT_MUTED)?)),
    }
}

/// Why a kind that never arrived is not muted yet.
fn never_came(kind: &str, unknown: &UnknownKind, has_button: bool) -> String {
    let kind = quoted(kind);
    let meant =
        unknown.meant.as_ref().map_or_else(String::new, |meant| format!(" Did you mean {}?", quoted(meant)));
    let anyway = if has_button { "press **Mute anyway**" } else { "use `nuncio mute` with `--anyway`" };
    format!(
        "No event of the kind {kind} has ever arrived, so nothing was muted.{meant} To mute it anyway, {anyway}."
    )
}

/// Suggests kinds and families that can be muted.
pub(super) fn suggest(partial: &str) -> Vec<Choice> {
    let partial = partial.trim().to_lowercase();
    let found = kinds_and_families().filter(|kind| {
        KindMeaning::of(Source::XtSystems, &Kind::new(kind)).can_be_muted() && kind.contains(&partial)
    });
    super::choices(found.take(25).map(|kind| (kind.to_owned(), kind.to_owned())))
}

/// Suggests durations.
pub(super) fn spans(partial: &str) -> Vec<Choice> {
    let partial = partial.trim().to_lowercase();
    let written = span_of(&partial).map(|_| (partial.clone(), partial.clone()));
    let found = SPANS
        .into_iter()
        .filter(|(name, value)| name.contains(&partial) || value.starts_with(&partial))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let found: Vec<(String, String)> = found.collect();
    let written = written.filter(|(value, _)| found.iter().all(|(_, known)| known != value));
    super::choices(written.into_iter().chain(found))
}
