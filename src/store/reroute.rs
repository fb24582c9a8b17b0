//! Rerouting: moves pending deliveries from a destination that is closed, or that the routing map no longer names, to
//! where the map leads now.
//!
//! A delivery is moved, not copied: it keeps its id, and with it its place in the order and its age. In-flight
//! deliveries stay where they are, because only pending rows move. The lane of the old destination plans nothing that
//! has moved, because a message begins only with deliveries of its own destination.

use crate::clock::Moment;
use crate::model::{AuditEntry, Delivery, DeliveryId, Destination, DestinationId, EventId, Mint};
use crate::store::accept::{Planned, insert_delivery};
use crate::store::audit::{self, AuditKey};
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Result, Store, corrupt, delivery, destination};

/// Target of a pending delivery.
#[derive(Clone, Debug)]
pub enum Reroute {
    /// All of these destinations that do not have its event yet.
    Along(Vec<Planned>),
    /// None: the card that it would edit is gone with its channel.
    Nowhere,
}

/// One delivery to move.
#[derive(Clone, Debug)]
pub struct Rerouting {
    /// Id of the delivery.
    pub delivery: DeliveryId,
    /// Id of its event.
    pub event: EventId,
    /// Destination that it waits for.
    pub from: DestinationId,
    /// Target of the move.
    pub to: Reroute,
}

/// Result of moving one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rerouted {
    /// It now waits for another destination.
    Moved,
    /// It is cancelled: every target has the event already, or there is no card to edit.
    Cancelled,
    /// It is unchanged: no target can accept it, or it was no longer pending.
    Kept,
}

impl Store {
    /// Returns the channels and stored webhooks with pending deliveries that the map sent there, and how many, by name.
    pub async fn waiting_destinations(&self) -> Result<Vec<(Destination, u64)>> {
        let rows = query(format!(
            "SELECT {COLUMNS}, (SELECT COUNT(*) FROM deliveries \
             WHERE destination_id = destinations.id AND status = 'pending' AND SUBSTR(route, 1, 9) NOT IN ('category:', 'disabled:')) AS waiting \
             FROM destinations \
             WHERE deleted_at IS NULL AND sink IN ('channel', 'discord_webhook') ORDER BY name",
            COLUMNS = destination::COLUMNS
        ))
        .fetch_all(self.read())
        .await?;
        let mut found = Vec::new();
        for row in &rows {
            let waiting = u64::try_from(row.try_get::<i64>("waiting")?).unwrap_or(0);
            if waiting > 0 {
                found.push((destination::read(row)?, waiting));
            }
        }
        Ok(found)
    }

    /// Counts the in-flight deliveries to a destination.
    pub async fn in_flight(&self, destination: DestinationId) -> Result<u64> {
        let count: i64 = query_scalar(
            "SELECT COUNT(*) FROM messages AS m CROSS JOIN deliveries AS d \
             WHERE d.message_id = m.id AND m.destination_id = $1 AND m.state = 'sending' AND d.status = 'sending'",
        )
        .bind(destination)
        .fetch_one(self.read())
        .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Returns the next pending deliveries of a destination after `after`, due or not, without their events. Corrupt
    /// ones are left out.
    pub async fn waiting_behind(
        &self,
        destination: DestinationId,
        after: Option<&Delivery>,
        limit: u32,
    ) -> Result<Vec<Delivery>> {
        let rows = query(format!(
            "SELECT {COLUMNS} FROM deliveries WHERE destination_id = $1 AND status = 'pending' \
             AND (rank, id) > ($2, $3) ORDER BY rank, id LIMIT $4",
            COLUMNS = delivery::COLUMNS
        ))
        .bind(destination)
        .bind(after.map_or(-1, |delivery| delivery.priority.as_i64()))
        .bind(after.map_or(DeliveryId::FIRST, |delivery| delivery.id))
        .bind(limit)
        .fetch_all(self.read())
        .await?;
        Ok(corrupt::partition::<DeliveryId, _>(&rows, delivery::read)?.0)
    }

    /// Moves a page of deliveries, with the audit entry `entry` in the same unit if any of them changes.
    pub async fn reroute(&self, page: Vec<Rerouting>, entry: AuditEntry) -> Result<Vec<Rerouted>> {
        if page.is_empty() {
            return Ok(Vec::new());
        }
        let (key, now) = (self.audit_key()?, self.0.clock.moment());
        self.writer().submit(Move { page, entry, key, now, mint: Mint::new() }).await
    }
}

struct Move {
    page: Vec<Rerouting>,
    entry: AuditEntry,
    key: AuditKey,
    now: Moment,
    mint: Mint,
}

impl Unit for Move {
    type Output = Vec<Rerouted>;

