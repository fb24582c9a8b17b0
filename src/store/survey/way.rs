//! Survey of one event's deliveries.

use std::path::Path;

use super::open;
use crate::clock::Timestamp;
use crate::model::{EventId, Status};
use crate::store::Result;
use crate::store::path::resolve;
use crate::store::sql::{query, query_scalar};

/// A destination of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoppedAt {
    /// Name of the destination.
    pub name: String,
    /// Address of the destination; for a channel, its id.
    pub address: String,
    /// Status of the delivery.
    pub status: Status,
    /// Why it is stopped, or was given up.
    pub reason: Option<String>,
    /// When it was delivered or given up.
    pub finished_at: Option<Timestamp>,
}

/// Returns the destinations of `event` and the status of each delivery.
///
/// # Errors
/// If the database cannot be read.
pub fn way_of(path: &Path, event: EventId) -> Result<Vec<StoppedAt>> {
    let connection = open(&resolve(path)?)?;
    let stops = query(
        "SELECT t.name, t.address, d.status, COALESCE(t.closed_reason, t.denied_reason, d.reason), d.finished_at \
         FROM deliveries AS d JOIN destinations AS t ON t.id = d.destination_id WHERE d.event_id = $1 ORDER BY d.id",
    );
    let stops = stops.bind(event).all_on(&connection)?;
    let stops = stops.iter().map(|row| {
        let status: String = row.at(2)?;
        Ok(StoppedAt {
            name: row.at(0)?,
            address: row.at(1)?,
            // An unknown status counts as unfinished.
            status: Status::from_word(&status).unwrap_or(Status::Pending),
            reason: row.at(3)?,
            finished_at: row.at::<Option<i64>>(4)?.map(Timestamp::from_millis),
        })
    });
    stops.collect()
}

/// The newest `webhook.test` that was received at `since` or later, and after `other`.
///
/// # Errors
/// If the database cannot be read.
pub fn newest_test(path: &Path, since: Timestamp, other: EventId) -> Result<Option<EventId>> {
    let connection = open(&resolve(path)?)?;
    query_scalar(
        "SELECT id FROM events WHERE kind = 'webhook.test' AND received_at >= $1 AND id > $2 ORDER BY id DESC LIMIT 1",
    )
    .bind(since.as_millis())
    .bind(other)
    .one_on(&connection)
}
