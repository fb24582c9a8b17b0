//! Destinations that show the card of a subject, or are about to.

use crate::model::{DestinationId, Source};
use crate::store::sql::query_as;
use crate::store::{Result, Store};

impl Store {
    /// Returns the destinations that events about `subject` went to or wait for, each with the routing key that chose
    /// it. Closed or removed destinations, and dead or cancelled deliveries, are left out: there is no card to edit.
    pub async fn destinations_of(
        &self,
        source: Source,
        subject: &str,
    ) -> Result<Vec<(DestinationId, String)>> {
        if subject.is_empty() {
            return Ok(Vec::new());
        }
        query_as(
            "SELECT destination_id, route FROM (SELECT d.id, d.destination_id, d.route, ROW_NUMBER() OVER \
             (PARTITION BY d.destination_id, d.route ORDER BY d.id) AS nth FROM events AS e JOIN deliveries AS d ON d.event_id = e.id \
             JOIN destinations AS t ON t.id = d.destination_id \
             WHERE e.source = $1 AND e.subject = $2 AND d.slot = '' AND d.status IN ('pending', 'sending', 'delivered') \
             AND t.sink IN ('channel', 'discord_webhook') AND t.closed_reason IS NULL AND t.deleted_at IS NULL \
             ) AS ways WHERE nth = 1 ORDER BY id",
        )
        .bind(source.as_str())
        .bind(subject)
        .fetch_all(self.read())
        .await
    }
}
