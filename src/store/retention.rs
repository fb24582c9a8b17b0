//! Retention: deletes finished rows, in units so small that no event waits for one.
//!
//! Candidates are read outside the writer, oldest first; the unit that deletes them checks again. Retention never
//! deletes: anything unfinished, an event before all of its deliveries, the events of a living card, the deliveries
//! that a machine's open decision depends on, or muted deliveries before the mute's summary.

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::model::EventId;
use crate::store::sql::{Tx, query};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

/// Maximum number of rows that one unit deletes, dependent rows included. A row with more dependents than that is
/// deleted alone.
const UNIT: i64 = 100;

/// Kind of outdated row. Deleting in the order of [`RetentionTable::ALL`] removes no row that another one still needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionTable {
    /// Delivered, dead and cancelled deliveries.
    Deliveries,
    /// Messages without deliveries, with their attempts.
    Messages,
    /// Events without deliveries; not the unrouted ones.
    Events,
    /// Quarantined bodies.
    Quarantine,
    /// Idempotency keys of the API: kept for [`IDEMPOTENCY_KEPT`](crate::store::IDEMPOTENCY_KEPT) only.
    IdempotencyKeys,
}

/// Some outdated rows of one kind, oldest first.
#[derive(Clone, Debug)]
pub struct Outdated {
    shelf: RetentionTable,
    ids: Vec<Uuid>,
    rows: i64,
}

impl Outdated {
    /// Number of rows that their deletion removes, dependent rows included.
    #[must_use]
    pub const fn rows(&self) -> i64 {
        self.rows
    }

    /// Id of the last row; `None` if there are none.
    #[must_use]
    pub fn last(&self) -> Option<Uuid> {
        self.ids.last().copied()
    }
}

impl RetentionTable {
    /// All kinds, in order of deletion.
    pub const ALL: [Self; 5] =
        [Self::Deliveries, Self::Messages, Self::Events, Self::Quarantine, Self::IdempotencyKeys];

    const fn table(self) -> &'static str {
        match self {
            Self::Deliveries => "deliveries",
            Self::Messages => "messages",
            Self::Events => "events",
            Self::Quarantine => "quarantine",
            Self::IdempotencyKeys => "idempotency",
        }
    }

    /// `$1`: ids after this one; `$2`: ids before this one; `$3`: finished before this time.
    const fn select(self) -> &'static str {
        match self {
            Self::Deliveries => {
                "SELECT d.id, 1 + (SELECT COUNT(*) FROM earlier_messages WHERE delivery_id = d.id) AS rows \
                 FROM deliveries AS d JOIN events AS e ON e.id = d.event_id WHERE d.id > $1 AND d.id < $2 \
                 AND d.status IN ('delivered', 'dead', 'cancelled') AND COALESCE(d.finished_at, 0) < $3 \
                 AND NOT EXISTS (SELECT 1 FROM deliveries AS o WHERE o.event_id = d.event_id \
                 AND (o.status IN ('pending', 'sending') OR COALESCE(o.finished_at, 0) >= $3)) \
                 AND NOT EXISTS (SELECT 1 FROM mutes WHERE id = d.muted_by AND summed_at IS NULL) \
                 AND NOT EXISTS (SELECT 1 FROM cards AS c WHERE c.destination_id = d.destination_id \
                 AND c.source = e.source AND c.subject = e.subject AND c.since <= e.id AND c.updated_at >= $3) \
                 AND NOT EXISTS (SELECT 1 FROM decisions AS q WHERE q.source = e.source AND q.kind = 'machine' \
                 AND q.subject = e.subject AND (q.verdict = 'open' OR q.platform IN ('calling', 'held'))) \
                 ORDER BY d.id LIMIT 100"
            }
            Self::Messages => {
                "SELECT m.id, 1 + (SELECT COUNT(*) FROM attempts WHERE message_id = m.id) + \
                 (SELECT COUNT(*) FROM earlier_messages WHERE message_id = m.id) + \
                 (SELECT COUNT(*) FROM cards WHERE message_id = m.id) AS rows \
                 FROM messages AS m WHERE m.id > $1 AND m.id < $2 AND m.state <> 'sending' \
                 AND COALESCE(m.finished_at, 0) < $3 \
                 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = m.id) \
                 AND NOT EXISTS (SELECT 1 FROM cards WHERE message_id = m.id AND updated_at >= $3) \
                 ORDER BY m.id LIMIT 100"
            }
            Self::Events => {
                "SELECT e.id, CAST(1 AS BIGINT) AS rows FROM events AS e WHERE e.id > $1 AND e.id < $2 AND e.received_at < $3 \
                 AND NOT e.unrouted AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = e.id) \
                 ORDER BY e.id LIMIT 100"
            }
            Self::Quarantine => {
                "SELECT id, CAST(1 AS BIGINT) AS rows FROM quarantine WHERE id > $1 AND id < $2 AND received_at < $3 \
                 ORDER BY id LIMIT 100"
            }
            Self::IdempotencyKeys => {
                "SELECT id, CAST(1 AS BIGINT) AS rows FROM idempotency WHERE id > $1 AND id < $2 AND claimed_at < $3 \
                 ORDER BY id LIMIT 100"
            }
        }
    }

    /// Condition that must still hold on deletion: an operator may have redelivered meanwhile.
    const fn still(self) -> &'static str {
        match self {
            Self::Deliveries => "status IN ('delivered', 'dead', 'cancelled')",
            Self::Messages => {
                "state <> 'sending' AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = messages.id)"
            }
            Self::Events => {
                "NOT unrouted AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = events.id)"
            }
            Self::Quarantine | Self::IdempotencyKeys => "TRUE",
        }
    }
}

impl Store {
    /// Returns the next rows of a kind after `after` that were finished before `before`: as many as one unit deletes.
    pub async fn outdated(
        &self,
        shelf: RetentionTable,
        after: Option<Uuid>,
        before: Timestamp,
    ) -> Result<Outdated> {
        let rows = query(shelf.select())
            .bind(after.unwrap_or(Uuid::nil()))
            .bind(Uuid::from(EventId::earliest(self.0.clock.moment().steady_at(before))))
            .bind(before.as_millis())
            .fetch_all(self.read())
            .await?;
        let (mut ids, mut all) = (Vec::new(), 0);
        for row in rows {
            let more: i64 = row.try_get("rows")?;
            if all + more > UNIT && !ids.is_empty() {
                break;
            }
            all += more;
            ids.push(row.try_get("id")?);
        }
        Ok(Outdated { shelf, ids, rows: all })
    }

    /// Deletes the rows with their dependents. Returns how many of them still existed.
    pub async fn remove(&self, outdated: Outdated) -> Result<u64> {
        if outdated.ids.is_empty() {
            return Ok(0);
        }
        self.writer().submit(Remove(outdated)).await
    }
}

struct Remove(Outdated);

impl Unit for Remove {
    type Output = u64;

    async fn apply(&self, tx: &mut Tx) -> Result<u64> {
        let Outdated { shelf, ids, .. } = &self.0;
        let places: Vec<String> = (1..=ids.len()).map(|number| format!("${number}")).collect();
        let sql = format!(
            "DELETE FROM {} WHERE id IN ({}) AND {}",
            shelf.table(),
            places.join(", "),
            shelf.still()
        );
        ids.iter().fold(query(sql), |query, id| query.bind(*id)).execute(tx).await
    }
}
