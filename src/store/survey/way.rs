//! The way of one event, looked up from outside.

use std::path::Path;

use rusqlite::OptionalExtension as _;

use super::open;
use crate::clock::Timestamp;
use crate::model::{EventId, Status};
use crate::store::Result;
use crate::store::path::resolve;

/// A place that an event goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// How it is called.
    pub name: String,
    /// Its address, of a channel the id.
    pub address: String,
    /// Where the delivery stands.
    pub status: Status,
    /// Why it does not go on, or was given up.
    pub reason: Option<String>,
    /// When it was delivered or given up.
    pub finished_at: Option<Timestamp>,
}

/// Where `event` goes, and how far it is.
///
/// # Errors
/// If the database cannot be read.
pub fn way_of(path: &Path, event: EventId) -> Result<Vec<Stop>> {
    let connection = open(&resolve(path)?)?;
    let mut query = connection.prepare(
        "SELECT t.name, t.address, d.status, COALESCE(t.closed_reason, t.denied_reason, d.reason), d.finished_at \
         FROM deliveries AS d JOIN destinations AS t ON t.id = d.destination_id WHERE d.event_id = $1 ORDER BY d.id",
    )?;
    let stops = query.query_map([event.to_string()], |row| {
        let status: String = row.get(2)?;
        Ok(Stop {
            name: row.get(0)?,
            address: row.get(1)?,
            // What is no status is not over.
            status: Status::from_word(&status).unwrap_or(Status::Pending),
            reason: row.get(3)?,
            finished_at: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
        })
    })?;
    Ok(stops.collect::<rusqlite::Result<_>>()?)
}

/// The newest `webhook.test` that was received at `since` or later, and after `other`.
///
/// # Errors
/// If the database cannot be read.
pub fn newest_test(path: &Path, since: Timestamp, other: EventId) -> Result<Option<EventId>> {
    let connection = open(&resolve(path)?)?;
    let id: Option<String> = connection
        .query_row(
            "SELECT id FROM events WHERE id > $2 AND kind = 'webhook.test' AND received_at >= $1 ORDER BY id DESC LIMIT 1",
            (since.as_millis(), other.to_string()),
            |row| row.get(0),
        )
        .optional()?;
    Ok(id.and_then(|id| id.parse().ok()))
}
