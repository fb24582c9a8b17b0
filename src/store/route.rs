//! Routes that operators set on Discord. The environment's routes are not stored: they stay in memory.

use crate::clock::Timestamp;
use crate::model::route::RouteKey;
use crate::model::{AuditEntry, AuditOutcome, DestinationId, RouteId, SetRoute, Sink};
use crate::store::audit::{self, AuditKey};
use crate::store::destination::Ensure;
use crate::store::sql::{Row, Tx, query};
use crate::store::unit::Unit;
use crate::store::{Error, Result, Store};

/// Origin of a destination that an operator chose on Discord.
const ORIGIN: &str = "discord";

impl Store {
    /// Returns the stored routes, in the order in which they were set.
    pub async fn routes(&self) -> Result<Vec<SetRoute>> {
        let rows = query(
            "SELECT r.id, r.pattern, r.company_id, r.destination_id, r.created_by, r.created_at, d.sink, d.address \
             FROM routes AS r JOIN destinations AS d ON d.id = r.destination_id ORDER BY r.id",
        )
        .fetch_all(self.read())
        .await?;
        rows.iter().map(read).collect()
    }

    /// Routes events that match `key` to `sink`, named `name`, and nowhere else. Adds the audit entry `entry` in the
    /// same unit. Returns `false`, and changes nothing, if that click was processed before.
    pub async fn set_route(&self, key: RouteKey, sink: Sink, name: &str, entry: AuditEntry) -> Result<bool> {
        let (by, now) = (entry.actor.name().to_owned(), self.0.clock.now());
        let ensure = Ensure { id: DestinationId::new(), sink, name: name.to_owned(), origin: ORIGIN, now };
        let unit = Set { id: RouteId::new(), key, ensure, by, entry, audit: self.audit_key()?, now };
        self.writer().submit(unit).await
    }

    /// Removes a route. Returns its key; `None`, with nothing changed, if there is no such route (any more).
    pub async fn remove_route(&self, id: RouteId, entry: AuditEntry) -> Result<Option<RouteKey>> {
        let unit = Remove { id, entry, audit: self.audit_key()?, now: self.0.clock.now() };
        self.writer().submit(unit).await
    }
}

struct Set {
    id: RouteId,
    key: RouteKey,
    ensure: Ensure,
    by: String,
    entry: AuditEntry,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Set {
    type Output = bool;

    async fn apply(&self, tx: &mut Tx) -> Result<bool> {
        if audit::was_seen(tx, &self.entry).await? {
            return Ok(false);
        }
        let destination = self.ensure.apply(&mut *tx).await?;
        let (pattern, company) = (self.key.pattern.text(), self.key.company.as_deref().unwrap_or_default());
        query("DELETE FROM routes WHERE pattern = $1 AND company_id = $2")
            .bind(pattern)
            .bind(company)
            .execute(&mut *tx)
            .await?;
        query(
            "INSERT INTO routes (id, pattern, company_id, destination_id, created_by, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.id)
        .bind(pattern)
        .bind(company)
        .bind(destination.id)
        .bind(self.by.as_str())
        .bind(self.now.as_millis())
        .execute(&mut *tx)
        .await?;
        audit::append(tx, &self.audit, &self.entry, self.now).await
    }
}

struct Remove {
    id: RouteId,
    entry: AuditEntry,
    audit: AuditKey,
    now: Timestamp,
}

impl Unit for Remove {
    type Output = Option<RouteKey>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        if audit::was_seen(tx, &self.entry).await? {
            return Ok(None);
        }
        let removed = query("DELETE FROM routes WHERE id = $1 RETURNING pattern, company_id")
            .bind(self.id)
            .fetch_optional(&mut *tx)
            .await?;
        let key = removed.as_ref().map(key).transpose()?;
        let entry = match &key {
            Some(key) => AuditEntry { subject: format!("route {key}"), ..self.entry.clone() },
            None => AuditEntry {
                outcome: AuditOutcome::Refused,
                detail: "it was removed before".to_owned(),
                ..self.entry.clone()
            },
        };
        audit::append(tx, &self.audit, &entry, self.now).await?;
        Ok(key)
    }
}

fn key(row: &Row) -> Result<RouteKey> {
    let (pattern, company): (String, String) = (row.try_get("pattern")?, row.try_get("company_id")?);
    Ok(RouteKey::new(&pattern, Some(company).filter(|company| !company.is_empty())))
}

fn read(row: &Row) -> Result<SetRoute> {
    let (sink, address): (String, String) = (row.try_get("sink")?, row.try_get("address")?);
    Ok(SetRoute {
        id: row.try_get("id")?,
        key: key(row)?,
        destination: row.try_get("destination_id")?,
        sink: Sink::from_parts(&sink, &address).ok_or_else(|| Error::Corrupt(format!("a sink {sink:?}")))?,
        by: row.try_get("created_by")?,
        since: Timestamp::from_millis(row.try_get("created_at")?),
    })
}
