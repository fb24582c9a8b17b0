//! Sinks that show cards: which deliveries share a message, the message's content, and the lane that sends it.

mod decision;
mod disposition;
mod draw;
mod drawn;
mod group;
mod lifetime;
mod reply;
mod storm;

pub(super) mod compose;
pub(super) mod composed;
pub(super) mod digest;
pub(super) mod lane;
pub(super) mod load;
pub(super) mod plan;
