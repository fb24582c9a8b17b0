//! Bulk insert: events and their deliveries, many in one transaction, row by row on statements that stay prepared.
//!
//! Nearly all events are inserted here: all but those that open or answer a decision. Borrowed arguments and ids avoid
//! allocations. If one event fails, the whole batch is rolled back, and the writer inserts each event alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{CachedStatement, Connection, TransactionBehavior, params, params_from_iter};

use uuid::Uuid;

use crate::clock::Moment;
use crate::model::{DeliveryId, EventId, Mint, Severity};
use crate::store::accept::{Accept, Accepted, FIRST_OF, INSERT_EVENT, LEARN_NAME, Stored};
use crate::store::delivery;
use crate::store::sql::Tx;
use crate::store::values::Arg;
use crate::store::{Error, Result};

/// Why a batch was not inserted.
pub(in crate::store) struct BatchError {
    pub(in crate::store) error: Error,
    /// Whether its transaction began.
    pub(in crate::store) began: bool,
}

/// Inserts all new events of `accepts`, with their deliveries, in one transaction.
pub(in crate::store) fn insert(
    tx: &mut Tx,
    mint: &Mint,
    now: Moment,
    accepts: &[Accept],
) -> std::result::Result<Vec<Stored>, BatchError> {
    let refused = |began| move |error: rusqlite::Error| BatchError { error: error.into(), began };
    let Tx::Sqlite(connection) = tx;
    // A transaction that is dropped before its commit is rolled back.
    let transaction = connection
        .driver
        .transaction_with_behavior(TransactionBehavior::Immediate)
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

/// The prepared statements of one transaction.
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
            (connection.prepare_cached(INSERT_EVENT)?, connection.prepare_cached(delivery::INSERT)?);
        Ok(Self { event, delivery, connection, mint, now })
    }

    fn insert(&mut self, accept: &Accept) -> Result<Stored> {
        let incoming = &accept.event;
        let id: EventId = self.mint.next(self.now.steady);
        let is_new = self.event.execute(params![
            Arg::from(id),
            incoming.event.source.as_str(),
            incoming.event.kind.as_str(),
            incoming.event.company.as_str(),
            incoming.event.dedupe.as_bytes(),
            incoming.event.subject.as_str(),
            Arg::from(incoming.event.cause),
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
            self.delivery.execute(params_from_iter(planned.row(delivery, id, self.now).values()))?;
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

    /// Id of the first event with this deduplication key.
    fn first_of(&self, accept: &Accept) -> Result<EventId> {
        let event = &accept.event.event;
        let key = params![event.source.as_str(), event.subject.as_str(), event.dedupe.as_bytes()];
        let id: Uuid = self
            .connection
            .prepare_cached(FIRST_OF)?
            .query_row(key, |row| Ok(Uuid::from_bytes(row.get(0)?)))?;
        Ok(id.into())
    }
}
