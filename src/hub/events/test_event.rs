//! End-to-end test: a test event, traced to its destinations.

use std::time::Duration;

use serde_json::json;

use crate::clock::{Moment, Timestamp};
use crate::hub::Hub;
use crate::hub::error;
use crate::model::{
    By, DedupeKey, DeliveryDetails, DeliveryFilter, EventId, Kind, NewEvent, RawBody, Source, Status,
};
use crate::store::Result;

const KIND: &str = "webhook.test";
/// What a test is about, for the audit log.
const SUBJECT: &str = "webhook";
/// How many of the newest events are searched for the test.
const NEWEST: u32 = 50;
/// Limit on traced destinations: more than any operator watches.
const MOST: u32 = 100;

/// The trace of a test event.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The event.
    pub event: EventId,
    /// Latency from the arrival of its headers to the commit.
    pub on_disk: Duration,
    /// Its destinations, with the latency of each from the commit on.
    pub legs: Vec<Hop>,
}

/// One destination of a test event.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Display name of the destination.
    pub destination: String,
    /// Latency from the commit to the final state; `None` if not final yet.
    pub took: Option<Duration>,
    /// State of the delivery.
    pub status: Status,
    /// Why it is held up, or was given up.
    pub reason: Option<String>,
}

impl Hub {
    /// Accepts a test event of nuncio's own, as if the platform had sent it.
    ///
    /// # Errors
    /// [`Error::Forbidden`](error::Error::Forbidden), or the database failed.
    pub async fn send_test(&self, by: &By) -> error::Result<EventId> {
        self.authorize(by, SUBJECT).await?;
        let now = self.0.clock.now();
        let data = json!({"message": "Test from nuncio itself", "test": EventId::new().to_string()});
        let body = json!({"event_type": KIND, "data": data, "timestamp": now.as_secs()});
        let body = RawBody::new(body.to_string());
        let event = NewEvent {
            source: Source::XtSystems,
            kind: Kind::new(KIND),
            company: String::new(),
            subject: String::new(),
            dedupe: DedupeKey::of_body(&body),
            cause: None,
            occurred_at: now,
            received_at: now,
            severity: None,
            company_name: None,
            body,
        };
        Ok(self.accept_by(event, Some(by.entry(SUBJECT))).await?.event_id)
    }

    /// The newest test event that arrived at `since` or later.
    pub async fn test_since(&self, since: Timestamp) -> Result<Option<EventId>> {
        let newest = self.0.store.recent(NEWEST).await?;
        let is_it = |event: &&crate::store::Recent| event.kind.as_str() == KIND && event.received_at >= since;
        Ok(newest.iter().flatten().find(is_it).map(|event| event.id))
    }

    /// Traces an event until every delivery is final, or until `patience` runs out.
    pub async fn follow(&self, event: EventId, patience: Duration) -> Result<Trace> {
        let mut progress = self.0.progress.subscribe();
        let until = self.0.clock.elapsed() + patience;
        loop {
            progress.mark_unchanged();
            let deliveries = self.0.store.delivery_details_of(DeliveryFilter::Of(event), MOST).await?;
            let is_open =
                |delivery: &DeliveryDetails| matches!(delivery.status, Status::Pending | Status::Sending);
            let left = until.saturating_sub(self.0.clock.elapsed());
            if !deliveries.iter().any(is_open) || left.is_zero() {
                return Ok(trace(event, &deliveries, self.0.clock.moment()));
            }
            let _ = self.0.clock.within(left, progress.changed()).await;
        }
    }
}

fn trace(event: EventId, deliveries: &[DeliveryDetails], now: Moment) -> Trace {
    let on_disk_at = now.wall_at(event.minted_at());
    let received_at = deliveries.first().map_or(on_disk_at, |delivery| delivery.received_at);
    let legs = deliveries.iter().rev().map(|delivery| Hop {
        destination: delivery.destination.clone(),
        took: delivery.finished_at.map(|at| span(on_disk_at, at)),
        status: delivery.status,
        reason: delivery.closed.clone().or_else(|| delivery.reason.clone()),
    });
    Trace { event, on_disk: span(received_at, on_disk_at), legs: legs.collect() }
}

fn span(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(to.as_millis() - from.as_millis()).unwrap_or(0))
}
