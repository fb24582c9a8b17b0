//! Destinations: where messages go.

use crate::clock::SteadyTime;
use crate::model::{DestinationId, EventId, Sink, Snowflake};

/// One target of messages. It has one lane.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Identifies the destination.
    pub id: DestinationId,
    /// How to reach it.
    pub sink: Sink,
    /// Display name.
    pub name: String,
    /// Why nothing can be sent until an operator reopens it.
    pub closed: Option<String>,
    /// Why Discord currently denies messages.
    pub denied: Option<String>,
    /// The event that announced it as closed or denied; `None` once it is reachable again.
    pub announced: Option<EventId>,
    /// Nothing is sent before this time.
    pub not_before: SteadyTime,
    /// The newest message known to be posted there.
    pub newest: Option<Snowflake>,
    /// Fencing token: raised whenever a process takes over the lanes, so results of older ones do not count.
    pub epoch: i64,
}

impl Destination {
    /// The command that repairs it when it is closed, if there is one.
    #[must_use]
    pub fn mended_by(&self) -> Option<String> {
        self.sink.mended_by(self.id)
    }
}
