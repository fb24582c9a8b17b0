//! Reading everything, page by page: each row as it stands when its page is read. No transaction stays open over it, so
//! that a slow reader keeps nobody's write-ahead log from being cut.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::model::Event;
use crate::store::audit::{self, Audited};
use crate::store::corrupt::{self, RowResult};
use crate::store::delivery_query::{self, DeliveryDetails};
use crate::store::{Result, Store, event};

/// A page, and where the next one begins; `None` after the last.
pub type Page<T> = (Vec<T>, Option<i64>);

/// Rows of a page.
const PAGE: i64 = 500;

/// An event with its body, exactly as it was signed.
#[derive(Clone, Debug)]
pub struct WholeEvent {
    /// What is known of it.
    pub event: Event,
    /// Whether no key of the map matched it.
    pub unrouted: bool,
    /// The bytes. They may hold secrets of the sender's.
    pub body: Vec<u8>,
}

impl Store {
    /// Events from `after` on, the oldest first.
    pub async fn events_from(&self, after: i64) -> Result<Page<RowResult<WholeEvent>>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT rowid AS place, unrouted, {} FROM events WHERE rowid > $1 ORDER BY rowid LIMIT $2",
            event::COLUMNS
        )))
        .bind(after)
        .bind(PAGE)
        .fetch_all(self.read())
        .await?;
        let page = corrupt::decode_all(&rows, |row| {
            Ok(WholeEvent {
                event: event::read(row)?,
                unrouted: row.try_get("unrouted")?,
                body: row.try_get("body")?,
            })
        })?;
        Ok((page, next(&rows, "place")?))
    }

    /// Deliveries from `after` on, the oldest first.
    pub async fn letters_from(&self, after: i64) -> Result<Page<RowResult<DeliveryDetails>>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {} FROM {} WHERE d.rowid > $1 ORDER BY d.rowid LIMIT $2",
            delivery_query::COLUMNS,
            delivery_query::JOINED
        )))
        .bind(after)
        .bind(PAGE)
        .fetch_all(self.read())
        .await?;
        Ok((corrupt::decode_all(&rows, delivery_query::read)?, next(&rows, "place")?))
    }

    /// The audit log from `after` on, the oldest entry first.
    pub async fn audited_from(&self, after: i64) -> Result<Page<Audited>> {
        let rows = sqlx::query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(after)
            .bind(PAGE)
            .fetch_all(self.read())
            .await?;
        let page: Result<Vec<Audited>> = rows.iter().map(audit::row).collect();
        Ok((page?, next(&rows, "seq")?))
    }
}

fn next(rows: &[SqliteRow], place: &str) -> Result<Option<i64>> {
    match rows.last() {
        Some(last) if rows.len() as i64 == PAGE => Ok(Some(last.try_get(place)?)),
        _ => Ok(None),
    }
}
