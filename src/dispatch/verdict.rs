//! What an outcome leads to: for the message, its deliveries and its destination; written down, and told.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::dispatch::Context;
use crate::hub::{Condition, Conditions, Hub};
use crate::model::{Arrived, Attempt, Destination, Form, Message, Outcome, schedule};
use crate::store::{self, Next};

/// How long a lane waits when the database does not take what it has to record.
pub(super) const STORE_AGAIN: Duration = Duration::from_secs(1);

/// What one try of a message leads to.
pub(super) struct Verdict {
    /// How the message and its deliveries go on.
    pub(super) next: Next,
    /// When the destination may be used again.
    not_before: Timestamp,
}

impl Verdict {
    /// What `attempt` leads to. `failures` counts the destination's failures in a row.
    pub(super) fn of(message: &Message, attempt: &Attempt, failures: &mut u32, now: Timestamp) -> Self {
        let next = next_step(message, attempt, now);
        let not_before = now.plus(own_wait(attempt, &next, failures).max(attempt.cooldown));
        Self { next, not_before }
    }

    /// Writes it down, in the table however long the database takes to accept it, and in `destination`. `false` if
    /// another process has taken over meanwhile.
    pub(super) async fn record(
        &self,
        context: &Context,
        destination: &mut Destination,
        message: &Message,
        attempt: &Attempt,
    ) -> bool {
        let Self { next, not_before } = self;
        destination.not_before = *not_before;
        if let Next::Parked(reason) = next {
            destination.closed = Some(reason.as_str().to_owned());
        }
        loop {
            let attempt = attempt.clone();
            match context.store.record(message, destination.epoch, attempt, next.clone(), *not_before).await {
                Ok(ours) => {
                    context.hub.conditions().clear(Condition::StoreFailing);
                    context.hub.progressed();
                    return ours;
                }
                Err(error) => store_failing(&context.hub, &error),
            }
            context.clock.sleep(STORE_AGAIN).await;
        }
    }

    /// Tells the operator, once for each try.
    pub(super) fn tell(
        &self,
        destination: &Destination,
        message: &Message,
        attempt: &Attempt,
        now: Timestamp,
    ) {
        let name = &destination.name;
        let (took_ms, tries) = (attempt.took.as_millis(), message.attempts + 1);
        let said = String::from_utf8_lossy(&attempt.response);
        let again_in_s = self.not_before.since(now).as_secs_f64();
        match &self.next {
            Next::Delivered(_) => {
                tracing::info!(message.id = %message.id, took_ms, tries, "delivered to {name}");
            }
            Next::Again | Next::Withdrawn => tracing::warn!(
                message.id = %message.id, status = attempt.status, took_ms, tries, again_in_s,
                "{name} did not take a message: {}; it is tried again", said.escape_debug()
            ),
            Next::Superseded(reason) => tracing::warn!(
                message.id = %message.id, status = attempt.status,
                "a card in {name} cannot be changed any more: {reason}. A new one takes its place"
            ),
            Next::Recomposed(_) => tracing::warn!(
                message.id = %message.id, status = attempt.status,
                "{name} refused a card: {}; it is sent as plain text", said.escape_debug()
            ),
            Next::Dead(reason) => tracing::error!(
                message.id = %message.id, status = attempt.status,
                "{name} refused a message for good: {reason}. The event is kept"
            ),
            Next::Parked(reason) => tracing::error!(
                message.id = %message.id, status = attempt.status,
                "{name} is closed: {reason}. Its deliveries wait; mend it and restart"
            ),
        }
    }
}

/// How the message and its deliveries go on.
fn next_step(message: &Message, attempt: &Attempt, now: Timestamp) -> Next {
    match &attempt.outcome {
        Outcome::Sent(receipt) => Next::Delivered(*receipt),
        Outcome::Retry { arrived: Arrived::Maybe, .. } => Next::Again,
        // An earlier try of it may have arrived: it stays one and the same message.
        Outcome::Retry { .. } | Outcome::Paused { .. } if message.ambiguous_since.is_some() => Next::Again,
        Outcome::Retry { .. } | Outcome::Paused { .. } => Next::Withdrawn,
        Outcome::Refused(_) if message.form == Form::Single => {
            Next::Recomposed(Box::new(message.in_form(Form::Plain, now)))
        }
        Outcome::Refused(reason) => Next::Dead(reason.clone()),
        Outcome::Uneditable(reason) => Next::Superseded(reason.clone()),
        Outcome::Closed(reason) => Next::Parked(reason.clone()),
    }
}

/// How long the destination waits of its own. A pause of all lanes shuts the gate instead.
fn own_wait(attempt: &Attempt, next: &Next, failures: &mut u32) -> Duration {
    if matches!(next, Next::Delivered(_)) {
        *failures = 0;
    }
    match &attempt.outcome {
        Outcome::Retry { after, .. } => {
            *failures += 1;
            let backoff = schedule::backoff(*failures, rand::random());
            after.map_or(backoff, |after| after.max(backoff))
        }
        Outcome::Sent(_)
        | Outcome::Refused(_)
        | Outcome::Uneditable(_)
        | Outcome::Closed(_)
        | Outcome::Paused { .. } => Duration::ZERO,
    }
}

/// Keeps `/health` true: whether Discord as a whole can be reached.
pub(super) fn note_reachable(conditions: &Conditions, attempt: &Attempt) {
    match &attempt.outcome {
        Outcome::Sent(_) if conditions.clear(Condition::DiscordUnreachable) => {
            tracing::info!("Discord can be reached again");
        }
        Outcome::Retry { .. } if attempt.status.is_none_or(|status| status >= 500) => {
            conditions.raise(
                Condition::DiscordUnreachable,
                "Discord cannot be reached or does not work: deliveries wait and are tried again",
            );
        }
        _ => {}
    }
}

/// Says that the database does not take what has to be recorded.
pub(super) fn store_failing(hub: &Hub, error: &store::Error) {
    let sentence = format!("{error}: deliveries wait until it works again (is the disk full?)");
    if hub.conditions().raise(Condition::StoreFailing, sentence.clone()) {
        tracing::error!("{sentence}");
    }
}
