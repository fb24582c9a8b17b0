//! A page of a message's deliveries.

use crate::model::{DeliveryId, MessageId};
use crate::store::Result;
use crate::store::sql::{Tx, query_scalar};

/// Number of deliveries that one unit of a digest touches: senders wait some milliseconds meanwhile. With a hundred
/// at a time, each costs twice as much.
pub(super) const UNIT: i64 = 500;

/// A range of a message's deliveries, by id.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::store) struct DigestPage {
    /// Exclusive lower bound; `None` begins at the first.
    after: Option<DeliveryId>,
    /// Inclusive upper bound; `None` goes to the end.
    pub(in crate::store) last: Option<DeliveryId>,
}

impl DigestPage {
    /// The deliveries of `message` after `after`, as many as one unit may touch.
    pub(in crate::store) async fn behind(
        tx: &mut Tx,
        message: MessageId,
        after: Option<DeliveryId>,
    ) -> Result<Self> {
        let last = query_scalar(
            "SELECT id FROM deliveries WHERE message_id = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3",
        )
        .bind(message)
        .bind(after.unwrap_or(DeliveryId::FIRST))
        .bind(UNIT - 1)
        .fetch_optional(tx)
        .await?;
        Ok(Self { after, last })
    }

    /// The exclusive lower and the inclusive upper bound of the ids.
    pub(in crate::store) fn bounds(self) -> (DeliveryId, DeliveryId) {
        (self.after.unwrap_or(DeliveryId::FIRST), self.last.unwrap_or(DeliveryId::LAST))
    }
}
