//! Reverse lookup: from a Discord message to the events that it shows.

use std::collections::HashSet;

use crate::model::{DeliveryId, EventId, Snowflake};
use crate::store::sql::{query_as, query_scalar};
use crate::store::{Result, Store};

impl Store {
    /// Returns the deliveries that the message `receipt` shows, with their events, oldest first.
    pub async fn shown_in(&self, receipt: Snowflake) -> Result<Vec<(DeliveryId, EventId)>> {
        query_as(
            "SELECT d.id, d.event_id FROM messages AS m JOIN deliveries AS d ON d.message_id = m.id \
             WHERE m.receipt = $1 ORDER BY d.id",
        )
        .bind(receipt)
        .fetch_all(self.read())
        .await
    }

    /// Returns which of these messages of a channel are known receipts. Each belongs to the row that recorded it, and
    /// so to no other.
    pub async fn receipts_among(
        &self,
        channel: Snowflake,
        messages: &[Snowflake],
    ) -> Result<HashSet<Snowflake>> {
        let mut found = HashSet::new();
        // Nearly always there is only one.
        for message in messages {
            let receipt: Option<i64> = query_scalar(
                "SELECT CAST(1 AS BIGINT) FROM messages WHERE receipt = $1 AND channel_id = $2 LIMIT 1",
            )
            .bind(*message)
            .bind(channel)
            .fetch_optional(self.read())
            .await?;
            found.extend(receipt.map(|_| *message));
        }
        Ok(found)
    }

    /// Returns the body of an event, as it was signed.
    pub async fn event_body(&self, id: EventId) -> Result<Option<Vec<u8>>> {
        query_scalar("SELECT body FROM events WHERE id = $1").bind(id).fetch_optional(self.read()).await
    }
}
