//! The disposition of an attempt to show cards: its consequences for the message, its deliveries and its destination;
//! recorded and logged.

use crate::clock::Moment;
use crate::dispatch::Context;
use crate::dispatch::lane::insist::insist;
use crate::dispatch::lane::pacing::Pacing;
use crate::hub::{self, Hub, Notice};
use crate::model::schedule::DENIED_AGAIN;
use crate::model::{
    Action, Arrived, Attempt, Delivery, DeliveryId, Destination, Form, Message, Outcome, Reason,
};
use crate::store::{AttemptEntry, NextStep, Recorded};

/// The disposition of one attempt to send a message.
pub(super) struct Disposition {
    /// The next step of the message and its deliveries.
    pub(super) next: NextStep,
    /// When the destination may be used again.
    pacing: Pacing,
    /// Why the destination denies access, if it does.
    denied: Option<String>,
    /// The notice for operators.
    notice: Option<Notice>,
}

impl Disposition {
    /// Derives the disposition of `attempt`. `failures` counts the destination's consecutive failures.
    pub(super) fn of(
        destination: &Destination,
        message: &Message,
        attempt: &Attempt,
        failures: &mut u32,
        now: Moment,
    ) -> Self {
        let next = next_step(message, attempt, now);
        let carried = message.deliveries.iter().filter_map(|delivery| delivery.event.as_deref());
        Self {
            pacing: Pacing::after(attempt, failures, now.steady),
            denied: match &attempt.outcome {
                Outcome::Denied(reason) => Some(reason.to_string()),
                Outcome::Sent(_) => None,
                _ => destination.denied.clone(),
            },
            notice: hub::follow_up(
                destination,
                carried,
                &attempt.outcome,
                attempt.tells_of_a_deleted_webhook(),
            ),
            next,
        }
    }

    /// Records the disposition in `destination` and in the table; retries until the database accepts it.
    pub(super) async fn record(
        &self,
        context: &Context,
        destination: &mut Destination,
        message: &Message,
        attempt: &Attempt,
    ) -> Recorded {
        let cause = message.deliveries.first().map(|delivery| delivery.event_id);
        let announcement = match &self.notice {
            Some(notice) => {
                // The cause of a reopening notice is the notice that it revokes.
                let cause = destination.announced.filter(|_| *notice == Notice::Reopened).or(cause);
                Some(context.hub.announcement(notice, destination, cause, context.clock.moment()).await)
            }
            None => None,
        };
        if let Some(announcement) = &announcement {
            let lasts = self.notice != Some(Notice::Reopened);
            destination.announced = lasts.then_some(announcement.id);
        }
        destination.not_before = self.pacing.not_before;
        destination.denied.clone_from(&self.denied);
        if let (NextStep::Delivered(receipt), Action::Create) = (&self.next, message.action) {
            destination.newest = destination.newest.max(receipt.message());
        }
        if let NextStep::Parked(reason) = &self.next {
            destination.closed = Some(reason.as_str().to_owned());
        }
        let entry = AttemptEntry {
            attempt: attempt.clone(),
            next: self.next.clone(),
            not_before: self.pacing.not_before.max(self.pacing.whole_at),
            retry_from: self.pacing.retry_from,
            denied: self.denied.clone(),
            announced: destination.announced,
            follow_ups: announcement.into_iter().collect(),
        };
        let recorded =
            insist(context, || context.store.record(message, destination.epoch, entry.clone())).await;
        context.hub.storage_works();
        context.hub.progressed();
        if recorded == Recorded::Kept {
            context.hub.recorded(message, attempt, &self.next);
        }
        recorded
    }

