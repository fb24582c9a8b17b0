//! Events: something that happened.

use crate::clock::Timestamp;
use crate::model::kind::Kind;
use crate::model::raw_body::RawBody;
use crate::model::{EventId, KindMeaning, Payload, Severity, Source};
use crate::signature;

/// Deduplication key: requests with one key are one event. The first half of a SHA-256: only who signs could look for two
/// bodies with one key, and would deceive nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DedupeKey([u8; 16]);

impl DedupeKey {
    /// Key of a body that contains its own timestamp: on a retry, the platform signs the identical bytes again.
    #[must_use]
    pub fn of_body(body: &RawBody) -> Self {
        Self::of(&[body.as_bytes()])
    }

    /// Key of a body without a timestamp: the same bytes at another time are another event.
    #[must_use]
    pub fn of_request(timestamp: &str, body: &RawBody) -> Self {
        Self::of(&[timestamp.as_bytes(), body.as_bytes()])
    }

    fn of(parts: &[&[u8]]) -> Self {
        let hash = signature::sha256(parts);
        Self(std::array::from_fn(|at| hash[at]))
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Prefix of a sample's subject, so that a sample never shares a subject with a real event.
const SAMPLE: &str = "sample/";

/// The subject of a sample event whose own subject would be `subject`.
#[must_use]
pub fn sample_subject(subject: &str) -> String {
    format!("{SAMPLE}{subject}")
}

/// An incoming event, before it has an id.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The sender.
    pub source: Source,
    /// What happened.
    pub kind: Kind,
    /// The source's id of the customer; empty if none.
    pub company: String,
    /// The subject (`ticket:…`); empty if unknown. Events of one subject belong together.
    pub subject: String,
    /// Detects repetitions.
    pub dedupe: DedupeKey,
    /// The event that led to this one, for events that nuncio itself creates.
    pub cause: Option<EventId>,
    /// When it happened, by the source's clock.
    pub occurred_at: Timestamp,
    /// When its headers had arrived, by this machine's clock.
    pub received_at: Timestamp,
    /// Severity, if the event has a known one.
    pub severity: Option<Severity>,
    /// The customer's name, if the event contains it.
    pub company_name: Option<String>,
    /// The signed bytes.
    pub body: RawBody,
}

/// An accepted event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Identifies the event; ids sort in the order of acceptance.
    pub id: EventId,
    /// The sender.
    pub source: Source,
    /// What happened.
    pub kind: Kind,
    /// The source's id of the customer; empty if none.
    pub company: String,
    /// The subject; empty if unknown.
    pub subject: String,
    /// When it happened, by the source's clock.
    pub occurred_at: Timestamp,
    /// When it arrived, by this machine's clock.
    pub received_at: Timestamp,
    /// The part of the body that describes what happened.
    pub data: Payload,
    /// Approximate size in memory, in bytes.
    pub size: usize,
}

impl NewEvent {
    /// Meaning of the event's kind.
    #[must_use]
    pub fn meaning(&self) -> KindMeaning<'_> {
        KindMeaning::of(self.source, &self.kind)
    }

    /// Whether this is a sample, made to show what events look like: it pings no role and asks nothing.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.subject.starts_with(SAMPLE)
    }
}

impl Event {
    /// Whether this is a sample, made to show what events look like: it pings no role and asks nothing.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.subject.starts_with(SAMPLE)
    }

    /// Meaning of the event's kind.
    #[must_use]
    pub fn meaning(&self) -> KindMeaning<'_> {
        KindMeaning::of(self.source, &self.kind)
    }

    /// Severity, if the event has a known one.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.data.severity()
    }
}

/// The part of an event that a digest needs, without the body, which may be large.
#[derive(Clone, Debug)]
pub struct EventHeader {
    /// Identifies the event.
    pub id: EventId,
    /// The sender.
    pub source: Source,
    /// What happened.
    pub kind: Kind,
    /// The source's id of the customer; empty if none.
    pub company: String,
    /// The subject; empty if unknown.
    pub subject: String,
    /// Severity, if the event has a known one.
    pub severity: Option<Severity>,
    /// When it happened, by the source's clock.
    pub occurred_at: Timestamp,
}

impl EventHeader {
    /// Meaning of the event's kind.
    #[must_use]
    pub fn meaning(&self) -> KindMeaning<'_> {
        KindMeaning::of(self.source, &self.kind)
    }
}

impl From<&Event> for EventHeader {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id,
            source: event.source,
            kind: event.kind.clone(),
            company: event.company.clone(),
            subject: event.subject.clone(),
            severity: event.severity(),
            occurred_at: event.occurred_at,
        }
    }
}
