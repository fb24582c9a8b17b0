//! Sinks that show cards: which deliveries share a message, and what it says.

mod decision;
mod draw;
mod lifetime;

pub(super) mod compose;
pub(super) mod digest;
pub(super) mod load;
pub(super) mod plan;
