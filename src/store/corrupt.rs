//! Corrupt rows: a column of the wrong type, a malformed id, an unknown enum value.
//!
//! A corrupt row blocks nothing: a read of many rows returns the sound ones and, separately, the corrupt ones. A
//! corrupt pending delivery is given up with the reason, so that its lane continues and lists show it. Nothing is
//! guessed or repaired here.

use std::fmt::Display;

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::model::{CorruptRow, DeliveryId, DestinationId, RowResult};
use crate::store::sql::{Row, Tx, query};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

const MAY_BE_IN_CHANNEL: &str = "; it may be in the channel all the same";

/// Decodes `rows`, which contain their `id` (an `Id`) and, as `place`, their row number. Returns corrupt rows separately. An
/// error that is not about a single row fails the whole call.
pub(super) fn partition<Id: From<Uuid> + Display, T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T>,
) -> Result<(Vec<T>, Vec<CorruptRow>)> {
    let (mut sound, mut corrupt) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in decode_all::<Id, _>(rows, read)? {
        match row {
            Ok(read) => sound.push(read),
            Err(row) => corrupt.push(row),
        }
    }
    Ok((sound, corrupt))
}

/// Decodes `rows` and keeps their order.
pub(super) fn decode_all<Id: From<Uuid> + Display, T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T>,
) -> Result<Vec<RowResult<T>>> {
    rows.iter().map(|row| decode::<Id, _>(row, &read)).collect()
}

/// Decodes one row. An error that is not about this row fails the call.
pub(super) fn decode<Id: From<Uuid> + Display, T>(
    row: &Row,
    read: impl Fn(&Row) -> Result<T>,
) -> Result<RowResult<T>> {
    match read(row) {
        Ok(read) => Ok(Ok(read)),
        Err(error) if error.is_of_one_row() => Ok(Err(of::<Id>(row, error.to_string())?)),
        Err(error) => Err(error),
    }
}

pub(super) fn of<Id: From<Uuid> + Display>(row: &Row, why: String) -> Result<CorruptRow> {
    Ok(CorruptRow { place: row.try_get("place")?, id: shown::<Id>(row), why })
}

/// The row's id as text, whatever it is.
fn shown<Id: From<Uuid> + Display>(row: &Row) -> String {
    match row.try_get::<Uuid>("id") {
        Ok(id) => Id::from(id).to_string(),
        Err(_) => String::from_utf8_lossy(&row.raw("id")).into_owned(),
    }
}

impl Store {
    /// Gives up corrupt deliveries: pending or sending → dead. Returns those that changed.
    pub async fn give_up_corrupt(&self, corrupt_rows: Vec<CorruptRow>) -> Result<Vec<CorruptRow>> {
        self.writer().submit(GiveUpDeliveries { corrupt_rows, now: self.0.clock.now() }).await
    }

    /// Gives up a corrupt message of `destination`, and every in-flight delivery there that belongs to no readable
    /// message. Returns the ids of those deliveries.
    pub async fn give_up_message(
        &self,
        destination: DestinationId,
        corrupt_row: CorruptRow,
    ) -> Result<Vec<String>> {
        self.writer().submit(GiveUpMessage { destination, corrupt_row, now: self.0.clock.now() }).await
    }
}

struct GiveUpDeliveries {
    corrupt_rows: Vec<CorruptRow>,
    now: Timestamp,
}

impl Unit for GiveUpDeliveries {
    type Output = Vec<CorruptRow>;

    async fn apply(&self, tx: &mut Tx) -> Result<Self::Output> {
        let mut given_up = Vec::new();
        for corrupt_row in &self.corrupt_rows {
            let changed = query(
                "UPDATE deliveries SET reason = CASE WHEN status = 'sending' THEN $1 || $4 ELSE $1 END, \
                 status = 'dead', finished_at = $2 WHERE rowid = $3 AND status IN ('pending', 'sending')",
            )
            .bind(corrupt_row.why.as_str())
            .bind(self.now.as_millis())
            .bind(corrupt_row.place)
            .bind(MAY_BE_IN_CHANNEL)
            .execute(&mut *tx)
            .await?;
            if changed == 1 {
                given_up.push(corrupt_row.clone());
            }
        }
        Ok(given_up)
    }
}

struct GiveUpMessage {
    destination: DestinationId,
    corrupt_row: CorruptRow,
    now: Timestamp,
}

impl Unit for GiveUpMessage {
    type Output = Vec<String>;

    async fn apply(&self, tx: &mut Tx) -> Result<Vec<String>> {
        query(
            "UPDATE messages SET state = 'refused', finished_at = $1 WHERE rowid = $2 AND state = 'sending'",
        )
        .bind(self.now.as_millis())
        .bind(self.corrupt_row.place)
        .execute(&mut *tx)
        .await?;
        // Found by its deliveries, not by its id, which may be corrupt. This scans a table; it is rare.
        let given_up = query(
            "UPDATE deliveries SET status = 'dead', reason = $1, finished_at = $2, \
             message_id = (SELECT id FROM messages WHERE messages.id = deliveries.message_id) \
             WHERE destination_id = $3 AND status = 'sending' AND NOT EXISTS \
             (SELECT 1 FROM messages WHERE messages.id = deliveries.message_id AND messages.state = 'sending') \
             RETURNING id",
        )
        .bind(format!("its message cannot be read: {}{MAY_BE_IN_CHANNEL}", self.corrupt_row.why))
        .bind(self.now.as_millis())
        .bind(self.destination)
        .fetch_all(tx)
        .await?;
        Ok(given_up.iter().map(shown::<DeliveryId>).collect())
    }
}
