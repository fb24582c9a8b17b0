//! Counts for operators: the queue, recent activity, and destinations by state.

/// Queue counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Deliveries that wait for their turn.
    pub pending: u64,
    /// Deliveries whose message may be on its way.
    pub sending: u64,
    /// Dead deliveries.
    pub dead: u64,
    /// Events that no key of the routing map matched.
    pub unrouted: u64,
}

/// Counts since a point in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events that were accepted from senders.
    pub accepted: u64,
    /// Deliveries of those events that arrived.
    pub delivered: u64,
    /// Deliveries of those events that were given up.
    pub dead: u64,
}

/// Counts of the destinations by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DestinationCounts {
    /// Destinations in a cooldown or backoff.
    pub cooling: u64,
    /// Destinations that need the operator.
    pub closed: u64,
}
