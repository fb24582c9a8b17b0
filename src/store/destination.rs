//! Destinations: the Discord channels, webhooks and APIs that lanes send to.

use crate::clock::{SteadyTime, Timestamp};
use crate::model::{Destination, DestinationId, Sink};
use crate::store::sql::{Row, Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Error, Result, Store};

pub(super) const COLUMNS: &str = "id, sink, address, name, enabled, closed_reason, denied_reason, announced, not_before, newest, lane_epoch";

impl Store {
    /// Returns the destination of `sink`, and creates it if there is none.
    pub async fn ensure_destination(
        &self,
        sink: Sink,
        name: &str,
        origin: &'static str,
    ) -> Result<Destination> {
        let now = self.0.clock.now();
        self.writer()
            .submit(Ensure { id: DestinationId::new(), sink, name: name.to_owned(), origin, now })
            .await
    }

    /// Returns the current state of a destination; `None` if there is none with this id.
    pub async fn destination(&self, id: DestinationId) -> Result<Option<Destination>> {
        let row = query(format!("SELECT {COLUMNS} FROM destinations WHERE id = $1 AND deleted_at IS NULL"))
            .bind(id)
            .fetch_optional(self.read())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Whether messages are sent to a destination; `false` if there is none with this id. One that is disabled receives
    /// what was dispatched to disabled ones, too, and with it what has waited there before.
    pub async fn is_enabled(&self, id: DestinationId) -> Result<bool> {
        let found: Option<bool> = query_scalar(
            "SELECT enabled OR EXISTS (SELECT 1 FROM deliveries WHERE destination_id = d.id AND status = 'pending' \
              AND SUBSTR(route, 1, 9) = 'disabled:') \
             OR EXISTS (SELECT 1 FROM messages AS m CROSS JOIN deliveries AS x WHERE m.destination_id = d.id \
              AND m.state = 'sending' AND x.message_id = m.id AND SUBSTR(x.route, 1, 9) = 'disabled:') \
             FROM destinations AS d WHERE id = $1 AND deleted_at IS NULL",
        )
        .bind(id)
        .fetch_optional(self.read())
        .await?;
        Ok(found.unwrap_or(false))
    }

    /// Returns the open destinations that have a delivery due at `now` or an unfinished message.
    pub async fn due_destinations(&self, now: SteadyTime) -> Result<Vec<DestinationId>> {
        query_scalar(
            "SELECT id FROM destinations AS d \
             WHERE deleted_at IS NULL AND closed_reason IS NULL AND not_before <= $1 AND \
             (enabled OR EXISTS (SELECT 1 FROM deliveries WHERE destination_id = d.id AND status = 'pending' \
               AND due_at <= $1 AND SUBSTR(route, 1, 9) = 'disabled:') \
              OR EXISTS (SELECT 1 FROM messages AS m CROSS JOIN deliveries AS x WHERE m.destination_id = d.id \
               AND m.state = 'sending' AND x.message_id = m.id AND SUBSTR(x.route, 1, 9) = 'disabled:')) AND \
             (EXISTS (SELECT 1 FROM messages WHERE destination_id = d.id AND state = 'sending') OR \
              EXISTS (SELECT 1 FROM deliveries \
                      WHERE destination_id = d.id AND status = 'pending' AND due_at <= $1)) \
             ORDER BY id",
        )
        .bind(now.as_millis())
        .fetch_all(self.read())
        .await
    }

    /// Returns the destinations to which nothing can be sent at the moment, by name.
    pub async fn troubled_destinations(&self) -> Result<Vec<Destination>> {
        let rows = query(format!(
            "SELECT {COLUMNS} FROM destinations WHERE deleted_at IS NULL \
             AND (closed_reason IS NOT NULL OR denied_reason IS NOT NULL) ORDER BY name"
        ))
        .fetch_all(self.read())
        .await?;
        rows.iter().map(read).collect()
    }

    /// Reopens the destination of `sink` if it is closed or denies access: its pending deliveries are due. Returns
    /// whether it was closed or denied.
    pub async fn reopen(&self, sink: Sink) -> Result<bool> {
        self.writer().submit(Reopen { sink, now: self.0.clock.now() }).await
    }

    /// Delays a closed destination until `not_before`.
    pub async fn hold(&self, id: DestinationId, not_before: SteadyTime) -> Result<()> {
        self.writer().submit(Hold { id, not_before }).await
    }
}

struct Reopen {
    sink: Sink,
    now: Timestamp,
}

impl Unit for Reopen {
    type Output = bool;

