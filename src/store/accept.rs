//! Event acceptance: one event, its deliveries and the decisions it requests, all or nothing.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::clock::Moment;
use crate::model::{
    Delivery, DeliveryId, DestinationId, Event, EventId, Mint, MuteId, NewEvent, Payload, Priority, Severity,
    Slot,
};
use crate::store::decision::{self, DecisionTrigger};
use crate::store::delivery::{self, NewDelivery};
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::{Error, HintSender, Result, Store};

/// Size limit for an event that travels with its hint. The lane loads larger ones when their turn comes, which bounds
/// the memory of the queue.
const ATTACHED: usize = 64 * 1024;

/// Inserts an event if it is new; does nothing otherwise.
pub(super) const INSERT_EVENT: &str = "INSERT INTO events (id, source, kind, company_id, dedupe_key, subject, cause, \
     severity, occurred_at, received_at, unrouted, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
     ON CONFLICT (source, subject, dedupe_key) DO NOTHING";
/// Finds the first event with a deduplication key.
pub(super) const FIRST_OF: &str =
    "SELECT id FROM events WHERE source = $1 AND subject = $2 AND dedupe_key = $3";
/// Inserts or updates a customer's name.
pub(super) const LEARN_NAME: &str = "INSERT INTO companies (source, id, name, updated_at) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (source, id) DO UPDATE SET name = excluded.name, updated_at = excluded.updated_at";

/// A delivery that routing planned for a new event.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Destination to deliver to.
    pub destination_id: DestinationId,
    /// Priority within its lane.
    pub priority: Priority,
    /// Key of the routing map that chose the destination.
    pub route: String,
    /// The mute that suppresses this delivery, if any.
    pub muted: Option<MuteId>,
}

impl Planned {
    /// The delivery to insert for `event`, due at once.
    pub(super) fn row(&self, id: DeliveryId, event_id: EventId, now: Moment) -> NewDelivery<'_> {
        NewDelivery {
            id,
            event_id,
            destination_id: self.destination_id,
            slot: Slot::Card,
            route: &self.route,
            priority: self.priority,
            due_at: now.steady,
            muted: self.muted.map(|mute| (mute, now.wall)),
        }
    }
}

/// An event to accept, with everything that is decided on entry.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The event itself.
    pub event: NewEvent,
    /// Planned deliveries. Empty if no destination wants the event.
    pub plan: Vec<Planned>,
    /// True if no key of the routing map matches the event.
    pub unrouted: bool,
    /// Name of the event's customer, if new or changed.
    pub company_name: Option<String>,
    /// Decisions that it requests from operators, or answers.
    pub asks: Option<DecisionTrigger>,
}

/// Result of accepting an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Id of the stored event; for a duplicate, the id of the first one.
    pub event_id: EventId,
    /// True if the event was accepted before.
    pub duplicate: bool,
}

impl Store {
    /// Accepts an event. The event and its deliveries are on disk when this returns.
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

/// What the transaction stored for one event: the result, and its new delivery ids in the order of its plan.
pub(super) struct Stored {
    accepted: Accepted,
    deliveries: Vec<DeliveryId>,
    /// Edits of other cards that follow from it, if it requests or answers a decision.
    more: Vec<Delivery>,
}

impl Stored {
    /// The result for the sender.
    pub(super) const fn accepted(&self) -> Accepted {
        self.accepted
    }

