//! Accepting events: an event and its deliveries in one unit, many events in one statement per table.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::oneshot;

use crate::clock::Timestamp;
use crate::model::{Delivery, DeliveryId, DestinationId, Event, EventId, Mint, MuteId, NewEvent, Rank};
use crate::store::decision::{self, Asks};
use crate::store::rows::ManyRows;
use crate::store::{Error, HintSender, Result, Store};

/// Larger events do not travel with the hint: the lane loads them when their turn comes, so that what waits in
/// memory stays small.
const ATTACHED: usize = 64 * 1024;

static EVENTS: ManyRows = ManyRows::new(
    "INSERT INTO events (id, source, kind, company_id, dedupe_key, subject, cause, occurred_at, received_at, \
     unrouted, body) VALUES ",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    " ON CONFLICT (source, dedupe_key) DO NOTHING",
);
static DELIVERIES: ManyRows = ManyRows::new(
    "INSERT INTO deliveries (id, event_id, destination_id, route, rank, status, reason, finished_at, due_at) VALUES ",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    " ON CONFLICT (event_id, destination_id, slot) DO NOTHING",
);

/// One delivery to be made of an event.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Where to.
    pub destination_id: DestinationId,
    /// Who goes first.
    pub rank: Rank,
    /// The map's key that says so.
    pub route: String,
    /// The mute that keeps it from being sent, if one does.
    pub muted: Option<MuteId>,
}

/// An event with everything that is decided when it enters.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The event.
    pub event: NewEvent,
    /// Where it goes. None, if nobody wants it.
    pub plan: Vec<Planned>,
    /// Whether it goes nowhere because no key of the map matches it.
    pub unrouted: bool,
    /// The name of its customer, if it is news.
    pub company_name: Option<String>,
    /// What it asks of people.
    pub asks: Option<Asks>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its id; of a duplicate, the id of the first.
    pub event_id: EventId,
    /// Whether it had been accepted before.
    pub duplicate: bool,
}

impl Store {
    /// Accepts an event: the event and its deliveries are on disk when this answers.
    pub async fn accept(&self, incoming: Incoming) -> Result<Accepted> {
        self.writer().accept(incoming).await
    }
}

/// An event waiting in the writer's queue.
pub(super) struct Accept {
    pub(super) event: Incoming,
    pub(super) reply: oneshot::Sender<Result<Accepted>>,
}

impl Accept {
    pub(super) fn refuse(self, error: Error) {
        let _ = self.reply.send(Err(error));
    }
}

/// What the transaction did with one event: the answer, and the ids of its new deliveries in the order of its plan.
pub(super) struct Stored {
    accepted: Accepted,
    deliveries: Vec<DeliveryId>,
    /// Edits that follow from it, where something was asked or answered.
    more: Vec<Delivery>,
}

/// Inserts all of `accepts` that are new, with their deliveries.
pub(super) fn insert<'a>(
    tx: &'a mut SqliteConnection,
    mint: &'a Mint,
    now: Timestamp,
    accepts: &'a [Accept],
) -> BoxFuture<'a, Result<Vec<Stored>>> {
    Box::pin(async move {
        if accepts.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<EventId> = accepts.iter().map(|_| mint.next(now)).collect();
        let fresh = insert_events(tx, accepts, &ids).await?;
        let mut stored = Vec::with_capacity(accepts.len());
        for (accept, id) in accepts.iter().zip(ids) {
            let new = fresh.contains(&id);
            let event_id = if new { id } else { first_of(tx, &accept.event.event).await? };
            let deliveries =
                if new { accept.event.plan.iter().map(|_| mint.next(now)).collect() } else { Vec::new() };
            stored.push(Stored {
                accepted: Accepted { event_id, duplicate: !new },
                deliveries,
                more: Vec::new(),
            });
        }
        insert_deliveries(tx, now, accepts, &stored).await?;
        insert_names(tx, now, accepts).await?;
        ask(tx, mint, now, accepts, &mut stored).await?;
        Ok(stored)
    })
}

/// Answers the senders and hints at what there is to deliver, in id order. This is done by the writer and not by
/// the request's own future: a client that hangs up kills that.
pub(super) fn settle(accepts: Vec<Accept>, stored: Vec<Stored>, hints: &HintSender) {
    for (accept, stored) in accepts.into_iter().zip(stored) {
        let Accept { event: Incoming { event, plan, .. }, reply } = accept;
        let _ = reply.send(Ok(stored.accepted));
        stored.more.into_iter().for_each(|delivery| hints.send(delivery));
        if stored.deliveries.is_empty() {
            continue;
        }
        let event = Arc::new(Event {
            id: stored.accepted.event_id,
            source: event.source,
            kind: event.kind,
            company: event.company,
            subject: event.subject,
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            size: event.body.as_bytes().len(),
            data: event.data,
        });
        let sent = |(planned, _): &(Planned, DeliveryId)| planned.muted.is_none();
        for (planned, id) in plan.into_iter().zip(stored.deliveries).filter(sent) {
            hints.send(Delivery {
                id,
                event_id: event.id,
                event: (event.size <= ATTACHED).then(|| Arc::clone(&event)),
                slot: String::new(),
                generation: 0,
                destination_id: planned.destination_id,
                rank: planned.rank,
                route: planned.route,
            });
        }
    }
}

