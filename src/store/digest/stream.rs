//! Event stream of a digest: folds thousands of events into an accumulator without holding them in memory.
//!
//! Each digest is read on a connection of its own, by one blocking task.

use std::panic::resume_unwind;

use rusqlite::{OpenFlags, Row, params};
use tokio::task::{JoinError, spawn_blocking};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::model::{DeliveryId, EventHeader, Kind, MessageId, Severity};
use crate::store::connect::direct;
use crate::store::event::source_of;
use crate::store::values::Arg;
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
            let connection = direct(&path, OpenFlags::SQLITE_OPEN_READ_ONLY, CACHE)?;
            let mut next = connection.prepare(NEXT)?;
            let (message, mut after) = (Arg::from(message), DeliveryId::FIRST);
            loop {
                let (mut rows, mut any) = (next.query(params![message, Arg::from(after), PAGE])?, false);
                while let Some(row) = rows.next()? {
                    add(&mut sum, &event_header(row)?);
                    after = id(row, 0)?.into();
                    any = true;
                }
                if !any {
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

fn event_header(row: &Row<'_>) -> Result<EventHeader> {
    Ok(EventHeader {
        id: id(row, 1)?.into(),
        source: source_of(text(row, 2)?)?,
        kind: Kind::new(text(row, 3)?),
        company: row.get(4)?,
        subject: row.get(5)?,
        severity: Severity::from_word(text(row, 6)?),
        occurred_at: Timestamp::from_millis(row.get(7)?),
    })
}

fn id(row: &Row<'_>, column: usize) -> Result<Uuid> {
    Ok(Uuid::from_bytes(row.get(column)?))
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}
