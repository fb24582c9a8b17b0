//! The intake: events and their deliveries, many in one transaction, on a connection of its own.
//!
//! Everything else is asked of SQLite through sqlx: each statement is handed to the database's thread and its answer
//! handed back, which for one event costs more than its rows. Here the writer's own thread does it, row by row.

use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags, TransactionBehavior, params};

use crate::clock::Moment;
use crate::model::{DeliveryId, EventId, Mint, Severity};
use crate::store::accept::{Accept, Accepted, FIRST_OF, INSERT_DELIVERY, INSERT_EVENT, LEARN_NAME, Stored};
use crate::store::connect::direct;
use crate::store::{Error, Result};

/// Pages that are kept at hand, in KiB, negative by SQLite's custom. Keys that must not come twice are spread over
/// their whole index: what is not at hand is read again for every event.
const CACHE: i64 = -4096;

/// The connection through which events come in. Opened for the first of them: most commands never have one.
pub(super) struct BulkInsert {
    database: PathBuf,
    connection: Option<Connection>,
}

/// Why a group was not taken in.
pub(super) struct BatchError {
    pub(super) error: Error,
    /// Whether its transaction could begin.
    pub(super) began: bool,
}

impl BulkInsert {
    /// The intake of a database that is up to date.
    pub(super) fn of(database: &Path) -> Self {
        Self { database: database.to_owned(), connection: None }
    }

    fn connection(&mut self) -> rusqlite::Result<&mut Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => open(&self.database)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Inserts all of `accepts` that are new, with their deliveries, in one transaction.
    pub(super) fn insert(
        &mut self,
        mint: &Mint,
        now: Moment,
        accepts: &[Accept],
    ) -> std::result::Result<Vec<Stored>, BatchError> {
        let refused = |began| move |error: rusqlite::Error| BatchError { error: error.into(), began };
        // Dropped before its commit, it is rolled back.
        let transaction = self
            .connection()
            .and_then(|connection| connection.transaction_with_behavior(TransactionBehavior::Immediate))
            .map_err(refused(false))?;
        let stored = catch_unwind(AssertUnwindSafe(|| {
            let mut rows = Rows::prepare(&transaction, mint, now)?;
            accepts.iter().map(|accept| rows.insert(accept)).collect::<Result<Vec<_>>>()
        }))
        .unwrap_or(Err(Error::Panicked))
        .map_err(|error| BatchError { error, began: true })?;
        transaction.commit().map_err(refused(true))?;
        Ok(stored)
    }

    /// Leaves the file as it is: closing the connection would fold the write-ahead log in.
    pub(super) fn forget(self) {
        std::mem::forget(self.connection);
    }
}

fn open(database: &Path) -> rusqlite::Result<Connection> {
    let connection = direct(database, OpenFlags::SQLITE_OPEN_READ_WRITE, CACHE)?;
    for (name, value) in [("journal_mode", "WAL"), ("synchronous", "FULL"), ("foreign_keys", "ON")] {
        connection.pragma_update(None, name, value)?;
    }
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// The statements of one transaction.
struct Rows<'a> {
    event: CachedStatement<'a>,
    delivery: CachedStatement<'a>,
    connection: &'a Connection,
    mint: &'a Mint,
    now: Moment,
}

impl<'a> Rows<'a> {
    fn prepare(connection: &'a Connection, mint: &'a Mint, now: Moment) -> Result<Self> {
        let (event, delivery) =
            (connection.prepare_cached(INSERT_EVENT)?, connection.prepare_cached(INSERT_DELIVERY)?);
        Ok(Self { event, delivery, connection, mint, now })
    }

    fn insert(&mut self, accept: &Accept) -> Result<Stored> {
        let incoming = &accept.event;
        let id: EventId = self.mint.next(self.now.steady);
        let text = Text::of(id);
        let is_new = self.event.execute(params![
            text,
            incoming.event.source.as_str(),
            incoming.event.kind.as_str(),
            incoming.event.company.as_str(),
            incoming.event.dedupe.as_str(),
            incoming.event.subject.as_str(),
            incoming.event.cause.map_or(Text::EMPTY, Text::of),
            incoming.event.severity.map_or("", Severity::as_str),
            incoming.event.occurred_at.as_millis(),
            incoming.event.received_at.as_millis(),
            incoming.unrouted,
            incoming.event.body.as_bytes(),
        ])? == 1;
        if !is_new {
            let event_id = self.first_of(accept)?;
            return Ok(Stored::of(Accepted { event_id, duplicate: true }, Vec::new()));
        }
        let mut deliveries = Vec::with_capacity(incoming.plan.len());
        for planned in &incoming.plan {
            let delivery: DeliveryId = self.mint.next(self.now.steady);
            self.delivery.execute(params![
                Text::of(delivery),
                text,
                Text::of(planned.destination_id),
                planned.route.as_str(),
                planned.rank.as_i64(),
                planned.status(),
                planned.muted.map(Text::of),
                planned.muted.map(|_| self.now.wall.as_millis()),
                self.now.steady.as_millis(),
            ])?;
            deliveries.push(delivery);
        }
        if let Some(name) = &incoming.company_name {
            self.connection.prepare_cached(LEARN_NAME)?.execute(params![
                incoming.event.source.as_str(),
                incoming.event.company.as_str(),
                name.as_str(),
                self.now.wall.as_millis(),
            ])?;
        }
        Ok(Stored::of(Accepted { event_id: id, duplicate: false }, deliveries))
    }

    /// The id of the event that came first with this key.
    fn first_of(&self, accept: &Accept) -> Result<EventId> {
        let event = &accept.event.event;
        let key = params![event.source.as_str(), event.subject.as_str(), event.dedupe.as_str()];
        let id: String = self.connection.prepare_cached(FIRST_OF)?.query_row(key, |row| row.get(0))?;
        Ok(id.parse()?)
    }
}

/// An id as it is stored, without memory of its own.
#[derive(Clone, Copy)]
struct Text {
    bytes: [u8; Self::MOST],
    length: usize,
}

impl Text {
    const MOST: usize = 40;
    const EMPTY: Self = Self { bytes: [0; Self::MOST], length: 0 };

    fn of(id: impl fmt::Display) -> Self {
        let mut text = Self::EMPTY;
        // Every id is a short prefix and 32 digits: there is room for it.
        let _ = write!(text, "{id}");
        text
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let end = self.length + piece.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(piece.as_bytes());
        self.length = end;
        Ok(())
    }
}

impl ToSql for Text {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(&self.bytes[..self.length])))
    }
}
