//! Deliveries: the queue of each lane.

use crate::clock::SteadyTime;
use crate::model::{Backlog, CorruptRow, Delivery, DestinationId, Message, Priority};
use crate::store::corrupt;
use crate::store::sql::{Row, Tx, query};
use crate::store::{Result, Store};

/// The columns that `read` needs, and the row number.
pub(super) const COLUMNS: &str =
    "rowid AS place, id, event_id, slot, generation, destination_id, rank, route";

/// The next pending deliveries of a lane.
#[derive(Debug, Default)]
pub struct Waiting {
    /// The readable deliveries, in order.
    pub deliveries: Vec<Delivery>,
    /// The corrupt deliveries among them.
    pub corrupt_rows: Vec<CorruptRow>,
    /// True if no more deliveries are due.
    pub is_all: bool,
}

impl Waiting {
    /// Decodes `rows`, which a query returned with `limit`.
    pub(super) fn of(rows: &[Row], limit: usize) -> Result<Self> {
        let (deliveries, corrupt_rows) = corrupt::partition(rows, read)?;
        Ok(Self { deliveries, corrupt_rows, is_all: rows.len() < limit })
    }
}

impl Store {
    /// Returns the next deliveries of a lane, without their events: by priority, then by id.
    pub async fn page(&self, destination: DestinationId, now: SteadyTime, limit: usize) -> Result<Waiting> {
        let sql = format!(
            "SELECT {COLUMNS} FROM deliveries WHERE destination_id = $1 AND status = 'pending' AND due_at <= $2 \
             ORDER BY rank, id LIMIT $3"
        );
        self.waiting(sql, destination, now, limit).await
    }

    /// Returns the next deliveries of a lane with the priority `last` or a higher one.
    pub async fn overtaking(
        &self,
        destination: DestinationId,
        last: Priority,
        now: SteadyTime,
        limit: usize,
    ) -> Result<Waiting> {
        let sql = format!(
            "SELECT {COLUMNS} FROM deliveries WHERE destination_id = $1 AND rank <= {} AND status = 'pending' \
             AND due_at <= $2 ORDER BY rank, id LIMIT $3",
            last.as_i64()
        );
        self.waiting(sql, destination, now, limit).await
    }

    pub(super) async fn waiting(
        &self,
        sql: String,
        destination: DestinationId,
        now: SteadyTime,
        limit: usize,
    ) -> Result<Waiting> {
        let rows = query(sql)
            .bind(destination.to_string())
            .bind(now.as_millis())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.read())
            .await?;
        Waiting::of(&rows, limit)
    }

    /// Counts the pending, in-flight and dead deliveries and the unrouted events.
    pub async fn backlog(&self) -> Result<Backlog> {
        // SQLite keeps the order of a CROSS JOIN. Otherwise it might scan all deliveries that were ever sent.
        let row = query(
            "SELECT (SELECT COUNT(*) FROM deliveries WHERE status = 'pending') AS pending, \
             (SELECT COUNT(*) FROM messages AS m CROSS JOIN deliveries AS d \
              WHERE m.state = 'sending' AND d.message_id = m.id AND d.status = 'sending') AS sending, \
             (SELECT COUNT(*) FROM deliveries WHERE status = 'dead') AS dead, \
             (SELECT COUNT(*) FROM events WHERE unrouted) AS unrouted",
        )
        .fetch_one(self.read())
        .await?;
        let count = |name| row.try_get::<i64>(name).map(|n| u64::try_from(n).unwrap_or(0));
        Ok(Backlog {
            pending: count("pending")?,
            sending: count("sending")?,
            dead: count("dead")?,
            unrouted: count("unrouted")?,
        })
    }
}

/// Makes the one-line replies of `message` due, now that the message they reply to is in Discord.
pub(super) async fn insert_replies(tx: &mut Tx, message: &Message, now: SteadyTime) -> Result<()> {
    for reply in &message.replies {
        query(
            "INSERT INTO deliveries (id, event_id, destination_id, slot, route, rank, status, due_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7) ON CONFLICT (event_id, destination_id, slot) DO NOTHING",
        )
        .bind(reply.id.to_string())
        .bind(reply.event_id.to_string())
        .bind(reply.destination_id.to_string())
        .bind(reply.slot.as_str())
        .bind(reply.route.as_str())
        .bind(reply.priority.as_i64())
        .bind(now.as_millis())
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Decodes a row with `id, event_id, slot, generation, destination_id, priority, route`, without its event.
pub(super) fn read(row: &Row) -> Result<Delivery> {
    Ok(Delivery {
        id: row.try_get::<String>("id")?.parse()?,
        event_id: row.try_get::<String>("event_id")?.parse()?,
        event: None,
        slot: row.try_get("slot")?,
        generation: u32::try_from(row.try_get::<i64>("generation")?).unwrap_or(u32::MAX),
        destination_id: row.try_get::<String>("destination_id")?.parse()?,
        priority: Priority::from_i64(row.try_get("rank")?),
        route: row.try_get("route")?,
    })
}
