//! Lane crashes: the crashed lane's in-flight messages become in-doubt, because their outcome is unknown.

use crate::clock::Timestamp;
use crate::model::{DeliveryId, DestinationId, MessageId};
use crate::store::sql::{Tx, query, query_as, query_scalar};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

/// Number of lane crashes after which a message is given up.
const TRIES: i64 = 5;
/// Response that is recorded in place of an answer.
const BROKE: &[u8] = b"nuncio panicked (stderr shows where)";
const GIVEN_UP: &str =
    "it makes nuncio panic every time (stderr shows where); it may be in the channel all the same";

/// What a lane crash left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneCrash {
    /// Deliveries that were given up because their message crashed the lane too often.
    pub given_up: Vec<DeliveryId>,
    /// Digests that crashed the lane too often: their deliveries are to be released.
    pub split: Vec<MessageId>,
}

impl Store {
    /// Records a crash of a destination's lane. Each of its open messages gets one more attempt and becomes in-doubt.
    /// A message that was open at too many crashes is given up.
    pub async fn record_lane_crash(&self, destination: DestinationId) -> Result<LaneCrash> {
        self.writer().submit(LaneBroke { destination, now: self.0.clock.now() }).await
    }

    /// Closes the digests of a destination that carry nothing any more and have not arrived.
    pub async fn withdraw_empty(&self, destination: DestinationId) -> Result<()> {
        self.writer().submit(WithdrawEmpty { destination, now: self.0.clock.now() }).await
    }
}

struct LaneBroke {
    destination: DestinationId,
    now: Timestamp,
}

impl Unit for LaneBroke {
    type Output = LaneCrash;

    async fn apply(&self, tx: &mut Tx) -> Result<LaneCrash> {
        query(
            "INSERT INTO attempts (message_id, number, started_at, took_ms, class, response) \
             SELECT id, (SELECT COUNT(*) + 1 FROM attempts WHERE message_id = messages.id), $2, 0, 'ambiguous', $3 \
             FROM messages WHERE destination_id = $1 AND state = 'sending' AND NOT settling",
        )
        .bind(self.destination)
        .bind(self.now.as_millis())
        .bind(BROKE)
        .execute(&mut *tx)
        .await?;
        query(
            "UPDATE messages SET crashes = crashes + 1, ambiguous_since = COALESCE(ambiguous_since, created_at) \
             WHERE destination_id = $1 AND state = 'sending' AND NOT settling",
        )
        .bind(self.destination)
        .execute(&mut *tx)
        .await?;
        let too_often: Vec<(MessageId, bool)> = query_as(
            "SELECT id, form = 'digest' FROM messages \
             WHERE destination_id = $1 AND state = 'sending' AND NOT settling AND crashes >= $2 ORDER BY id",
        )
        .bind(self.destination)
        .bind(TRIES)
        .fetch_all(&mut *tx)
        .await?;
        let mut crash = LaneCrash::default();
        for (id, digest) in too_often {
            if digest {
                crash.split.push(id);
            } else {
                crash.given_up.extend(self.give_up(tx, id).await?);
            }
        }
        Ok(crash)
    }
}

impl LaneBroke {
    async fn give_up(&self, tx: &mut Tx, message: MessageId) -> Result<Vec<DeliveryId>> {
        query("UPDATE messages SET state = 'refused', finished_at = $2 WHERE id = $1")
            .bind(message)
            .bind(self.now.as_millis())
            .execute(&mut *tx)
            .await?;
        query_scalar(
            "UPDATE deliveries SET status = 'dead', reason = $2, finished_at = $3, attempts = attempts + 1 \
             WHERE message_id = $1 AND status = 'sending' RETURNING id",
        )
        .bind(message)
        .bind(GIVEN_UP)
        .bind(self.now.as_millis())
        .fetch_all(tx)
        .await
    }
}

struct WithdrawEmpty {
    destination: DestinationId,
    now: Timestamp,
}

impl Unit for WithdrawEmpty {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        query(
            "UPDATE messages SET state = 'withdrawn', finished_at = $2 WHERE destination_id = $1 AND state = 'sending' \
             AND form = 'digest' AND NOT settling AND NOT EXISTS \
             (SELECT 1 FROM deliveries WHERE message_id = messages.id AND status = 'sending')",
        )
        .bind(self.destination)
        .bind(self.now.as_millis())
        .execute(tx)
        .await?;
        Ok(())
    }
}
