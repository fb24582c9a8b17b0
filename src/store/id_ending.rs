//! Ids by their last characters, as lists and cards show them.
//!
//! The last four bytes of an id are random, so an index of them changes one page more for every row. Only finished
//! deliveries have one: what waits is found among the few that do, and events and digests are gone through.

use std::fmt::Display;

use uuid::Uuid;

use crate::model::{DeliveryId, EventId, MessageId};
use crate::store::sql::{query, query_scalar};
use crate::store::{Result, Store, corrupt};

/// Number of hex digits that are looked for; further ones are compared here.
const DIGITS: usize = 8;
/// Maximum number of ids to return: people choose among them.
const MOST: usize = 10;

impl Store {
    /// Returns the ids of deliveries that end in these hex digits, at most ten; none for fewer than eight digits.
    pub async fn deliveries_ending(&self, digits: &str) -> Result<Vec<DeliveryId>> {
        const WHOLE: &str = "SELECT id FROM deliveries WHERE id = $1";
        // SQLite keeps the order of a CROSS JOIN.
        const END: &str = "SELECT rowid AS place, id FROM deliveries WHERE SUBSTR(id, 13) = $1 AND finished_at IS NOT NULL \
             UNION ALL SELECT rowid AS place, id FROM deliveries \
             WHERE SUBSTR(id, 13) = $1 AND status = 'pending' AND finished_at IS NULL \
             UNION ALL SELECT d.rowid AS place, d.id FROM messages AS m CROSS JOIN deliveries AS d WHERE m.state = 'sending' \
             AND d.message_id = m.id AND d.status = 'sending' AND d.finished_at IS NULL AND SUBSTR(d.id, 13) = $1";
        self.ending(WHOLE, END, digits).await
    }

    /// Returns the ids of events that end in these hex digits, at most ten; none for fewer than eight digits.
    pub async fn events_ending(&self, digits: &str) -> Result<Vec<EventId>> {
        const WHOLE: &str = "SELECT id FROM events WHERE id = $1";
        const END: &str = "SELECT rowid AS place, id FROM events WHERE SUBSTR(id, 13) = $1";
        self.ending(WHOLE, END, digits).await
    }

    /// Returns the ids of digests that end in these hex digits, at most ten; none for fewer than eight digits.
    pub async fn digests_ending(&self, digits: &str) -> Result<Vec<MessageId>> {
        const WHOLE: &str = "SELECT id FROM messages WHERE form = 'digest' AND id = $1";
        const END: &str =
            "SELECT rowid AS place, id FROM messages WHERE form = 'digest' AND SUBSTR(id, 13) = $1";
        self.ending(WHOLE, END, digits).await
    }

    async fn ending<Id: From<Uuid> + Display>(
        &self,
        whole: &'static str,
        end: &'static str,
        digits: &str,
    ) -> Result<Vec<Id>> {
        let last = digits.len().checked_sub(DIGITS).and_then(|at| hex::decode(digits.get(at..)?).ok());
        let Some(last) = last else { return Ok(Vec::new()) };
        if let (32, Ok(id)) = (digits.len(), Uuid::try_parse(digits)) {
            let found: Option<Uuid> = query_scalar(whole).bind(id).fetch_optional(self.read()).await?;
            return Ok(found.map(Id::from).into_iter().collect());
        }
        let rows = query(end).bind(last).fetch_all(self.read()).await?;
        let (mut ids, _) = corrupt::partition::<Id, Uuid>(&rows, |row| row.try_get("id"))?;
        ids.retain(|id| id.simple().to_string().ends_with(digits));
        ids.sort_unstable();
        Ok(ids.into_iter().rev().take(MOST).map(Id::from).collect())
    }
}
