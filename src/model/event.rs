//! Something that happened.

use crate::clock::Timestamp;
use crate::model::kind::Kind;
use crate::model::raw_body::RawBody;
use crate::model::{EventId, KindMeaning, Payload, Severity, Source};
use crate::signature;

/// What makes two requests the same event: 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DedupeKey(String);

impl DedupeKey {
    /// The key of a body that says when it was written: a platform's retry is signed anew over the same bytes.
    #[must_use]
    pub fn of_body(body: &RawBody) -> Self {
        Self(signature::sha256_hex(&[body.as_bytes()]))
    }

    /// The key of a body without a time of its own: the same bytes at another time are another event.
    #[must_use]
    pub fn of_request(timestamp: &str, body: &RawBody) -> Self {
        Self(signature::sha256_hex(&[timestamp.as_bytes(), body.as_bytes()]))
    }

    /// The hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the subject of a sample begins with: a sample is about nothing that a real event is about.
const SAMPLE: &str = "sample/";

/// The subject of a sample event whose own subject would be `subject`.
#[must_use]
pub fn sample_subject(subject: &str) -> String {
    format!("{SAMPLE}{subject}")
}

/// An event as it enters, before it has an id.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Who sent it.
    pub source: Source,
    /// What happened.
    pub kind: Kind,
    /// The customer it concerns, in the source's words; empty if none.
    pub company: String,
    /// The thing it concerns (`ticket:…`); empty if it cannot be told. Events of one subject belong together.
    pub subject: String,
    /// What makes a repetition of it the same event.
    pub dedupe: DedupeKey,
    /// The event that led to this one, if nuncio itself made it.
    pub cause: Option<EventId>,
    /// When it happened, by the source's clock.
    pub occurred_at: Timestamp,
    /// When its headers had arrived, by ours.
    pub received_at: Timestamp,
    /// How bad it is, if it says so in a word we know.
    pub severity: Option<Severity>,
    /// What it calls the customer, if it does.
    pub company_name: Option<String>,
    /// The bytes that were signed.
    pub body: RawBody,
}

/// An event that was accepted.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id; ids sort in the order of acceptance.
    pub id: EventId,
    /// Who sent it.
    pub source: Source,
    /// What happened.
    pub kind: Kind,
    /// The customer it concerns; empty if none.
    pub company: String,
    /// The thing it concerns; empty if it cannot be told.
    pub subject: String,
    /// When it happened, by the source's clock.
    pub occurred_at: Timestamp,
    /// When it arrived, by ours.
    pub received_at: Timestamp,
    /// The part of the body that describes what happened.
    pub data: Payload,
    /// How many bytes it keeps in memory, roughly.
    pub size: usize,
}

impl NewEvent {
    /// What its kind means.
    #[must_use]
    pub fn meaning(&self) -> KindMeaning<'_> {
        KindMeaning::of(self.source, &self.kind)
    }

    /// Whether it is a sample, made to see what events look like: it pings nobody and asks nothing.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.subject.starts_with(SAMPLE)
    }
}

impl Event {
    /// Whether it is a sample, made to see what events look like: it pings nobody and asks nothing.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.subject.starts_with(SAMPLE)
    }

    /// What its kind means.
    #[must_use]
    pub fn meaning(&self) -> KindMeaning<'_> {
        KindMeaning::of(self.source, &self.kind)
    }

    /// How bad it is, if it says so in a word we know.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.data.severity()
    }
}

/// As much of an event as a sum of many needs: its body may be large.
#[derive(Clone, Debug)]
pub struct EventHeader {
    /// Its id.
    pub id: EventId,
    /// Who sent it.
    pub source: Source,
    /// What happened.
    pub kind: Kind,
    /// The customer it concerns; empty if none.
    pub company: String,
    /// The thing it concerns; empty if it cannot be told.
    pub subject: String,
    /// How bad it is, if it says so in a word we know.
    pub severity: Option<Severity>,
    /// When it happened, by the source's clock.
    pub occurred_at: Timestamp,
}

impl EventHeader {
    /// What its kind means.
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
