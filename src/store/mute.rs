//! Mutes: what is silenced, and what was.

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::clock::Timestamp;
use crate::model::{DestinationId, Mute, MuteId};
use crate::store::writer::Unit;
use crate::store::{Error, Result, Store};

impl Store {
    /// Keeps a mute.
    pub async fn add_mute(&self, mute: Mute) -> Result<()> {
        self.writer().submit(Add(mute)).await
    }

    /// Ends a mute at `now`, if it has not ended. Answers whether it had not.
    pub async fn end_mute(&self, id: MuteId, now: Timestamp) -> Result<bool> {
        self.writer().submit(End { id, now }).await
    }

    /// Notes that what a mute silenced was summed up.
    pub async fn close_mute(&self, id: MuteId, now: Timestamp) -> Result<()> {
        self.writer().submit(Close { id, now }).await
    }

    /// The mutes that hold, or whose sum is still to be made; the oldest first.
    pub async fn mutes(&self) -> Result<Vec<Mute>> {
        let rows = sqlx::query(
            "SELECT id, pattern, until, reason, created_by, created_at FROM mutes WHERE summed_at IS NULL ORDER BY id",
        )
        .fetch_all(self.read())
        .await?;
        rows.iter().map(read).collect()
    }

    /// How many events of which kind a mute silenced in which destination, the most first.
    pub async fn silenced(&self, id: MuteId) -> Result<Vec<(DestinationId, String, u64)>> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT d.destination_id, e.kind, COUNT(*) AS n FROM deliveries AS d JOIN events AS e ON e.id = d.event_id \
             WHERE d.status = 'cancelled' AND d.reason = $1 GROUP BY d.destination_id, e.kind ORDER BY n DESC, e.kind",
        )
        .bind(id.to_string())
        .fetch_all(self.read())
        .await?;
        rows.into_iter()
            .map(|(destination, kind, count)| {
                Ok((destination.parse().map_err(Error::from)?, kind, u64::try_from(count).unwrap_or(0)))
            })
            .collect()
    }
}

struct Add(Mute);

impl Unit for Add {
    type Output = ();

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<()> {
        let Self(mute) = self;
        sqlx::query(
            "INSERT INTO mutes (id, pattern, until, reason, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(mute.id.to_string())
        .bind(mute.pattern.as_str())
        .bind(mute.until.as_millis())
        .bind(mute.reason.as_str())
        .bind(mute.by.as_str())
        .bind(mute.since.as_millis())
        .execute(tx)
        .await?;
        Ok(())
    }
}

struct End {
    id: MuteId,
    now: Timestamp,
}

impl Unit for End {
    type Output = bool;

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<bool> {
        let ended = sqlx::query("UPDATE mutes SET until = $2 WHERE id = $1 AND until > $2")
            .bind(self.id.to_string())
            .bind(self.now.as_millis())
            .execute(tx)
            .await?;
        Ok(ended.rows_affected() == 1)
    }
}

struct Close {
    id: MuteId,
    now: Timestamp,
}

impl Unit for Close {
    type Output = ();

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<()> {
        sqlx::query("UPDATE mutes SET summed_at = $2 WHERE id = $1 AND summed_at IS NULL")
            .bind(self.id.to_string())
            .bind(self.now.as_millis())
            .execute(tx)
            .await?;
        Ok(())
    }
}

fn read(row: &SqliteRow) -> Result<Mute> {
    Ok(Mute {
        id: row.try_get::<String, _>("id")?.parse()?,
        pattern: row.try_get("pattern")?,
        until: Timestamp::from_millis(row.try_get("until")?),
        reason: row.try_get("reason")?,
        by: row.try_get("created_by")?,
        since: Timestamp::from_millis(row.try_get("created_at")?),
    })
}