    async fn apply(&self, tx: &mut Tx) -> Result<Vec<Rerouted>> {
        let mut all = Vec::with_capacity(self.page.len());
        for one in &self.page {
            all.push(self.reroute(tx, one).await?);
        }
        let count = |what| all.iter().filter(|rerouted| **rerouted == what).count();
        let (moved, cancelled) = (count(Rerouted::Moved), count(Rerouted::Cancelled));
        if moved + cancelled > 0 {
            let detail = format!("{moved} rerouted, {cancelled} cancelled");
            let entry = AuditEntry { detail, ..self.entry.clone() };
            audit::append(tx, &self.key, &entry, self.now.wall).await?;
        }
        Ok(all)
    }
}

impl Move {
    async fn reroute(&self, tx: &mut Tx, one: &Rerouting) -> Result<Rerouted> {
        if !self.still_waits(tx, one).await? {
            return Ok(Rerouted::Kept);
        }
        let Reroute::Along(plan) = &one.to else {
            self.cancel(tx, one, "its card was in a channel that is closed").await?;
            return Ok(Rerouted::Cancelled);
        };
        let (mut free, mut shown) = (Vec::new(), false);
        for planned in plan {
            match self.stands_at(tx, one.event, planned.destination_id).await?.as_deref() {
                None => free.push(planned),
                // It was given up or cancelled there: this delivery is the only one left of the event.
                Some("dead" | "cancelled") => {}
                Some(_) => shown = true,
            }
        }
        let Some((first, others)) = free.split_first() else {
            if shown {
                self.cancel(tx, one, "its event goes to another destination already").await?;
            }
            return Ok(if shown { Rerouted::Cancelled } else { Rerouted::Kept });
        };
        query(
            "UPDATE deliveries SET destination_id = $1, route = $2, due_at = $3 WHERE id = $4 AND status = 'pending'",
        )
        .bind(first.destination_id)
        .bind(first.route.as_str())
        .bind(self.now.steady.as_millis())
        .bind(one.delivery)
        .execute(&mut *tx)
        .await?;
        for planned in others {
            insert_delivery(tx, self.now, one.event, planned, self.mint.next(self.now.steady)).await?;
        }
        Ok(Rerouted::Moved)
    }

    async fn still_waits(&self, tx: &mut Tx, one: &Rerouting) -> Result<bool> {
        let waits: Option<i64> = query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM deliveries WHERE id = $1 AND destination_id = $2 AND status = 'pending'",
        )
        .bind(one.delivery)
        .bind(one.from)
        .fetch_optional(tx)
        .await?;
        Ok(waits.is_some())
    }

    /// Status of an event's card in a destination; a muted one counts as delivered.
    async fn stands_at(
        &self,
        tx: &mut Tx,
        event: EventId,
        destination: DestinationId,
    ) -> Result<Option<String>> {
        let status = query_scalar(
            "SELECT CASE WHEN muted_by IS NOT NULL THEN 'delivered' ELSE status END \
             FROM deliveries WHERE event_id = $1 AND destination_id = $2 AND slot = ''",
        )
        .bind(event)
        .bind(destination)
        .fetch_optional(tx)
        .await?;
        Ok(status)
    }

    async fn cancel(&self, tx: &mut Tx, one: &Rerouting, reason: &str) -> Result<()> {
        query(
            "UPDATE deliveries SET status = 'cancelled', reason = $1, finished_at = $2 \
             WHERE id = $3 AND status = 'pending'",
        )
        .bind(reason)
        .bind(self.now.wall.as_millis())
        .bind(one.delivery)
        .execute(tx)
        .await?;
        Ok(())
    }
}
