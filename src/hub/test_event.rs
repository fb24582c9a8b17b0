//! Trying the line out: a test event, and following it to where it goes.

use std::time::Duration;

use serde_json::json;

use crate::clock::{Moment, Timestamp};
use crate::hub::Hub;
use crate::model::{DedupeKey, EventId, Kind, NewEvent, RawBody, Source, Status};
use crate::store::{DeliveryDetails, DeliveryFilter, Result};

const KIND: &str = "webhook.test";
/// How many of the newest events are looked through for the test.
const NEWEST: u32 = 50;
/// More places than anybody watches.
const MOST: u32 = 100;

/// A test event's way through nuncio.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The event.
    pub event: EventId,
    /// From the arrival of its headers to its being on disk.
    pub on_disk: Duration,
    /// Where it went, and how long each took from there.
    pub legs: Vec<Hop>,
}

/// One place that a test event went to.
#[derive(Clone, Debug)]
pub struct Hop {
    /// How that place is called.
    pub destination: String,
    /// From disk to the end of it; `None` if it has not ended.
    pub took: Option<Duration>,
    /// Where it stands.
    pub status: Status,
    /// Why it does not go on, or was given up.
    pub reason: Option<String>,
}

impl Hub {
    /// Accepts a test event of our own, as if the platform had sent it.
    pub async fn send_test(&self) -> Result<EventId> {
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
        Ok(self.accept(event).await?.event_id)
    }

    /// The newest test event that arrived at `since` or later.
    pub async fn test_since(&self, since: Timestamp) -> Result<Option<EventId>> {
        let newest = self.0.store.recent(NEWEST).await?;
        let is_it = |event: &&crate::store::Recent| event.kind.as_str() == KIND && event.received_at >= since;
        Ok(newest.iter().flatten().find(is_it).map(|event| event.id))
    }

    /// Follows an event until it stands everywhere it goes, or for as long as `patience` lasts.
    pub async fn follow(&self, event: EventId, patience: Duration) -> Result<Trace> {
        let mut progress = self.0.progress.subscribe();
        let until = self.0.clock.elapsed() + patience;
        loop {
            progress.mark_unchanged();
            let letters = self.0.store.letters(DeliveryFilter::Of(event), MOST).await?;
            let is_open =
                |letter: &DeliveryDetails| matches!(letter.status, Status::Pending | Status::Sending);
            let left = until.saturating_sub(self.0.clock.elapsed());
            if !letters.iter().any(is_open) || left.is_zero() {
                return Ok(trace(event, &letters, self.0.clock.moment()));
            }
            let _ = self.0.clock.within(left, progress.changed()).await;
        }
    }
}

fn trace(event: EventId, letters: &[DeliveryDetails], now: Moment) -> Trace {
    let on_disk_at = now.wall_at(event.minted_at());
    let received_at = letters.first().map_or(on_disk_at, |letter| letter.received_at);
    let legs = letters.iter().rev().map(|letter| Hop {
        destination: letter.destination.clone(),
        took: letter.finished_at.map(|at| span(on_disk_at, at)),
        status: letter.status,
        reason: letter.closed.clone().or_else(|| letter.reason.clone()),
    });
    Trace { event, on_disk: span(received_at, on_disk_at), legs: legs.collect() }
}

fn span(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(to.as_millis() - from.as_millis()).unwrap_or(0))
}