    /// Logs the outcome for the operator, once for each attempt.
    pub(super) fn log(
        &self,
        hub: &Hub,
        destination: &Destination,
        message: &Message,
        attempt: &Attempt,
        now: Moment,
    ) {
        let missing = || hub.missing_at(destination);
        let name = &destination.name;
        let (took_ms, tries) = (attempt.took.as_millis(), message.attempts + 1);
        let response = String::from_utf8_lossy(&attempt.response);
        let again_in_s = self.pacing.not_before.since(now.steady).as_secs_f64();
        match &self.next {
            NextStep::Dead(reason) if was_not_sent(attempt) => {
                let ids: Vec<_> = message.deliveries.iter().map(|delivery| delivery.id).collect();
                log_given_up(name, &ids, reason);
            }
            NextStep::Split(_) | NextStep::Recomposed(_) if was_not_sent(attempt) => tracing::warn!(
                message.id = %message.id, "a message for {name} could not be composed: nuncio tries its parts in a \
                                           simpler form"
            ),
            NextStep::Delivered(_) => {
                tracing::info!(message.id = %message.id, took_ms, tries, "delivered to {name}");
                if self.notice == Some(Notice::Reopened) {
                    tracing::info!("{name} takes messages again: what waited for it is sent");
                }
            }
            NextStep::InDoubt | NextStep::SendAgain | NextStep::Withdrawn => match &attempt.outcome {
                Outcome::Denied(reason) if destination.mended_by().is_some() => tracing::error!(
                    message.id = %message.id, status = attempt.status,
                    "{name} takes no messages for now: {reason}. Its deliveries wait, and nuncio tries again every \
                     {} minutes",
                    DENIED_AGAIN.as_secs() / 60
                ),
                Outcome::Denied(reason) if destination.denied.is_none() => tracing::error!(
                    message.id = %message.id, status = attempt.status,
                    "{name} does not let the bot write: {}. Its deliveries wait, and nuncio tries again every {} \
                     minutes. Give the bot View Channel, Send Messages and Embed Links there",
                    missing().unwrap_or_else(|| reason.to_string()),
                    DENIED_AGAIN.as_secs() / 60
                ),
                Outcome::Denied(reason) => tracing::warn!(
                    message.id = %message.id, status = attempt.status, "{name} still does not let the bot write: {reason}"
                ),
                _ if !attempt.was_asked() => tracing::warn!(
                    message.id = %message.id, tries, again_in_s, "a message for {name} was not sent: {}", response.escape_debug()
                ),
                _ => tracing::warn!(
                    message.id = %message.id, status = attempt.status, took_ms, tries, again_in_s,
                    "{name} did not take a message: {}; it is tried again", response.escape_debug()
                ),
            },
            NextStep::Split(reason) => tracing::warn!(
                message.id = %message.id, status = attempt.status,
                "{name} refused a message that holds several cards: {reason}. Each is sent alone"
            ),
            NextStep::Superseded(reason) => tracing::warn!(
                message.id = %message.id, status = attempt.status,
                "a card in {name} cannot be changed any more: {reason}. A new one takes its place"
            ),
            NextStep::Recomposed(_) => tracing::warn!(
                message.id = %message.id, status = attempt.status,
                "{name} refused a card: {}; it is sent as plain text", response.escape_debug()
            ),
            NextStep::Dead(reason) => tracing::error!(
                message.id = %message.id, status = attempt.status,
                "{name} refused a message for good: {reason}. The event is kept: nuncio deliveries --dead lists it, nuncio redeliver ID \
                 sends it again"
            ),
            NextStep::Parked(reason) => {
                let until = destination.mended_by().map_or_else(
                    || "it takes messages again".to_owned(),
                    |command| format!("it has another address: {command}"),
                );
                tracing::error!(
                    message.id = %message.id, status = attempt.status,
                    "{name} is closed: {reason}. Its deliveries wait, and are sent as soon as {until}"
                );
            }
        }
    }
}

/// The next step of the message and its deliveries.
fn next_step(message: &Message, attempt: &Attempt, now: Moment) -> NextStep {
    match &attempt.outcome {
        Outcome::Sent(receipt) => NextStep::Delivered(*receipt),
        Outcome::Retry { arrived: Arrived::Maybe, .. } => NextStep::InDoubt,
        // An earlier attempt may have arrived, so the message keeps its identity.
        Outcome::Retry { .. } | Outcome::Paused { .. } | Outcome::Denied(_)
            if message.ambiguous_since.is_some() =>
        {
            NextStep::InDoubt
        }
        Outcome::Retry { .. } | Outcome::Paused { .. } | Outcome::Denied(_)
            if message.form == Form::Digest =>
        {
            NextStep::SendAgain
        }
        Outcome::Retry { .. } | Outcome::Paused { .. } | Outcome::Denied(_) => NextStep::Withdrawn,
        // It cannot be composed again, so its channel cannot be searched for it.
        Outcome::Refused(reason) if was_not_sent(attempt) && may_be_posted(message) => {
            NextStep::Dead(Reason::new(format!("{reason}; it may be in the channel all the same")))
        }
        // One refused delivery must not take the others with it.
        Outcome::Refused(reason) if message.form == Form::Digest || message.deliveries.len() > 1 => {
            NextStep::Split(reason.clone())
        }
        // A digest already shows this event: it is not worth a message of its own.
        Outcome::Refused(reason) if message.deliveries.iter().any(Delivery::redraws) => {
            NextStep::Superseded(reason.clone())
        }
        Outcome::Refused(_) if message.form == Form::Single => {
            NextStep::Recomposed(Box::new(message.in_form(Form::Plain, now)))
        }
        Outcome::Refused(reason) => NextStep::Dead(reason.clone()),
        Outcome::Uneditable(reason) => NextStep::Superseded(reason.clone()),
        Outcome::Closed(reason) => NextStep::Parked(reason.clone()),
    }
}

/// Whether nuncio itself refused the message because it could not be composed.
fn was_not_sent(attempt: &Attempt) -> bool {
    attempt.status.is_none() && matches!(attempt.outcome, Outcome::Refused(_))
}

/// Whether an earlier attempt may have posted a message that cannot be split. A digest's content may be posted again.
fn may_be_posted(message: &Message) -> bool {
    message.ambiguous_since.is_some() && message.form != Form::Digest
}

/// Logs that deliveries were given up because no message could be composed for them.
pub(super) fn log_given_up(name: &str, deliveries: &[DeliveryId], reason: &Reason) {
    let ids: Vec<String> = deliveries.iter().map(DeliveryId::short).collect();
    let ids = ids.join(", ");
    tracing::error!(
        "no message could be composed for {name}: {reason}. nuncio gave up {ids}; everything else goes on, and the \
         event is kept. Please report this; after the fix, `nuncio redeliver ID` sends it"
    );
}
