//! The queue: what waits, what was given up, what has no route.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::doctor::Check;
use crate::doctor::code::Code;
use crate::store::Survey;

/// What waits longer than this has something in its way.
const LONG: Duration = Duration::from_secs(15 * 60);

/// Everything about the queue.
pub(super) fn checks(survey: &Survey, now: Timestamp) -> Vec<Check> {
    let mut checks = Vec::new();
    if survey.dead > 0 {
        let (count, was) = (survey.dead, if survey.dead == 1 { "delivery was" } else { "deliveries were" });
        checks.push(Check::warn(
            Code::DeadLetters,
            format!("{count} {was} given up."),
            "See why: nuncio deliveries --dead. Send them again: nuncio redeliver --dead",
        ));
    }
    let waited = survey.oldest.map(|oldest| now.since(oldest)).unwrap_or_default();
    if waited > LONG {
        checks.push(Check::warn(
            Code::DeliveriesWaiting,
            format!("{} deliveries wait, the oldest for {} min.", survey.waiting, waited.as_secs() / 60),
            "See for what: nuncio deliveries --pending. They are sent by themselves while nuncio runs.",
        ));
    }
    if survey.unrouted > 0 {
        let (count, have) = (survey.unrouted, if survey.unrouted == 1 { "event has" } else { "events have" });
        checks.push(Check::warn(
            Code::EventsUnrouted,
            format!("{count} {have} no channel: no key of DISCORD_WEBHOOK_CHANNELS matches."),
            "Add a key for that kind, or \"default\", to DISCORD_WEBHOOK_CHANNELS, then kill -HUP nuncio. Then: nuncio redeliver --unrouted",
        ));
    }
    if checks.is_empty() {
        checks.push(Check::ok(
            Code::Queue,
            format!("Nothing was given up; {} deliveries wait.", survey.waiting),
        ));
    }
    checks
}
