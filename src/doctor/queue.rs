//! The queue: waiting deliveries and their reasons, dead deliveries, events without a route, refused requests.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::doctor::code::Code;
use crate::doctor::{Check, State};
use crate::hub::{destination_trouble, unrouted};
use crate::ingress::probe::Refusals;
use crate::store::{Survey, WaitingLane};

/// A delivery that waits longer is held up by something.
const LONG: Duration = Duration::from_secs(15 * 60);

/// The most lanes listed.
const MOST_LANES: usize = 10;

/// All checks of the queue.
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
        let (found, remedy) = unrouted(survey.unrouted);
        checks.push(Check::warn(Code::EventsUnrouted, format!("{found}."), format!("{remedy}.")));
    }
    if survey.held > 0 {
        let (count, calls) = (survey.held, if survey.held == 1 { "call waits" } else { "calls wait" });
        checks.push(Check::warn(
            Code::CallsHeld,
            format!("{count} {calls} for a person: XTSystems has no such call, or answered with what is no answer of it."),
            "Correct what the card says (most often XTSYSTEMS_APPROVE or XTSYSTEMS_DENY), then press Try again on it.",
        ));
    }
    checks.extend(survey.lanes.iter().take(MOST_LANES).map(|lane| of_lane(lane, now)));
    if survey.lanes.len() > MOST_LANES {
        let more = survey.lanes.len() - MOST_LANES;
        checks.push(Check::ok(
            Code::Lane,
            format!("Deliveries wait for {more} more destinations: nuncio deliveries --pending"),
        ));
    }
    if checks.iter().all(|check| check.code == Code::Lane && check.state == State::Ok) {
        checks.push(Check::ok(
            Code::Queue,
            format!("Nothing was given up; {} deliveries wait.", survey.waiting),
        ));
    }
    checks
}

/// What a lane waits for, in the sentences of `/health`.
fn of_lane(lane: &WaitingLane, now: Timestamp) -> Check {
    let (name, waiting) = (&lane.destination.name, lane.waiting);
    let waits = if waiting == 1 { "delivery waits" } else { "deliveries wait" };
    if let Some(problem) = destination_trouble(&lane.destination, None) {
        return Check::warn(
            Code::LaneInTrouble,
            format!("{waiting} {waits} for {name}. {}.", problem.sentence()),
            "Do what the sentence says; nuncio deliveries --pending lists them.",
        );
    }
    if !lane.destination.enabled {
        return Check::warn(
            Code::LaneInTrouble,
            format!("{waiting} {waits} for {name}, which is disabled."),
            format!("To send them: nuncio discord-webhooks enable {}", lane.destination.id),
        );
    }
    let next = match lane.next.since(now).as_secs() {
        0 => "the next is due now, and goes out as soon as nuncio runs and Discord lets it".to_owned(),
        seconds => format!("the next is tried in {} (at {})", span(seconds), lane.next.to_rfc3339()),
    };
    Check::ok(Code::Lane, format!("{waiting} {waits} for {name}: {next}."))
}

/// What the running nuncio refused in the last day, by reason and address.
pub(super) fn refused(refusals: &[Refusals], now: Timestamp) -> Vec<Check> {
    let refused = refusals.iter().filter(|refusals| refusals.is_refusal);
    let checks = refused.map(|refusals| {
        let Refusals { reason, last_day, last_at, sentence, .. } = refusals;
        let were = if *last_day == 1 { "request was" } else { "requests were" };
        let ago = span(now.since(Timestamp::from_millis(*last_at)).as_secs());
        let why = sentence.strip_prefix("a webhook was refused: ").unwrap_or(sentence);
        let from = senders(refusals);
        Check::warn(
            Code::RefusedLately,
            format!(
                "{last_day} {were} refused in the last day ({reason}), from {from}. The last one was {ago} ago: {why}."
            ),
            "Is one of these addresses your sender's? Then correct there what the sentence names; nuncio verify names the part \
             of a signature that is wrong. Ignore strangers: RATE_LIMIT holds them off.",
        )
    });
    checks.collect()
}

/// `192.0.2.1`, or `192.0.2.1 (12), 192.0.2.2 (3) and others (40)`.
fn senders(refusals: &Refusals) -> String {
    let Refusals { addresses, last_day, from, .. } = refusals;
    let listed: u64 = addresses.iter().map(|(_, count)| count).sum();
    let others = last_day.saturating_sub(listed);
    match (addresses.as_slice(), others) {
        ([], _) => from.clone(),
        ([(address, _)], 0) => address.clone(),
        (addresses, others) => {
            let named: Vec<String> =
                addresses.iter().map(|(address, count)| format!("{address} ({count})")).collect();
            let others = if others > 0 { format!(" and others ({others})") } else { String::new() };
            format!("{}{others}", named.join(", "))
        }
    }
}

/// `45 s`, `12 min`, `3 h`.
fn span(seconds: u64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Control: with `others` left out, a flood from many addresses looks like one from eight.
    #[rstest::rstest]
    #[case(&[], 3, "203.0.113.9")]
    #[case(&[("192.0.2.1", 3)], 3, "192.0.2.1")]
    #[case(&[("192.0.2.1", 2), ("192.0.2.2", 1)], 3, "192.0.2.1 (2), 192.0.2.2 (1)")]
    #[case(&[("192.0.2.1", 2)], 42, "192.0.2.1 (2) and others (40)")]
    fn senders_are_named_with_their_counts(
        #[case] addresses: &[(&str, u64)],
        #[case] last_day: u64,
        #[case] expected: &str,
    ) {
        let refusals = Refusals {
            reason: "unsigned".to_owned(),
            is_refusal: true,
            last_day,
            last_at: 0,
            from: "203.0.113.9".to_owned(),
            addresses: addresses.iter().map(|(address, count)| ((*address).to_owned(), *count)).collect(),
            sentence: String::new(),
        };
        assert_eq!(senders(&refusals), expected);
    }
}