    async fn apply(&self, tx: &mut Tx) -> Result<bool> {
        // It stays marked as denied: only the next message shows whether the destination accepts messages again.
        let opened = query(
            "UPDATE destinations SET closed_reason = NULL, not_before = 0, updated_at = $3 \
             WHERE sink = $1 AND address = $2 AND deleted_at IS NULL \
             AND (closed_reason IS NOT NULL OR denied_reason IS NOT NULL)",
        )
        .bind(self.sink.kind())
        .bind(self.sink.address())
        .bind(self.now.as_millis())
        .execute(tx)
        .await?;
        Ok(opened > 0)
    }
}

struct Hold {
    id: DestinationId,
    not_before: SteadyTime,
}

impl Unit for Hold {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        query("UPDATE destinations SET not_before = $2 WHERE id = $1 AND closed_reason IS NOT NULL")
            .bind(self.id)
            .bind(self.not_before.as_millis())
            .execute(tx)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Renames the destination of `sink`, if it exists.
    pub async fn rename_destination(&self, sink: Sink, name: &str) -> Result<()> {
        self.writer().submit(Rename { sink, name: name.to_owned(), now: self.0.clock.now() }).await
    }
}

struct Rename {
    sink: Sink,
    name: String,
    now: Timestamp,
}

impl Unit for Rename {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        query(
            "UPDATE destinations SET name = $3, updated_at = $4 \
             WHERE sink = $1 AND address = $2 AND name <> $3 AND deleted_at IS NULL",
        )
        .bind(self.sink.kind())
        .bind(self.sink.address())
        .bind(self.name.as_str())
        .bind(self.now.as_millis())
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// Creates the destination of a sink, unless it exists.
pub(super) struct Ensure {
    pub(super) id: DestinationId,
    pub(super) sink: Sink,
    pub(super) name: String,
    pub(super) origin: &'static str,
    pub(super) now: Timestamp,
}

impl Unit for Ensure {
    type Output = Destination;

    async fn apply(&self, tx: &mut Tx) -> Result<Destination> {
        let row = query(format!(
            "INSERT INTO destinations (id, sink, address, name, origin, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6) \
             ON CONFLICT (sink, company_id, owner, address) WHERE deleted_at IS NULL \
             DO UPDATE SET updated_at = excluded.updated_at RETURNING {COLUMNS}"
        ))
        .bind(self.id)
        .bind(self.sink.kind())
        .bind(self.sink.address())
        .bind(self.name.as_str())
        .bind(self.origin)
        .bind(self.now.as_millis())
        .fetch_one(tx)
        .await?;
        read(&row)
    }
}

pub(super) fn read(row: &Row) -> Result<Destination> {
    let (sink, address): (String, String) = (row.try_get("sink")?, row.try_get("address")?);
    Ok(Destination {
        id: row.try_get("id")?,
        sink: Sink::from_parts(&sink, &address).ok_or_else(|| Error::Corrupt(format!("a sink {sink:?}")))?,
        name: row.try_get("name")?,
        enabled: row.try_get("enabled")?,
        closed: row.try_get("closed_reason")?,
        denied: row.try_get("denied_reason")?,
        announced: row.try_get("announced")?,
        not_before: SteadyTime::from_millis(row.try_get("not_before")?),
        newest: row.try_get("newest")?,
        epoch: row.try_get("lane_epoch")?,
    })
}