/// Inserts the events that are new; answers their ids.
async fn insert_events(
    tx: &mut SqliteConnection,
    accepts: &[Accept],
    ids: &[EventId],
) -> Result<HashSet<EventId>> {
    let rows: Vec<_> = accepts.iter().map(|accept| &accept.event).zip(ids.iter().copied()).collect();
    if insert_event_rows(tx, &rows).await? == ids.len() as u64 {
        return Ok(ids.iter().copied().collect());
    }
    let mut fresh = HashSet::new();
    for id in ids {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM events WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        fresh.extend(found.map(|_| *id));
    }
    Ok(fresh)
}

/// Inserts events unless they are there; answers how many were not.
async fn insert_event_rows(tx: &mut SqliteConnection, rows: &[(&Incoming, EventId)]) -> Result<u64> {
    EVENTS
        .insert(tx, rows, |(incoming, id), values| {
            let event = &incoming.event;
            values
                .shown(id)
                .text(event.source.as_str())
                .text(event.kind.as_str())
                .text(event.company.as_str())
                .text(event.dedupe.as_str())
                .text(event.subject.as_str())
                .text(&event.cause.map(|id| id.to_string()).unwrap_or_default())
                .add(event.occurred_at.as_millis())
                .add(event.received_at.as_millis())
                .add(incoming.unrouted)
                .add(event.body.as_bytes());
        })
        .await
}

async fn first_of(tx: &mut SqliteConnection, event: &NewEvent) -> Result<EventId> {
    let id: String = sqlx::query_scalar("SELECT id FROM events WHERE source = $1 AND dedupe_key = $2")
        .bind(event.source.as_str())
        .bind(event.dedupe.as_str())
        .fetch_one(tx)
        .await?;
    Ok(id.parse()?)
}

async fn insert_deliveries(
    tx: &mut SqliteConnection,
    now: Timestamp,
    accepts: &[Accept],
    stored: &[Stored],
) -> Result<()> {
    let mut rows = Vec::new();
    for (accept, stored) in accepts.iter().zip(stored) {
        let event_id = stored.accepted.event_id;
        rows.extend(
            accept.event.plan.iter().zip(&stored.deliveries).map(|(planned, id)| (event_id, planned, *id)),
        );
    }
    insert_delivery_rows(tx, now, &rows).await
}

/// Inserts pending deliveries, due at once.
pub(super) async fn insert_delivery_rows(
    tx: &mut SqliteConnection,
    now: Timestamp,
    rows: &[(EventId, &Planned, DeliveryId)],
) -> Result<()> {
    DELIVERIES
        .insert(tx, rows, |(event_id, planned, id), values| {
            values
                .shown(id)
                .shown(event_id)
                .shown(planned.destination_id)
                .text(planned.route.as_str())
                .add(planned.rank.as_i64())
                .text(if planned.muted.is_some() { "cancelled" } else { "pending" })
                .add(planned.muted.map(|mute| mute.to_string()))
                .add(planned.muted.map(|_| now.as_millis()))
                .add(now.as_millis());
        })
        .await?;
    Ok(())
}

/// Makes the questions that new events ask, and takes their answers.
async fn ask(
    tx: &mut SqliteConnection,
    mint: &Mint,
    now: Timestamp,
    accepts: &[Accept],
    stored: &mut [Stored],
) -> Result<()> {
    for (Accept { event: incoming, .. }, stored) in accepts.iter().zip(stored) {
        if let Some(asks) = incoming.asks.as_ref().filter(|_| !stored.accepted.duplicate) {
            // Where it is muted, its card is still owed the answer.
            let heard = incoming.plan.iter().filter(|planned| planned.muted.is_none());
            let planned: Vec<_> = heard.map(|planned| planned.destination_id).collect();
            let (source, event) = (incoming.event.source, stored.accepted.event_id);
            stored.more = decision::ask(tx, mint, now, source, event, asks, &planned).await?;
        }
    }
    Ok(())
}

/// Inserts an event of our own with its deliveries; one that is there already stays as it is.
pub(super) async fn insert_follow_up(
    tx: &mut SqliteConnection,
    id: EventId,
    incoming: &Incoming,
    mint: &Mint,
    now: Timestamp,
) -> Result<()> {
    if insert_event_rows(tx, &[(incoming, id)]).await? == 0 {
        return Ok(());
    }
    let rows: Vec<_> = incoming.plan.iter().map(|planned| (id, planned, mint.next(now))).collect();
    insert_delivery_rows(tx, now, &rows).await
}

async fn insert_names(tx: &mut SqliteConnection, now: Timestamp, accepts: &[Accept]) -> Result<()> {
    for Accept { event: incoming, .. } in accepts {
        if let Some(name) = &incoming.company_name {
            sqlx::query(
                "INSERT INTO companies (source, id, name, updated_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (source, id) DO UPDATE SET name = excluded.name, updated_at = excluded.updated_at",
            )
            .bind(incoming.event.source.as_str())
            .bind(incoming.event.company.as_str())
            .bind(name.as_str())
            .bind(now.as_millis())
            .execute(&mut *tx)
            .await?;
        }
    }
    Ok(())
}
