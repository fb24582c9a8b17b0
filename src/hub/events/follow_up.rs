//! Follow-up notices: events of nuncio's own that report a destination's state changes to operators.
//!
//! Deciding is pure; the events are stored in the unit that records the outcome. A notice never causes a notice.

use serde_json::json;

use crate::clock::{Moment, Timestamp};
use crate::hub::Hub;
use crate::model::{
    DedupeKey, Destination, DestinationId, Event, EventId, Family, Kind, NewEvent, Outcome, Priority,
    RawBody, Sink, Source,
};
use crate::store::{FollowUp, Incoming, Planned};

/// The route of a notice that goes to webhooks.
const SYSTEM: &str = "category:SYSTEM";

/// A state change of a destination that operators are notified of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Closed: nothing can be sent there any more.
    Closed {
        /// The cause, as a sentence.
        reason: String,
        /// Whether it is a webhook that was deleted.
        is_deleted: bool,
    },
    /// Discord currently denies messages there; the cause.
    Denied(String),
    /// It accepts messages again.
    Reopened,
    /// This many deliveries waited for it too long and were given up.
    Expired(u64),
}

impl Notice {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "destination.closed",
            Self::Denied(_) => "destination.denied",
            Self::Reopened => "destination.reopened",
            Self::Expired(_) => "destination.expired",
        }
    }
}

/// The notice that follows from an attempt to send `carried` to `destination` with this outcome: none if it was sent
/// already, or if `carried` were notices themselves. `is_deleted`: whether the attempt found a deleted webhook.
#[must_use]
pub fn follow_up<'a>(
    destination: &Destination,
    carried: impl IntoIterator<Item = &'a Event>,
    outcome: &Outcome,
    is_deleted: bool,
) -> Option<Notice> {
    let is_announced = destination.announced.is_some();
    match outcome {
        Outcome::Sent(_) if is_announced => return Some(Notice::Reopened),
        Outcome::Closed(_) | Outcome::Denied(_) => {}
        _ => return None,
    }
    if carried.into_iter().all(is_notice) {
        return None;
    }
    match outcome {
        // The denial was announced; the closing is news.
        Outcome::Closed(reason) if !is_announced || destination.denied.is_some() => {
            Some(Notice::Closed { reason: reason.to_string(), is_deleted })
        }
        Outcome::Denied(reason) if !is_announced => Some(Notice::Denied(reason.to_string())),
        _ => None,
    }
}

/// Whether `event` is a notice about nuncio's own state.
fn is_notice(event: &Event) -> bool {
    event.meaning().family == Family::Notice
}

impl Hub {
    /// The event that reports `notice` about `destination`, to the `default` route's destinations except that one. Where
    /// there are none, to the ADMIN webhooks for SYSTEM of the same company.
    pub async fn announcement(
        &self,
        notice: &Notice,
        destination: &Destination,
        cause: Option<EventId>,
        now: Moment,
    ) -> FollowUp {
        let known = self.missing_at(destination).map(Notice::Denied);
        let notice = match (notice, &known) {
            (Notice::Denied(_), Some(known)) => known,
            _ => notice,
        };
        let id = self.0.mint.next(now.steady);
        let priority = if *notice == Notice::Reopened { Priority::Normal } else { Priority::Urgent };
        let incoming = Incoming {
            event: event_of(id, notice, destination, cause, now.wall),
            plan: self.recipients(destination.id, priority).await,
            unrouted: false,
            company_name: None,
            asks: None,
        };
        FollowUp { id, incoming }
    }

    /// Recipients of nuncio's own notices, without the destination that the notice is about.
    async fn recipients(&self, except: DestinationId, priority: Priority) -> Vec<Planned> {
        let mut plan = self.0.routing.now().default_plan();
        plan.retain(|planned| planned.destination_id != except);
        if plan.is_empty() {
            let webhooks = self.0.store.notice_webhooks(except).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "a notice reaches nobody: the database could not be read");
                Vec::new()
            });
            let planned =
                |destination_id| Planned { destination_id, priority, route: SYSTEM.to_owned(), muted: None };
            plan.extend(webhooks.into_iter().map(planned));
        }
        plan.iter_mut().for_each(|planned| planned.priority = priority);
        plan
    }
}

