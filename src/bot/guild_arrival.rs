//! Waits for the gateway to list a guild right after a start.

use std::time::Duration;

use crate::clock::Clock;
use crate::hub::{Entrypoint, Hub};
use crate::model::Snowflake;

/// Maximum wait for the gateway to list a guild while a person waits for a reply.
const ARRIVAL: Duration = Duration::from_millis(700);

/// Gives the gateway a moment to list the guilds right after a start: less than Discord's three seconds, and less than
/// the second within which a click is answered.
pub(super) async fn wait_for_guild(hub: &Hub, clock: &Clock, guild: Option<Snowflake>, way: Entrypoint) {
    if let Some(guild) = guild {
        let _ = clock.within(ARRIVAL, hub.know_server(guild, way)).await;
    }
}
