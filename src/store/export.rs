//! Full export, page by page: each row as it is when its page is read. No transaction stays open between pages, so a
//! slow reader does not keep the write-ahead log from being truncated.

use crate::model::{DeliveryDetails, DeliveryId, Event, EventId, RowResult};
use crate::store::audit::{self, Audited};
use crate::store::corrupt;
use crate::store::delivery_query;
use crate::store::sql::{Row, query};
use crate::store::{Result, Store, event};

/// A page, and the cursor of the next one; `None` after the last.
pub type ExportPage<T> = (Vec<T>, Option<i64>);

/// Rows per page.
const PAGE: i64 = 500;

/// An event with its body, exactly as it was signed.
#[derive(Clone, Debug)]
pub struct WholeEvent {
    /// The event without its body.
    pub event: Event,
    /// True if no key of the routing map matched it.
    pub unrouted: bool,
    /// Body bytes. They may contain the sender's secrets.
    pub body: Vec<u8>,
}

impl Store {
    /// Returns events after the cursor `after`, oldest first.
    pub async fn events_from(&self, after: i64) -> Result<ExportPage<RowResult<WholeEvent>>> {
        let rows = query(format!(
            "SELECT rowid AS place, unrouted, {} FROM events WHERE rowid > $1 ORDER BY rowid LIMIT $2",
            event::COLUMNS
        ))
        .bind(after)
        .bind(PAGE)
        .fetch_all(self.read())
        .await?;
        let page = corrupt::decode_all::<EventId, _>(&rows, |row| {
            Ok(WholeEvent {
                event: event::read(row)?,
                unrouted: row.try_get("unrouted")?,
                body: row.try_get("body")?,
            })
        })?;
        Ok((page, next(&rows, "place")?))
    }

    /// Returns deliveries after the cursor `after`, oldest first.
    pub async fn deliveries_from(&self, after: i64) -> Result<ExportPage<RowResult<DeliveryDetails>>> {
        let rows = query(format!(
            "SELECT {} FROM {} WHERE d.rowid > $1 ORDER BY d.rowid LIMIT $2",
            delivery_query::COLUMNS,
            delivery_query::JOINED
        ))
        .bind(after)
        .bind(PAGE)
        .fetch_all(self.read())
        .await?;
        Ok((corrupt::decode_all::<DeliveryId, _>(&rows, delivery_query::read)?, next(&rows, "place")?))
    }

    /// Returns audit log entries after the cursor `after`, oldest first.
    pub async fn audited_from(&self, after: i64) -> Result<ExportPage<Audited>> {
        let rows = query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(after)
            .bind(PAGE)
            .fetch_all(self.read())
            .await?;
        let page: Result<Vec<Audited>> = rows.iter().map(audit::row).collect();
        Ok((page?, next(&rows, "seq")?))
    }
}

fn next(rows: &[Row], place: &str) -> Result<Option<i64>> {
    match rows.last() {
        Some(last) if rows.len() as i64 == PAGE => Ok(Some(last.try_get(place)?)),
        _ => Ok(None),
    }
}
