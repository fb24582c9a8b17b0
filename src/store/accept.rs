//! Accepting events: an event, its deliveries and what it asks, all or nothing.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use crate::clock::Moment;
use crate::model::{
    Delivery, DeliveryId, DestinationId, Event, EventId, Mint, MuteId, NewEvent, Payload, Priority, Severity,
};
use crate::store::decision::{self, Asks};
use crate::store::{Error, HintSender, Result, Store};

/// Larger events do not travel with the hint: the lane loads them when their turn comes, so that what waits in
/// memory stays small.
const ATTACHED: usize = 64 * 1024;

/// An event that is new; nothing if it is not.
pub(super) const INSERT_EVENT: &str = "INSERT INTO events (id, source, kind, company_id, dedupe_key, subject, cause, \
     severity, occurred_at, received_at, unrouted, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
     ON CONFLICT (source, subject, dedupe_key) DO NOTHING";
/// The event that came first with a key.
pub(super) const FIRST_OF: &str =
    "SELECT id FROM events WHERE source = $1 AND subject = $2 AND dedupe_key = $3";
/// A delivery, due at once.
pub(super) const INSERT_DELIVERY: &str = "INSERT INTO deliveries (id, event_id, destination_id, route, rank, status, \
     reason, finished_at, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
     ON CONFLICT (event_id, destination_id, slot) DO NOTHING";
/// The name of a customer.
pub(super) const LEARN_NAME: &str = "INSERT INTO companies (source, id, name, updated_at) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (source, id) DO UPDATE SET name = excluded.name, updated_at = excluded.updated_at";

/// One delivery to be made of an event.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Where to.
    pub destination_id: DestinationId,
    /// Who goes first.
    pub rank: Priority,
    /// The map's key that says so.
    pub route: String,
    /// The mute that keeps it from being sent, if one does.
    pub muted: Option<MuteId>,
}

impl Planned {
    /// The word for how it begins.
    pub(super) const fn status(&self) -> &'static str {
        if self.muted.is_some() { "cancelled" } else { "pending" }
    }
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

impl Stored {
    /// What was done with an event that asks nothing.
    pub(super) const fn of(accepted: Accepted, deliveries: Vec<DeliveryId>) -> Self {
        Self { accepted, deliveries, more: Vec::new() }
    }
}

/// Inserts an event if it is new, with its deliveries and what it asks. Events that ask nothing come in through the
/// [`BulkInsert`](crate::store::intake::Intake).
pub(super) fn insert<'a>(
    tx: &'a mut SqliteConnection,
    mint: &'a Mint,
    now: Moment,
    incoming: &'a Incoming,
) -> BoxFuture<'a, Result<Stored>> {
    Box::pin(async move {
        let id = mint.next(now.steady);
        if !insert_event(tx, id, incoming).await? {
            let accepted = Accepted { event_id: first_of(tx, &incoming.event).await?, duplicate: true };
            return Ok(Stored::of(accepted, Vec::new()));
        }
        let deliveries: Vec<DeliveryId> = incoming.plan.iter().map(|_| mint.next(now.steady)).collect();
        for (planned, delivery) in incoming.plan.iter().zip(&deliveries) {
            insert_delivery(tx, now, id, planned, *delivery).await?;
        }
        learn_name(tx, now, incoming).await?;
        let more = ask(tx, mint, now, incoming, id).await?;
        Ok(Stored { accepted: Accepted { event_id: id, duplicate: false }, deliveries, more })
    })
}

/// A group that is on disk: what was asked, and what was done with it.
pub(super) type Group = (Vec<Accept>, Vec<Stored>);

/// Tells of every group that is on disk, in their order. A task of its own: the request's future is gone with a client
/// that hangs up, and the writer's thread would pay for each sender that it wakes, while the next group waits.
pub(super) async fn tell(mut groups: mpsc::UnboundedReceiver<Group>, hints: HintSender) {
    while let Some(group) = groups.recv().await {
        settle(group, &hints);
    }
}

