//! Delivery queries for operators: deliveries with their attempts and outcomes.

use crate::clock::{SteadyTime, Timestamp};
use crate::model::{
    AttemptRow, DeliveryDetails, DeliveryFilter, DeliveryId, DestinationId, EventId, Kind, MuteId, Reason,
    RowResult, Sink, Status,
};
use crate::store::corrupt;
use crate::store::muted::muted;
use crate::store::sql::{Row, Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Error, Result, Store};

pub(super) const COLUMNS: &str = "d.rowid AS place, d.id, d.event_id, e.kind, e.company_id, e.received_at, d.destination_id, t.name, t.sink, t.address, \
     t.closed_reason, d.status, d.reason, d.muted_by, d.attempts, d.generation, d.due_at, d.finished_at, \
     e.id IS NOT NULL AS has_event, t.id IS NOT NULL AS has_destination, m.until AS mute_until, m.created_by AS mute_by";
/// LEFT JOINs keep a delivery in the list, whatever is wrong with it.
pub(super) const JOINED: &str = "deliveries AS d LEFT JOIN events AS e ON e.id = d.event_id \
     LEFT JOIN destinations AS t ON t.id = d.destination_id \
     LEFT JOIN mutes AS m ON m.id = d.muted_by";

impl Store {
    /// Returns the readable deliveries, newest first; at most `limit`.
    pub async fn delivery_details_of(
        &self,
        which: DeliveryFilter,
        limit: u32,
    ) -> Result<Vec<DeliveryDetails>> {
        Ok(self.deliveries_after(which, 0, limit).await?.into_iter().flatten().collect())
    }

