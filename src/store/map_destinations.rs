//! Destinations of the routing map's channels: found with one query, and the missing ones created in one unit.

use std::collections::{BTreeSet, HashMap};

use crate::clock::Timestamp;
use crate::model::{DestinationId, Sink, Snowflake};
use crate::store::sql::{Tx, query, query_as};
use crate::store::unit::Unit;
use crate::store::{Result, Store};

/// Origin of the destinations that the environment's map names.
const ORIGIN: &str = "environment";

impl Store {
    /// Returns the existing destinations of `channels`.
    pub async fn channel_destinations(
        &self,
        channels: &BTreeSet<Snowflake>,
    ) -> Result<HashMap<Snowflake, DestinationId>> {
        let rows: Vec<(String, DestinationId)> = query_as(
            "SELECT address, id FROM destinations WHERE sink = 'channel' AND owner = '' AND deleted_at IS NULL",
        )
        .fetch_all(self.read())
        .await?;
        let mut found = HashMap::new();
        for (address, id) in rows {
            let Some(channel) = address.parse().ok().filter(|channel| channels.contains(channel)) else {
                continue;
            };
            found.insert(channel, id);
        }
        Ok(found)
    }

    /// Returns the destinations of all `channels`. Creates the missing ones in one unit; the others stay unchanged.
    pub async fn ensure_channel_destinations(
        &self,
        channels: &BTreeSet<Snowflake>,
    ) -> Result<HashMap<Snowflake, DestinationId>> {
        let found = self.channel_destinations(channels).await?;
        let missing: Vec<(Snowflake, DestinationId)> = channels
            .iter()
            .filter(|channel| !found.contains_key(channel))
            .map(|channel| (*channel, DestinationId::new()))
            .collect();
        if missing.is_empty() {
            return Ok(found);
        }
        self.writer().submit(Make { missing, now: self.0.clock.now() }).await?;
        // Read again: another caller may have created one meanwhile.
        self.channel_destinations(channels).await
    }
}

struct Make {
    missing: Vec<(Snowflake, DestinationId)>,
    now: Timestamp,
}

impl Unit for Make {
    type Output = ();

    async fn apply(&self, tx: &mut Tx) -> Result<()> {
        for (channel, id) in &self.missing {
            let sink = Sink::Channel(*channel);
            query(
                "INSERT INTO destinations (id, sink, address, name, origin, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $6) \
                 ON CONFLICT (sink, owner, address) WHERE deleted_at IS NULL DO NOTHING",
            )
            .bind(*id)
            .bind(sink.kind())
            .bind(sink.address())
            .bind(format!("channel {channel}"))
            .bind(ORIGIN)
            .bind(self.now.as_millis())
            .execute(&mut *tx)
            .await?;
        }
        Ok(())
    }
}