    /// The result for an event that requests nothing.
    pub(super) const fn of(accepted: Accepted, deliveries: Vec<DeliveryId>) -> Self {
        Self { accepted, deliveries, more: Vec::new() }
    }
}

/// Inserts an event if it is new, with its deliveries and decisions. Events that request nothing go through
/// `bulk_insert`.
pub(super) fn insert<'a>(
    tx: &'a mut Tx,
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

/// A committed group: the requests, and what was stored for each.
pub(super) type AcceptedGroup = (Vec<Accept>, Vec<Stored>);

/// Replies to the senders of each committed group, in commit order. This is a task of its own for two reasons: a
/// request's future is dropped when the client hangs up, and waking each sender on the writer's thread would delay
/// the next group.
pub(super) async fn tell(mut groups: mpsc::UnboundedReceiver<AcceptedGroup>, hints: HintSender) {
    while let Some(group) = groups.recv().await {
        settle(group, &hints);
    }
}

/// Replies to the senders and sends a hint for each delivery, in id order.
fn settle((accepts, stored): AcceptedGroup, hints: &HintSender) {
    for (accept, stored) in accepts.into_iter().zip(stored) {
        let _ = accept.reply.send(Ok(stored.accepted));
        send_hints(accept.event, stored, hints);
    }
}

/// Sends a hint for each delivery of a committed event, in id order.
pub(super) fn send_hints(Incoming { event, plan, .. }: Incoming, stored: Stored, hints: &HintSender) {
    stored.more.into_iter().for_each(|delivery| hints.send(delivery));
    if stored.deliveries.is_empty() {
        return;
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
        data: Payload::of(event.source, event.body).with_severity(event.severity),
    });
    let sent = |(planned, _): &(Planned, DeliveryId)| planned.muted.is_none();
    for (planned, id) in plan.into_iter().zip(stored.deliveries).filter(sent) {
        hints.send(Delivery {
            id,
            event_id: event.id,
            event: (event.size <= ATTACHED).then(|| Arc::clone(&event)),
            slot: Slot::Card,
            generation: 0,
            destination_id: planned.destination_id,
            priority: planned.priority,
            route: planned.route,
        });
    }
}

/// Inserts an event if it is new. Returns whether it was.
async fn insert_event(tx: &mut Tx, id: EventId, incoming: &Incoming) -> Result<bool> {
    let event = &incoming.event;
    let inserted = query(INSERT_EVENT)
        .bind(id)
        .bind(event.source.as_str())
        .bind(event.kind.as_str())
        .bind(event.company.as_str())
        .bind(event.dedupe.as_bytes())
        .bind(event.subject.as_str())
        .bind(event.cause)
        .bind(event.severity.map_or("", Severity::as_str))
        .bind(event.occurred_at.as_millis())
        .bind(event.received_at.as_millis())
        .bind(incoming.unrouted)
        .bind(event.body.as_bytes())
        .execute(tx)
        .await?;
    Ok(inserted == 1)
}

async fn first_of(tx: &mut Tx, event: &NewEvent) -> Result<EventId> {
    query_scalar(FIRST_OF)
        .bind(event.source.as_str())
        .bind(event.subject.as_str())
        .bind(event.dedupe.as_bytes())
        .fetch_one(tx)
        .await
}

/// Inserts a delivery, due at once.
pub(super) async fn insert_delivery(
    tx: &mut Tx,
    now: Moment,
    event: EventId,
    planned: &Planned,
    id: DeliveryId,
) -> Result<()> {
    delivery::insert(tx, &planned.row(id, event, now)).await.map(drop)
}

/// Opens the decisions that a new event requests, and records its answers.
async fn ask(
    tx: &mut Tx,
    mint: &Mint,
    now: Moment,
    incoming: &Incoming,
    id: EventId,
) -> Result<Vec<Delivery>> {
    let Some(asks) = &incoming.asks else { return Ok(Vec::new()) };
    // A destination that mutes the event is left out: its card is still owed the answer.
    let unmuted = incoming.plan.iter().filter(|planned| planned.muted.is_none());
    let planned: Vec<_> = unmuted.map(|planned| planned.destination_id).collect();
    decision::ask(tx, mint, now, (incoming.event.source, &incoming.event.company), id, asks, &planned).await
}

/// Inserts one of nuncio's own events with its deliveries. An existing event stays unchanged.
pub(super) async fn insert_follow_up(
    tx: &mut Tx,
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

async fn learn_name(tx: &mut Tx, now: Moment, incoming: &Incoming) -> Result<()> {
    if let Some(name) = &incoming.company_name {
        query(LEARN_NAME)
            .bind(incoming.event.source.as_str())
            .bind(incoming.event.company.as_str())
            .bind(name.as_str())
            .bind(now.wall.as_millis())
            .execute(tx)
            .await?;
    }
    Ok(())
}
