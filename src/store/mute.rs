//! Mutes: active ones, and ended ones whose summary is pending.

use crate::clock::{Moment, Timestamp};
use crate::model::route::Pattern;
use crate::model::{
    AuditEntry, AuditOutcome, Decision, Delivery, DestinationId, Mint, Mute, MuteId, Muted, MutedAlert,
    Severity,
};
use crate::store::audit::{self, AuditKey};
use crate::store::decision::{alert_about, announce};
use crate::store::sql::{Executor, Row, Tx, query, query_as, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

const COLUMNS: &str = "id, pattern, subject, label, severity, until, reason, created_by, created_at";

impl Store {
    /// Adds a mute, with its audit entry and the edit of the alert's card on which it was requested. An alert that is
    /// already muted at least as strongly is not muted twice.
    pub async fn add_mute(&self, mute: Mute, entry: AuditEntry, card: Option<Decision>) -> Result<Muted> {
        let (key, now) = (self.audit_key()?, self.0.clock.moment());
        let unit = Add { mute, entry, key, card, now, mint: Mint::new() };
        let (muted, deliveries) = self.writer().submit(unit).await?;
        self.hint_at(deliveries);
        Ok(muted)
    }

    /// Returns the mute of the alert with this subject that is active at `now`, if there is one.
    pub async fn mute_of_alert(&self, subject: &str, now: Timestamp) -> Result<Option<Mute>> {
        running(self.read(), subject, now).await
    }

    /// Ends mutes at `now`, with the audit entry `entry` in the same unit. Returns those that had not ended; `None`,
    /// with nothing changed, if that click or command was processed before.
    pub async fn end_mutes(
        &self,
        ids: Vec<MuteId>,
        entry: AuditEntry,
        now: Timestamp,
    ) -> Result<Option<Vec<MuteId>>> {
        self.writer().submit(End { ids, entry, key: self.audit_key()?, now }).await
    }

    /// Records that a mute's summary was sent. The card of a muted alert no longer shows the mute.
    pub async fn close_mute(&self, id: MuteId) -> Result<()> {
        let now = self.0.clock.moment();
        let deliveries = self.writer().submit(Close { id, now, mint: Mint::new() }).await?;
        self.hint_at(deliveries);
        Ok(())
    }

    /// Returns the mutes that are active or whose summary is pending, oldest first.
    pub async fn mutes(&self) -> Result<Vec<Mute>> {
        let rows = query(format!("SELECT {COLUMNS} FROM mutes WHERE summed_at IS NULL ORDER BY id"))
            .fetch_all(self.read())
            .await?;
        rows.iter().map(read).collect()
    }

    /// Counts the deliveries that a mute suppressed.
    pub async fn count_silenced(&self, id: MuteId) -> Result<u64> {
        let count: i64 = query_scalar("SELECT COUNT(*) FROM deliveries WHERE muted_by = $1")
            .bind(id)
            .fetch_one(self.read())
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Counts the events that a mute suppressed, by destination and kind, highest count first.
    pub async fn silenced(&self, id: MuteId) -> Result<Vec<(DestinationId, String, u64)>> {
        let rows: Vec<(DestinationId, String, i64)> = query_as(
            "SELECT d.destination_id, e.kind, COUNT(*) AS n FROM deliveries AS d JOIN events AS e ON e.id = d.event_id \
             WHERE d.muted_by = $1 GROUP BY d.destination_id, e.kind ORDER BY n DESC, e.kind",
        )
        .bind(id)
        .fetch_all(self.read())
        .await?;
        let counted = |count| u64::try_from(count).unwrap_or(0);
        Ok(rows.into_iter().map(|(destination, kind, count)| (destination, kind, counted(count))).collect())
    }
}

struct Add {
    mute: Mute,
    entry: AuditEntry,
    key: AuditKey,
    /// The card that shows the mute.
    card: Option<Decision>,
    now: Moment,
    mint: Mint,
}

impl Unit for Add {
    type Output = (Muted, Vec<Delivery>);

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        let mute = &self.mute;
        if audit::was_seen(tx, &self.entry).await? {
            return Ok((Muted::Replayed, Vec::new()));
        }
        if let Some(alert) = &mute.alert
            && let Some(before) = running(&mut *tx, &alert.subject, mute.since).await?
            && before.alert.as_ref().is_some_and(|before| before.severity >= alert.severity)
        {
            let detail = format!("it is muted already, by {}", before.by);
            let entry = AuditEntry { outcome: AuditOutcome::Refused, detail, ..self.entry.clone() };
            audit::append(tx, &self.key, &entry, mute.since).await?;
            return Ok((Muted::Already(before), Vec::new()));
        }
        if let Some(before) = same(tx, mute).await? {
            let now = self.renew(tx, &before).await?;
            return Ok((Muted::Renewed { now, before }, Vec::new()));
        }
        insert(tx, mute).await?;
        audit::append(tx, &self.key, &self.entry, mute.since).await?;
        let deliveries = match &self.card {
            Some(card) => announce(tx, &self.mint, self.now, "decision.muted", card, &[]).await?.1,
            None => Vec::new(),
        };
        Ok((Muted::Now(mute.clone()), deliveries))
    }
}

impl Add {
    /// Extends a mute of the same kinds as requested: one mute, and one summary at its end.
    async fn renew(&self, tx: &mut Tx, before: &Mute) -> Result<Mute> {
        let wanted = self.mute.clone();
        let reason = if wanted.reason.is_empty() { before.reason.clone() } else { wanted.reason };
        let now =
            Mute { id: before.id, pattern: before.pattern.clone(), since: before.since, reason, ..wanted };
        query("UPDATE mutes SET until = $2, reason = $3, created_by = $4 WHERE id = $1")
            .bind(now.id)
            .bind(now.until.as_millis())
            .bind(now.reason.as_str())
            .bind(now.by.as_str())
            .execute(&mut *tx)
            .await?;
        let entry = AuditEntry {
            detail: format!("{} (before: until {})", self.entry.detail, before.until.to_rfc3339()),
            reference: now.id.to_string(),
            ..self.entry.clone()
        };
        audit::append(tx, &self.key, &entry, self.mute.since).await?;
        Ok(now)
    }
}

/// The active mute of the same kinds.
async fn same(tx: &mut Tx, mute: &Mute) -> Result<Option<Mute>> {
    if mute.alert.is_some() {
        return Ok(None);
    }
    let rows = query(format!(
        "SELECT {COLUMNS} FROM mutes WHERE summed_at IS NULL AND subject = '' AND until > $1 ORDER BY id"
    ))
    .bind(mute.since.as_millis())
    .fetch_all(tx)
    .await?;
    let mutes: Vec<Mute> = rows.iter().map(read).collect::<Result<_>>()?;
    Ok(mutes.into_iter().find(|other| Pattern::new(&other.pattern) == Pattern::new(&mute.pattern)))
}

async fn insert(tx: &mut Tx, mute: &Mute) -> Result<()> {
    let alert = mute.alert.as_ref();
    query(
        "INSERT INTO mutes (id, pattern, subject, label, severity, until, reason, created_by, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(mute.id)
    .bind(mute.pattern.as_str())
    .bind(alert.map(|alert| alert.subject.as_str()).unwrap_or_default())
    .bind(alert.map(|alert| alert.label.as_str()).unwrap_or_default())
    .bind(alert.and_then(|alert| alert.severity).map(Severity::as_str).unwrap_or_default())
    .bind(mute.until.as_millis())
    .bind(mute.reason.as_str())
    .bind(mute.by.as_str())
    .bind(mute.since.as_millis())
    .execute(tx)
    .await?;
    Ok(())
}

/// The active mute of this alert at `now`: the one that suppresses most.
async fn running(connection: impl Executor, subject: &str, now: Timestamp) -> Result<Option<Mute>> {
    let rows = query(format!(
        "SELECT {COLUMNS} FROM mutes WHERE subject = $1 AND subject <> '' AND until > $2 AND summed_at IS NULL"
    ))
    .bind(subject)
    .bind(now.as_millis())
    .fetch_all(connection)
    .await?;
    let mutes: Vec<Mute> = rows.iter().map(read).collect::<Result<_>>()?;
    let severity = |mute: &Mute| mute.alert.as_ref().and_then(|alert| alert.severity);
    Ok(mutes.into_iter().max_by_key(severity))
}

struct End {
    ids: Vec<MuteId>,
    entry: AuditEntry,
    key: AuditKey,
    now: Timestamp,
}

impl Unit for End {
    type Output = Option<Vec<MuteId>>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        if audit::was_seen(tx, &self.entry).await? {
            return Ok(None);
        }
        let mut ended = Vec::new();
        for id in &self.ids {
            let changed = query("UPDATE mutes SET until = $2 WHERE id = $1 AND until > $2")
                .bind(*id)
                .bind(self.now.as_millis())
                .execute(&mut *tx)
                .await?;
            ended.extend((changed == 1).then_some(*id));
        }
        if !ended.is_empty() {
            audit::append(tx, &self.key, &self.entry, self.now).await?;
        }
        Ok(Some(ended))
    }
}

struct Close {
    id: MuteId,
    now: Moment,
    mint: Mint,
}

impl Unit for Close {
    type Output = Vec<Delivery>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        let subject: Option<String> = query_scalar(
            "UPDATE mutes SET summed_at = $2 WHERE id = $1 AND summed_at IS NULL RETURNING subject",
        )
        .bind(self.id)
        .bind(self.now.wall.as_millis())
        .fetch_optional(&mut *tx)
        .await?;
        match alert_about(tx, subject.as_deref().unwrap_or_default()).await? {
            Some(card) => Ok(announce(tx, &self.mint, self.now, "decision.unmuted", &card, &[]).await?.1),
            None => Ok(Vec::new()),
        }
    }
}

fn read(row: &Row) -> Result<Mute> {
    let subject: String = row.try_get("subject")?;
    let alert = MutedAlert {
        label: row.try_get("label")?,
        severity: Severity::from_word(&row.try_get::<String>("severity")?),
        subject,
    };
    Ok(Mute {
        id: row.try_get("id")?,
        pattern: row.try_get("pattern")?,
        alert: Some(alert).filter(|alert| !alert.subject.is_empty()),
        until: Timestamp::from_millis(row.try_get("until")?),
        reason: row.try_get("reason")?,
        by: row.try_get("created_by")?,
        since: Timestamp::from_millis(row.try_get("created_at")?),
    })
}