    /// Returns deliveries after the first `skip`, corrupt rows included.
    pub async fn deliveries_after(
        &self,
        which: DeliveryFilter,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<RowResult<DeliveryDetails>>> {
        let filter = match which {
            DeliveryFilter::All => "TRUE",
            DeliveryFilter::Dead => "d.status = 'dead'",
            DeliveryFilter::Pending => "d.status IN ('pending', 'sending')",
            DeliveryFilter::Of(_) => "d.event_id = $3",
        };
        let page = query(format!(
            "SELECT {COLUMNS} FROM {JOINED} WHERE {filter} ORDER BY d.id DESC LIMIT $1 OFFSET $2"
        ))
        .bind(limit)
        .bind(skip);
        let page = if let DeliveryFilter::Of(event) = which { page.bind(event) } else { page };
        let rows = page.fetch_all(self.read()).await?;
        corrupt::decode_all::<DeliveryId, _>(&rows, read)
    }

    /// Returns one delivery; `None` if there is none with this id.
    pub async fn delivery_details(&self, id: DeliveryId) -> Result<Option<RowResult<DeliveryDetails>>> {
        let row = query(format!("SELECT {COLUMNS} FROM {JOINED} WHERE d.id = $1"))
            .bind(id)
            .fetch_optional(self.read())
            .await?;
        row.as_ref().map(|row| corrupt::decode::<DeliveryId, _>(row, read)).transpose()
    }

    /// Returns all attempts for a delivery, oldest first, including those before a redelivery.
    pub async fn tries(&self, id: DeliveryId) -> Result<Vec<AttemptRow>> {
        let rows = query(
            "WITH carriers AS (SELECT message_id AS id FROM deliveries WHERE id = $1 \
              UNION SELECT message_id FROM earlier_messages WHERE delivery_id = $1) \
             SELECT started_at, took_ms, status, class, code, response, message_id, number FROM attempts \
             WHERE message_id IN (SELECT id FROM carriers) \
             UNION ALL SELECT started_at, took_ms, status, 'sent', NULL, NULL, id, 1 FROM messages \
             WHERE id IN (SELECT id FROM carriers) AND started_at IS NOT NULL \
             ORDER BY started_at NULLS FIRST, message_id NULLS FIRST, number",
        )
        .bind(id)
        .fetch_all(self.read())
        .await?;
        let tried = |row: &Row| {
            Ok(AttemptRow {
                started_at: Timestamp::from_millis(row.try_get("started_at")?),
                took_ms: row.try_get("took_ms")?,
                status: row.try_get("status")?,
                class: row.try_get("class")?,
                code: row.try_get("code")?,
                response: row
                    .try_get::<Option<Vec<u8>>>("response")?
                    .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                    .unwrap_or_default(),
            })
        };
        rows.iter().map(tried).collect()
    }

    /// Returns the dead deliveries after `after`, in id order, that were given up at `since` or later; at most
    /// `limit`.
    pub async fn dead_letters(
        &self,
        after: Option<DeliveryId>,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<DeliveryId>> {
        let rows = query(
            "SELECT rowid AS place, id FROM deliveries WHERE status = 'dead' AND id > $1 AND COALESCE(finished_at, 0) >= $2 \
             ORDER BY id LIMIT $3",
        )
        .bind(after.unwrap_or(DeliveryId::FIRST))
        .bind(since.as_millis())
        .bind(limit)
        .fetch_all(self.read())
        .await?;
        // An operator cannot refer to a row with a malformed id.
        Ok(corrupt::partition::<DeliveryId, _>(&rows, |row| row.try_get("id"))?.0)
    }

    /// Gives up a delivery before it was sent: pending → dead. Returns whether it was pending.
    pub async fn give_up(&self, id: DeliveryId, reason: &Reason) -> Result<bool> {
        let now = self.0.clock.now();
        self.writer().submit(GiveUp { id, reason: reason.as_str().to_owned(), now }).await
    }

    /// Counts the deliveries that were given up at `since` or later.
    pub async fn count_dead(&self, since: Timestamp) -> Result<u64> {
        let count: i64 = query_scalar(
            "SELECT COUNT(*) FROM deliveries WHERE status = 'dead' AND COALESCE(finished_at, 0) >= $1",
        )
        .bind(since.as_millis())
        .fetch_one(self.read())
        .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

struct GiveUp {
    id: DeliveryId,
    reason: String,
    now: Timestamp,
}

impl Unit for GiveUp {
    type Output = bool;

    async fn apply(&self, tx: &mut Tx) -> Result<bool> {
        let given_up = query(
            "UPDATE deliveries SET status = 'dead', reason = $1, finished_at = $2 \
             WHERE id = $3 AND status = 'pending'",
        )
        .bind(&self.reason)
        .bind(self.now.as_millis())
        .bind(self.id)
        .execute(tx)
        .await?;
        Ok(given_up == 1)
    }
}

pub(super) fn read(row: &Row) -> Result<DeliveryDetails> {
    let (event_id, destination_id): (EventId, DestinationId) =
        (row.try_get("event_id")?, row.try_get("destination_id")?);
    if !row.try_get::<bool>("has_event")? {
        return Err(Error::Corrupt(format!("a delivery of the event {event_id}, which is not there")));
    }
    if !row.try_get::<bool>("has_destination")? {
        return Err(Error::Corrupt(format!("a delivery for {destination_id}, which is not there")));
    }
    let status: String = row.try_get("status")?;
    let (sink, address): (String, String) = (row.try_get("sink")?, row.try_get("address")?);
    let count = |name| row.try_get::<i64>(name).map(|n| u64::try_from(n).unwrap_or(0));
    let received_at = Timestamp::from_millis(row.try_get("received_at")?);
    Ok(DeliveryDetails {
        id: row.try_get("id")?,
        event_id,
        kind: Kind::new(&row.try_get::<String>("kind")?),
        company: row.try_get("company_id")?,
        received_at,
        destination_id,
        destination: row.try_get("name")?,
        sink: Sink::from_parts(&sink, &address),
        closed: row.try_get("closed_reason")?,
        status: Status::from_word(&status).ok_or_else(|| Error::Corrupt(format!("a status {status:?}")))?,
        reason: match row.try_get::<Option<MuteId>>("muted_by")? {
            Some(_) => Some(muted(row, received_at)?),
            None => row.try_get("reason")?,
        },
        attempts: count("attempts")?,
        generation: count("generation")?,
        due_at: SteadyTime::from_millis(row.try_get("due_at")?),
        finished_at: row.try_get::<Option<i64>>("finished_at")?.map(Timestamp::from_millis),
    })
}
