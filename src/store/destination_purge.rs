//! Destination purge: cancels the deliveries of removed destinations.
//!
//! This runs each second, so every step uses an index that contains only unfinished rows. SQLite keeps the order of a
//! CROSS JOIN; otherwise it may scan all deliveries that ever existed.

use crate::clock::Timestamp;
use crate::store::sql::{Tx, query, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

/// Maximum number of rows of each kind that one unit cancels.
const UNIT: i64 = 100;

impl Store {
    /// Cancels some unfinished deliveries of removed destinations. Returns how many; 0 means that none are left.
    pub async fn cancel_removed(&self) -> Result<u64> {
        let waits: Option<i64> = query_scalar(
            "SELECT CAST(1 AS BIGINT) FROM destinations AS t WHERE t.deleted_at IS NOT NULL AND \
             (EXISTS (SELECT 1 FROM deliveries WHERE destination_id = t.id AND status = 'pending') OR \
              EXISTS (SELECT 1 FROM messages WHERE destination_id = t.id AND state = 'sending')) LIMIT 1",
        )
        .fetch_optional(self.read())
        .await?;
        match waits {
            Some(_) => self.writer().submit(CancelRemoved { now: self.0.clock.now() }).await,
            None => Ok(0),
        }
    }
}

struct CancelRemoved {
    now: Timestamp,
}

impl Unit for CancelRemoved {
    type Output = u64;

    async fn apply(&self, tx: &mut Tx) -> Result<u64> {
        let waiting = query(
            "UPDATE deliveries SET status = 'cancelled', reason = 'its destination was removed', finished_at = $1 \
             WHERE id IN (SELECT d.id FROM destinations AS t CROSS JOIN deliveries AS d \
             WHERE t.deleted_at IS NOT NULL AND d.destination_id = t.id AND d.status = 'pending' LIMIT $2)",
        )
        .bind(self.now.as_millis())
        .bind(UNIT)
        .execute(&mut *tx)
        .await?;
        // In-flight messages are not waited for: their outcome no longer matters.
        let on_its_way = query(
            "UPDATE deliveries SET status = 'cancelled', reason = 'its destination was removed', finished_at = $1 \
             WHERE id IN (SELECT d.id FROM destinations AS t CROSS JOIN messages AS m CROSS JOIN deliveries AS d \
             WHERE t.deleted_at IS NOT NULL AND m.destination_id = t.id AND m.state = 'sending' \
             AND d.message_id = m.id AND d.status = 'sending' LIMIT $2)",
        )
        .bind(self.now.as_millis())
        .bind(UNIT)
        .execute(&mut *tx)
        .await?;
        // A message stays open while it has in-flight deliveries, because they are found through it.
        query(
            "UPDATE messages SET state = 'withdrawn', finished_at = $1 WHERE id IN \
             (SELECT m.id FROM destinations AS t CROSS JOIN messages AS m \
              WHERE t.deleted_at IS NOT NULL AND m.destination_id = t.id AND m.state = 'sending' AND NOT EXISTS \
              (SELECT 1 FROM deliveries WHERE message_id = m.id AND status = 'sending') LIMIT $2)",
        )
        .bind(self.now.as_millis())
        .bind(UNIT)
        .execute(tx)
        .await?;
        Ok(waiting + on_its_way)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::clock::Clock;
    use crate::model::{Action, DeliveryId, DestinationId, Form, Message};
    use crate::store::sql::query_as;
    use crate::store::{Claim, HintSender};

    const GONE: DestinationId = DestinationId::FIRST;
    const KEPT: DestinationId = DestinationId::LAST;

    /// Two destinations, the first of them removed, with `waiting` pending deliveries each, and 250 in an open
    /// message.
    struct Seed {
        waiting: i64,
    }

    impl Unit for Seed {
        type Output = ();

        async fn apply(&self, tx: &mut Tx) -> Result<()> {
            for (id, removed) in [(GONE, Some(5)), (KEPT, None)] {
                query(
                    "INSERT INTO destinations (id, sink, address, name, origin, created_at, updated_at, deleted_at) \
                     VALUES ($1, 'discord_webhook', $3, 'x', 'stored', 0, 0, $2)",
                )
                .bind(id)
                .bind(removed)
                .bind(id.to_string())
                .execute(&mut *tx)
                .await?;
                query(
                    "INSERT INTO messages (id, destination_id, nonce, action, form, state, lane_epoch, created_at) \
                     VALUES ($1, $1, $2, 'create', 'digest', 'sending', 0, 0)",
                )
                .bind(id)
                .bind(id.to_string())
                .execute(&mut *tx)
                .await?;
                for (status, message, count) in [("pending", None, self.waiting), ("sending", Some(id), 250)]
                {
                    let rows = format!(
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {count})"
                    );
                    let events = format!(
                        "INSERT INTO events (id, source, kind, dedupe_key, occurred_at, received_at, body) {rows} \
                         SELECT CAST($1 || $2 || i AS BLOB), 'xtsystems', 'x', CAST($1 || $2 || i AS BLOB), 0, 0, '' FROM n"
                    );
                    let deliveries = format!(
                        "INSERT INTO deliveries (id, event_id, destination_id, status, due_at, message_id) {rows} \
                         SELECT CAST($1 || $2 || i AS BLOB), CAST($1 || $2 || i AS BLOB), $4, $2, 0, $3 FROM n"
                    );
                    let events = query(events).bind(id.to_string()).bind(status);
                    events.execute(&mut *tx).await?;
                    let deliveries = query(deliveries).bind(id.to_string()).bind(status);
                    deliveries.bind(message).bind(id).execute(&mut *tx).await?;
                }
            }
            Ok(())
        }
    }

    async fn seeded(folder: &TempDir, waiting: i64) -> Store {
        let (hints, _nobody) = HintSender::channel();
        let store = Store::open(&folder.path().join("nuncio.db"), Clock::system(), hints).await.unwrap();
        store.writer().submit(Seed { waiting }).await.unwrap();
        store
    }

    /// The delivery counts of one destination by status, and the state of its message.
    async fn state_of(store: &Store, destination: DestinationId) -> (Vec<(String, i64)>, String) {
        let deliveries = query_as(
            "SELECT status, COUNT(*) FROM deliveries WHERE destination_id = $1 GROUP BY status ORDER BY status",
        );
        let deliveries = deliveries.bind(destination).fetch_all(store.read()).await.unwrap();
        let message = query_scalar("SELECT state FROM messages WHERE destination_id = $1");
        (deliveries, message.bind(destination).fetch_one(store.read()).await.unwrap())
    }

    fn of(status: &str, count: i64) -> (String, i64) {
        (status.to_owned(), count)
    }

    #[tokio::test]
    async fn all_that_waits_or_is_on_its_way_is_taken_back_unit_by_unit_and_nothing_else() {
        let folder = TempDir::new().unwrap();
        let store = seeded(&folder, 330).await;
        let mut units = Vec::new();
        loop {
            match store.cancel_removed().await.unwrap() {
                0 => break,
                some => units.push(some),
            }
        }
        assert_eq!(units, [200, 200, 150, 30]);
        assert_eq!(state_of(&store, GONE).await, (vec![of("cancelled", 580)], "withdrawn".to_owned()));
        let kept = vec![of("pending", 330), of("sending", 250)];
        assert_eq!(state_of(&store, KEPT).await, (kept, "sending".to_owned()));
    }

    // A lane may be collecting a digest when its destination is removed: later claims would never be found again.
    #[tokio::test]
    async fn a_digest_that_was_withdrawn_takes_nothing_more() {
        let folder = TempDir::new().unwrap();
        let store = seeded(&folder, 10).await;
        let now = store.0.clock.moment();
        let message = Message::new(KEPT, Action::Create, Form::Digest, now);
        let claim = Claim::Ordinary { before: DeliveryId::earliest(now.steady), first_only: false };
        store.writer().submit(Withdrawn(message.clone())).await.unwrap();
        assert_eq!(store.claim(&message, 0, claim).await.unwrap().deliveries, 0);
    }

    struct Withdrawn(Message);

    impl Unit for Withdrawn {
        type Output = ();

        async fn apply(&self, tx: &mut Tx) -> Result<()> {
            crate::store::message::insert(tx, &self.0, 0).await?;
            query("UPDATE messages SET state = 'withdrawn'").execute(tx).await?;
            Ok(())
        }
    }
}
