//! Retention: what is over is removed, in units so small that no event waits for one.
//!
//! What may go is looked up beside the writer, from the oldest on; the unit that removes it checks again. Nothing that
//! waits is ever removed, nor an event before all of its deliveries, nor what a card that still lives is made of, nor
//! what a machine's open question hangs on, nor what is muted and not yet summed up.

use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Row as _};
use uuid::Uuid;

use crate::clock::{SteadyTime, Timestamp};
use crate::model::{DeliveryId, EventId, MessageId};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

/// How many rows a unit removes at most, those that hang on others counted. One row with more than that goes alone.
const UNIT: i64 = 100;

/// Where outdated rows stand. In the order of [`Shelf::ALL`] nothing is removed that another row still needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// Delivered, dead and cancelled deliveries.
    Deliveries,
    /// Messages without deliveries, with their attempts.
    Messages,
    /// Events without deliveries; not those that wait for a route.
    Events,
    /// What was signed but could not be read.
    Quarantine,
}

/// Some outdated rows of one shelf, the oldest first.
#[derive(Clone, Debug)]
pub struct Outdated {
    shelf: Shelf,
    ids: Vec<String>,
    rows: i64,
}

impl Outdated {
    /// How many rows go when they are removed.
    #[must_use]
    pub const fn rows(&self) -> i64 {
        self.rows
    }

    /// The last of them; `None` if there are none.
    #[must_use]
    pub fn last(&self) -> Option<&str> {
        self.ids.last().map(String::as_str)
    }
}

impl Shelf {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Deliveries, Self::Messages, Self::Events, Self::Quarantine];

    const fn table(self) -> &'static str {
        match self {
            Self::Deliveries => "deliveries",
            Self::Messages => "messages",
            Self::Events => "events",
            Self::Quarantine => "quarantine",
        }
    }

    /// `$1`: ids after this one, `$2`: ids before this one, `$3`: over before this time.
    const fn select(self) -> &'static str {
        match self {
            Self::Deliveries => {
                "SELECT d.id, 1 + (SELECT COUNT(*) FROM earlier_messages WHERE delivery_id = d.id) AS rows \
                 FROM deliveries AS d JOIN events AS e ON e.id = d.event_id WHERE d.id > $1 AND d.id < $2 \
                 AND d.status IN ('delivered', 'dead', 'cancelled') AND COALESCE(d.finished_at, 0) < $3 \
                 AND NOT EXISTS (SELECT 1 FROM deliveries AS o WHERE o.event_id = d.event_id \
                 AND (o.status IN ('pending', 'sending') OR COALESCE(o.finished_at, 0) >= $3)) \
                 AND NOT (d.status = 'cancelled' \
                 AND EXISTS (SELECT 1 FROM mutes WHERE id = d.reason AND summed_at IS NULL)) \
                 AND NOT EXISTS (SELECT 1 FROM cards AS c WHERE c.destination_id = d.destination_id \
                 AND c.source = e.source AND c.subject = e.subject AND c.since <= e.id AND c.updated_at >= $3) \
                 AND NOT EXISTS (SELECT 1 FROM decisions AS q WHERE q.source = e.source AND q.kind = 'machine' \
                 AND q.subject = e.subject AND (q.verdict = 'open' OR q.platform IN ('telling', 'held'))) \
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
                "SELECT e.id, 1 AS rows FROM events AS e WHERE e.id > $1 AND e.id < $2 AND e.received_at < $3 \
                 AND NOT e.unrouted AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = e.id) \
                 ORDER BY e.id LIMIT 100"
            }
            Self::Quarantine => {
                "SELECT id, 1 AS rows FROM quarantine WHERE id > $1 AND id < $2 AND received_at < $3 \
                 ORDER BY id LIMIT 100"
            }
        }
    }

    /// What must still hold when a row is removed: a person may have redelivered meanwhile.
    const fn still(self) -> &'static str {
        match self {
            Self::Deliveries => "status IN ('delivered', 'dead', 'cancelled')",
            Self::Messages => {
                "state <> 'sending' AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message_id = messages.id)"
            }
            Self::Events => {
                "NOT unrouted AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = events.id)"
            }
            Self::Quarantine => "TRUE",
        }
    }

    /// The smallest id of this shelf that can have been made at `at`.
    fn earliest(self, at: SteadyTime) -> String {
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        let uuid = Uuid::from_u128(u128::from(millis) << 80);
        match self {
            Self::Deliveries => DeliveryId::from(uuid).to_string(),
            Self::Messages => MessageId::from(uuid).to_string(),
            Self::Events => EventId::from(uuid).to_string(),
            Self::Quarantine => format!("qtn_{}", uuid.simple()),
        }
    }
}

impl Store {
    /// The next rows of a shelf after `after` that were over before `before`: as many as one unit removes.
    pub async fn outdated(&self, shelf: Shelf, after: &str, before: Timestamp) -> Result<Outdated> {
        let rows = sqlx::query(shelf.select())
            .bind(after)
            .bind(shelf.earliest(self.0.clock.moment().steady_at(before)))
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

    /// Removes them, with what hangs on them; answers how many there still were.
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

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<u64> {
        let Outdated { shelf, ids, .. } = &self.0;
        let mut sql = QueryBuilder::new(format!("DELETE FROM {} WHERE id IN (", shelf.table()));
        let mut list = sql.separated(", ");
        ids.iter().for_each(|id| {
            list.push_bind(id.as_str());
        });
        sql.push(format!(") AND {}", shelf.still()));
        Ok(sql.build().execute(tx).await?.rows_affected())
    }
}
