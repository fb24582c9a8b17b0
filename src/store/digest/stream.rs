//! Event stream of a digest: folds thousands of events into an accumulator without holding them in memory.
//!
//! Each digest is read on a connection of its own, by one blocking task.

use std::panic::resume_unwind;

use tokio::task::{JoinError, spawn_blocking};

use crate::clock::Timestamp;
use crate::model::{DeliveryId, EventHeader, Kind, MessageId, Severity};
use crate::store::engine::sqlite::SqliteConnection;
use crate::store::event::source_of;
use crate::store::sql::{Row, query};
use crate::store::{Error, Result, Store};

/// Number of events per read: while a read lasts, the write-ahead log cannot be truncated. This one ends soon.
const PAGE: i64 = 500;
/// SQLite page cache in KiB; negative by SQLite's convention.
const CACHE: i64 = -512;

const NEXT: &str = "SELECT d.delivery_id, e.id, e.source, e.kind, e.company_id, e.subject, e.severity, e.occurred_at \
     FROM events AS e JOIN (SELECT id AS delivery_id, event_id FROM deliveries \
     WHERE message_id = $1 AND slot = '' AND id > $2 ORDER BY id LIMIT $3) AS d ON d.event_id = e.id \
     ORDER BY d.delivery_id";

impl Store {
    /// Folds each event of a digest into `sum` once, in the order of its deliveries. A panic of `add` propagates to
    /// the caller.
    pub async fn fold_events<T: Send + 'static>(
        &self,
        message: MessageId,
        mut sum: T,
        mut add: impl FnMut(&mut T, &EventHeader) + Send + 'static,
    ) -> Result<T> {
        let path = self.path().to_owned();
        let summed = spawn_blocking(move || {
            let connection = SqliteConnection::read_only(&path, CACHE)?;
            let mut after = DeliveryId::FIRST;
            loop {
                let page = query(NEXT).bind(message).bind(after).bind(PAGE);
                let taken = page.each_on(&connection, |row| {
                    add(&mut sum, &event_header(row)?);
                    after = row.at(0)?;
                    Ok(())
                })?;
                if taken == 0 {
                    return Ok(sum);
                }
            }
        });
        match summed.await.map_err(JoinError::try_into_panic) {
            Ok(summed) => summed,
            // The caller isolates panics and handles them.
            Err(Ok(panic)) => resume_unwind(panic),
            Err(Err(_)) => Err(Error::Closed),
        }
    }
}

fn event_header(row: &Row) -> Result<EventHeader> {
    Ok(EventHeader {
        id: row.at(1)?,
        source: source_of(row.text(2)?)?,
        kind: Kind::new(row.text(3)?),
        company: row.at(4)?,
        subject: row.at(5)?,
        severity: Severity::from_word(row.text(6)?),
        occurred_at: Timestamp::from_millis(row.at(7)?),
    })
}
