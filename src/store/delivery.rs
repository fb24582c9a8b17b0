//! Deliveries: the queue of each lane.

use crate::clock::{SteadyTime, Timestamp};
use crate::model::{
    Backlog, CorruptRow, Delivery, DeliveryId, DestinationId, EventId, Message, MuteId, Priority, Slot,
    Status,
};
use crate::store::corrupt;
use crate::store::sql::{Query, Row, Tx, query};
use crate::store::values::Arg;
use crate::store::{Error, Result, Store};

/// The columns that `read` needs, and the row number.
pub(super) const COLUMNS: &str =
    "rowid AS place, id, event_id, slot, generation, destination_id, rank, route";

/// Inserts a delivery, unless the event has one in that slot of the destination: with the values of `NewDelivery::values`.
pub(super) const INSERT: &str = "INSERT INTO deliveries (id, event_id, destination_id, slot, route, rank, status, due_at, \
     muted_by, finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
     ON CONFLICT (event_id, destination_id, slot) DO NOTHING";

/// A delivery to insert.
pub(super) struct NewDelivery<'a> {
    pub(super) id: DeliveryId,
    pub(super) event_id: EventId,
    pub(super) destination_id: DestinationId,
    pub(super) slot: Slot,
    pub(super) route: &'a str,
    pub(super) priority: Priority,
    pub(super) due_at: SteadyTime,
    /// The mute that suppresses it, and since when.
    pub(super) muted: Option<(MuteId, Timestamp)>,
}

impl NewDelivery<'_> {
    /// The arguments of `INSERT`.
    pub(super) fn values(&self) -> [Arg<'_>; 10] {
        [
            self.id.into(),
            self.event_id.into(),
            self.destination_id.into(),
            self.slot.into(),
            self.route.into(),
            self.priority.as_i64().into(),
            if self.muted.is_some() { Status::Cancelled } else { Status::Pending }.into(),
            self.due_at.as_millis().into(),
            self.muted.map(|(mute, _)| mute).into(),
            self.muted.map(|(_, at)| at.as_millis()).into(),
        ]
    }
}

/// Inserts a delivery. Returns whether it is new.
pub(super) async fn insert(tx: &mut Tx, delivery: &NewDelivery<'_>) -> Result<bool> {
    Ok(delivery.values().into_iter().fold(query(INSERT), Query::bind).execute(tx).await? == 1)
}

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
        let (deliveries, corrupt_rows) = corrupt::partition::<DeliveryId, _>(rows, read)?;
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
            .bind(destination)
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
        let row = NewDelivery {
            id: reply.id,
            event_id: reply.event_id,
            destination_id: reply.destination_id,
            slot: reply.slot,
            route: &reply.route,
            priority: reply.priority,
            due_at: now,
            muted: None,
        };
        insert(tx, &row).await?;
    }
    Ok(())
}

fn slot(word: &str) -> Result<Slot> {
    Slot::from_word(word).ok_or_else(|| Error::Corrupt(format!("a slot {word:?}")))
}

/// Decodes a row with `id, event_id, slot, generation, destination_id, priority, route`, without its event.
pub(super) fn read(row: &Row) -> Result<Delivery> {
    Ok(Delivery {
        id: row.try_get("id")?,
        event_id: row.try_get("event_id")?,
        event: None,
        slot: slot(&row.try_get::<String>("slot")?)?,
        generation: u32::try_from(row.try_get::<i64>("generation")?).unwrap_or(u32::MAX),
        destination_id: row.try_get("destination_id")?,
        priority: Priority::from_i64(row.try_get("rank")?),
        route: row.try_get("route")?,
    })
}
