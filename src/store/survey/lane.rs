//! Survey of the lanes with unfinished deliveries.

use crate::clock::{SteadyTime, Timestamp};
use crate::model::{Destination, Sink};
use crate::store::Result;
use crate::store::engine::sqlite::SqliteConnection;
use crate::store::sql::{Row, query, query_scalar};

/// A destination with unfinished deliveries.
#[derive(Clone, Debug)]
pub struct WaitingLane {
    /// The destination.
    pub destination: Destination,
    /// Number of unfinished deliveries.
    pub waiting: u64,
    /// When the oldest of their events was received.
    pub oldest: Option<Timestamp>,
    /// When the next of them is due, by the wall clock; in the past if only the sending remains.
    pub next: Timestamp,
}

const LANES: &str = "SELECT t.id, t.sink, t.address, t.name, t.closed_reason, t.denied_reason, t.not_before, COUNT(*), \
     MIN(d.due_at), MIN(e.received_at), t.enabled FROM deliveries AS d JOIN destinations AS t ON t.id = d.destination_id \
     LEFT JOIN events AS e ON e.id = d.event_id WHERE d.status IN ('pending', 'sending') AND t.deleted_at IS NULL \
     GROUP BY t.id ORDER BY MIN(e.received_at)";

/// Returns all such lanes, longest wait first. Unreadable rows are left out: the lane itself reports them.
pub(super) fn waiting(connection: &SqliteConnection) -> Result<Vec<WaitingLane>> {
    let lead = query_scalar::<String>("SELECT value FROM meta WHERE key = 'clock.lead'").one_on(connection);
    let lead = lead.ok().flatten().and_then(|lead| lead.parse().ok()).unwrap_or(0);
    let lanes = query(LANES).all_on(connection)?;
    lanes.iter().filter_map(|row| read(row, lead).transpose()).collect()
}

fn read(row: &Row, lead: i64) -> Result<Option<WaitingLane>> {
    let (kind, address): (String, String) = (row.at(1)?, row.at(2)?);
    let (Ok(id), Some(sink)) = (row.at(0), Sink::from_parts(&kind, &address)) else { return Ok(None) };
    let (not_before, due): (i64, i64) = (row.at(6)?, row.at(8)?);
    Ok(Some(WaitingLane {
        destination: Destination {
            id,
            sink,
            name: row.at(3)?,
            enabled: row.at(10)?,
            closed: row.at(4)?,
            denied: row.at(5)?,
            announced: None,
            not_before: SteadyTime::from_millis(not_before),
            newest: None,
            epoch: 0,
        },
        waiting: row.at::<i64>(7)?.unsigned_abs(),
        oldest: row.at::<Option<i64>>(9)?.map(Timestamp::from_millis),
        next: Timestamp::from_millis(not_before.max(due).saturating_sub(lead)),
    }))
}