fn event_of(
    id: EventId,
    notice: &Notice,
    destination: &Destination,
    cause: Option<EventId>,
    now: Timestamp,
) -> NewEvent {
    let (reason, expired) = match notice {
        Notice::Closed { reason, .. } | Notice::Denied(reason) => (Some(reason), None),
        Notice::Reopened => (None, None),
        Notice::Expired(count) => (None, Some(count)),
    };
    let mut data = json!({
        "destination_id": destination.id, "name": destination.name, "sink": destination.sink.kind(),
        "channel_id": null, "reason": reason, "expired": expired,
    });
    match &destination.sink {
        Sink::Channel(id) => data["channel_id"] = json!(id),
        // Never more of a webhook's address than its visible part.
        Sink::DiscordWebhook(mark) => {
            data["webhook"] = json!(mark.to_string());
            data["mend"] = json!(destination.mended_by());
            data["deleted"] = json!(matches!(notice, Notice::Closed { is_deleted: true, .. }));
        }
        Sink::XtSystems => {}
    }
    let body = json!({"event_type": notice.kind(), "data": &data, "timestamp": now.as_secs()});
    let body = RawBody::new(body.to_string().into_bytes());
    NewEvent {
        source: Source::Nuncio,
        kind: Kind::new(notice.kind()),
        company: String::new(),
        subject: format!("destination:{}", destination.id),
        // The event's own id makes the key unique: one channel may close twice in a second.
        dedupe: DedupeKey::of_request(&id.to_string(), &body),
        cause,
        occurred_at: now,
        received_at: now,
        severity: None,
        company_name: None,
        body,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::hub::health::refused_source::{ACCEPTED, REFUSED};
    use crate::hub::routing::mute::ENDED;
    use crate::model::{Payload, Reason, Receipt, Snowflake};
    use crate::samples;

    fn destination(denied: bool, announced: bool) -> Destination {
        Destination {
            newest: None,
            id: DestinationId::new(),
            sink: Sink::Channel(Snowflake::new(7)),
            name: "#tickets".to_owned(),
            enabled: true,
            closed: None,
            denied: denied.then(|| "no".to_owned()),
            announced: announced.then(EventId::new),
            not_before: crate::clock::SteadyTime::default(),
            epoch: 0,
        }
    }

    fn event(source: Source, kind: &str) -> Event {
        Event {
            id: EventId::new(),
            source,
            kind: Kind::new(kind),
            company: String::new(),
            subject: String::new(),
            occurred_at: Timestamp::default(),
            received_at: Timestamp::default(),
            data: Payload::parsed(source, Value::Null),
            size: 0,
        }
    }

    // Control: remove a sample from `samples.rs`, and this fails.
    #[test]
    fn every_notice_has_a_sample_with_the_same_fields() {
        let notices = [
            Notice::Closed { reason: "gone".to_owned(), is_deleted: false },
            Notice::Denied("no".to_owned()),
            Notice::Reopened,
            Notice::Expired(12),
        ];
        let others = [REFUSED, ACCEPTED, ENDED];
        let kinds: Vec<_> = notices.iter().map(Notice::kind).chain(others).collect();
        let samples: Vec<_> = samples::own().iter().map(|sample| sample.kind).collect();
        assert_eq!(samples, kinds);
        for (notice, sample) in notices.iter().zip(samples::own()) {
            let made =
                event_of(EventId::new(), notice, &destination(false, false), None, Timestamp::default());
            let made: Value = serde_json::from_slice(made.body.as_bytes()).unwrap();
            let sample: Value = serde_json::from_str(sample.body).unwrap();
            let fields = |body: &Value| body["data"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            assert_eq!(fields(&sample), fields(&made), "{}", notice.kind());
        }
    }

    #[test]
    fn people_are_told_once_and_never_about_what_tells_them() {
        let ticket = event(Source::XtSystems, "ticket.created");
        let notice = event(Source::Nuncio, "destination.closed");
        let decision = event(Source::Nuncio, "decision.confirmed");
        let sent = Outcome::Sent(Receipt::Message { channel: Snowflake::new(7), message: None });
        let denied = Outcome::Denied(Reason::new("no"));
        let closed = Outcome::Closed(Reason::new("gone"));
        let after = |denied_before, announced, event: &Event, outcome| {
            follow_up(&destination(denied_before, announced), [event], outcome, false)
                .map(|notice| notice.kind())
        };
        assert_eq!(after(false, false, &ticket, &closed), Some("destination.closed"));
        assert_eq!(after(false, false, &ticket, &denied), Some("destination.denied"));
        assert_eq!(after(false, false, &decision, &closed), Some("destination.closed"));
        assert_eq!(after(false, false, &notice, &closed), None, "a notice never causes a notice");
        assert_eq!(after(false, false, &notice, &denied), None);
        assert_eq!(after(false, true, &ticket, &closed), None, "they know");
        assert_eq!(after(true, true, &ticket, &denied), None);
        assert_eq!(after(true, true, &ticket, &closed), Some("destination.closed"), "worse than they know");
        assert_eq!(after(true, true, &ticket, &sent), Some("destination.reopened"));
        assert_eq!(after(false, false, &ticket, &sent), None);
        let retry = Outcome::Retry { after: None, arrived: crate::model::Arrived::No };
        assert_eq!(after(true, true, &ticket, &retry), None);
    }
}
