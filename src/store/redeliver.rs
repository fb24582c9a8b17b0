//! Redelivery: the only way back to pending for what is finished.

use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use crate::clock::{Moment, Timestamp};
use crate::model::{DeliveryId, Status};
use crate::store::writer::Unit;
use crate::store::{Error, Result, Store};

/// What came of asking for a redelivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revived {
    /// It is pending again, one generation later.
    Pending {
        /// Whether its destination was closed and is open again.
        reopened: bool,
    },
    /// There is no such delivery.
    NotFound,
    /// Its destination was removed, by this name: nothing can be sent there.
    Gone(String),
    /// It is not finished: it goes out without being asked to.
    Conflict {
        /// Where it stands: pending or sending.
        status: Status,
        /// Whether it only waited for its destination, which was closed and is open again.
        reopened: bool,
    },
}

impl Store {
    /// Moves a delivery that is dead, delivered or cancelled back to pending: the same row, one generation later. It
    /// will be a new message. Its destination, if closed, is opened again: whoever redelivers has mended it.
    pub async fn revive(&self, id: DeliveryId) -> Result<Revived> {
        self.writer().submit(Revive { id, now: self.0.clock.moment() }).await
    }
}

struct Revive {
    id: DeliveryId,
    now: Moment,
}

impl Unit for Revive {
    type Output = Revived;

    async fn apply(&self, tx: &mut SqliteConnection) -> Result<Revived> {
        let id = self.id.to_string();
        let gone: Option<String> = sqlx::query_scalar(
            "SELECT t.name FROM deliveries AS d JOIN destinations AS t ON t.id = d.destination_id \
             WHERE d.id = $1 AND t.deleted_at IS NOT NULL",
        )
        .bind(&id)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(name) = gone {
            return Ok(Revived::Gone(name));
        }
        // Its attempts must be found later on, too.
        sqlx::query(
            "INSERT INTO earlier_messages (delivery_id, message_id) SELECT id, message_id FROM deliveries \
             WHERE id = $1 AND status IN ('dead', 'delivered', 'cancelled') AND message_id IS NOT NULL \
             ON CONFLICT (delivery_id, message_id) DO NOTHING",
        )
        .bind(&id)
        .execute(&mut *tx)
        .await?;
        let revived = sqlx::query(
            "UPDATE deliveries SET status = 'pending', generation = generation + 1, due_at = $2, attempts = 0, \
             message_id = NULL, reason = NULL, finished_at = NULL \
             WHERE id = $1 AND status IN ('dead', 'delivered', 'cancelled')",
        )
        .bind(&id)
        .bind(self.now.steady.as_millis())
        .execute(&mut *tx)
        .await?;
        let Some(row) = sqlx::query("SELECT status, destination_id FROM deliveries WHERE id = $1")
            .bind(&id)
            .fetch_optional(&mut *tx)
            .await?
        else {
            return Ok(Revived::NotFound);
        };
        let reopened = reopen(tx, row.try_get("destination_id")?, self.now.wall).await?;
        if revived.rows_affected() == 1 {
            return Ok(Revived::Pending { reopened });
        }
        let status: String = row.try_get("status")?;
        let status =
            Status::from_word(&status).ok_or_else(|| Error::Corrupt(format!("a status {status:?}")))?;
        Ok(Revived::Conflict { status, reopened })
    }
}

/// Opens a destination that is closed or denies us. Answers whether it was. A webhook that is gone stays gone: only
/// another address, or a test that arrives, opens it.
async fn reopen(tx: &mut SqliteConnection, destination: String, now: Timestamp) -> Result<bool> {
    let opened = sqlx::query(
        "UPDATE destinations SET closed_reason = NULL, not_before = 0, updated_at = $2 \
         WHERE id = $1 AND sink <> 'discord_webhook' AND (closed_reason IS NOT NULL OR denied_reason IS NOT NULL)",
    )
    .bind(destination)
    .bind(now.as_millis())
    .execute(tx)
    .await?;
    Ok(opened.rows_affected() == 1)
}