/// Answers the senders and hints at what there is to deliver, in id order.
fn settle((accepts, stored): Group, hints: &HintSender) {
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
            data: Payload::of(event.body).with_severity(event.severity),
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

/// Inserts an event unless it is there; answers whether it was not.
async fn insert_event(tx: &mut SqliteConnection, id: EventId, incoming: &Incoming) -> Result<bool> {
    let event = &incoming.event;
    let inserted = sqlx::query(INSERT_EVENT)
        .bind(id.to_string())
        .bind(event.source.as_str())
        .bind(event.kind.as_str())
        .bind(event.company.as_str())
        .bind(event.dedupe.as_str())
        .bind(event.subject.as_str())
        .bind(event.cause.map(|id| id.to_string()).unwrap_or_default())
        .bind(event.severity.map_or("", Severity::as_str))
        .bind(event.occurred_at.as_millis())
        .bind(event.received_at.as_millis())
        .bind(incoming.unrouted)
        .bind(event.body.as_bytes())
        .execute(tx)
        .await?;
    Ok(inserted.rows_affected() == 1)
}

async fn first_of(tx: &mut SqliteConnection, event: &NewEvent) -> Result<EventId> {
    let id: String = sqlx::query_scalar(FIRST_OF)
        .bind(event.source.as_str())
        .bind(event.subject.as_str())
        .bind(event.dedupe.as_str())
        .fetch_one(tx)
        .await?;
    Ok(id.parse()?)
}

/// Inserts a delivery, due at once.
pub(super) async fn insert_delivery(
    tx: &mut SqliteConnection,
    now: Moment,
    event: EventId,
    planned: &Planned,
    id: DeliveryId,
) -> Result<()> {
    sqlx::query(INSERT_DELIVERY)
        .bind(id.to_string())
        .bind(event.to_string())
        .bind(planned.destination_id.to_string())
        .bind(planned.route.as_str())
        .bind(planned.rank.as_i64())
        .bind(planned.status())
        .bind(planned.muted.map(|mute| mute.to_string()))
        .bind(planned.muted.map(|_| now.wall.as_millis()))
        .bind(now.steady.as_millis())
        .execute(tx)
        .await?;
    Ok(())
}

/// Makes the questions that a new event asks, and takes its answers.
async fn ask(
    tx: &mut SqliteConnection,
    mint: &Mint,
    now: Moment,
    incoming: &Incoming,
    id: EventId,
) -> Result<Vec<Delivery>> {
    let Some(asks) = &incoming.asks else { return Ok(Vec::new()) };
    // Where it is muted, its card is still owed the answer.
    let heard = incoming.plan.iter().filter(|planned| planned.muted.is_none());
    let planned: Vec<_> = heard.map(|planned| planned.destination_id).collect();
    decision::ask(tx, mint, now, (incoming.event.source, &incoming.event.company), id, asks, &planned).await
}

/// Inserts an event of our own with its deliveries; one that is there already stays as it is.
pub(super) async fn insert_follow_up(
    tx: &mut SqliteConnection,
    id: EventId,
    incoming: &Incoming,
    mint: &Mint,
    now: Moment,
) -> Result<()> {
    if insert_event(tx, id, incoming).await? {
        for planned in &incoming.plan {
            insert_delivery(tx, now, id, planned, mint.next(now.steady)).await?;
        }
    }
    Ok(())
}

async fn learn_name(tx: &mut SqliteConnection, now: Moment, incoming: &Incoming) -> Result<()> {
    if let Some(name) = &incoming.company_name {
        sqlx::query(LEARN_NAME)
            .bind(incoming.event.source.as_str())
            .bind(incoming.event.company.as_str())
            .bind(name.as_str())
            .bind(now.wall.as_millis())
            .execute(tx)
            .await?;
    }
    Ok(())
}
