//! A page of the deliveries of a message.

use sqlx::sqlite::SqliteConnection;

use crate::model::{DeliveryId, MessageId};
use crate::store::Result;

/// How many deliveries one unit of a digest touches: senders wait for some milliseconds meanwhile. A hundred at a time
/// cost twice as much for each.
pub(super) const UNIT: i64 = 500;

/// Some of a message's deliveries, in their order.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::store) struct Page {
    /// Those behind this one; all, if there is none.
    after: Option<DeliveryId>,
    /// Up to this one; to the end, if there is none.
    pub(in crate::store) last: Option<DeliveryId>,
}

impl Page {
    /// The deliveries of `message` behind `after`, as many as one unit may touch.
    pub(in crate::store) async fn behind(
        tx: &mut SqliteConnection,
        message: MessageId,
        after: Option<DeliveryId>,
    ) -> Result<Self> {
        let last: Option<String> = sqlx::query_scalar(
            "SELECT id FROM deliveries WHERE message_id = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3",
        )
        .bind(message.to_string())
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(UNIT - 1)
        .fetch_optional(tx)
        .await?;
        Ok(Self { after, last: last.map(|id| id.parse()).transpose()? })
    }

    /// What their ids are greater than, and not greater than.
    pub(in crate::store) fn bounds(self) -> (String, String) {
        let after = self.after.map(|id| id.to_string()).unwrap_or_default();
        (after, self.last.unwrap_or(DeliveryId::LAST).to_string())
    }
}
