//! Cards in messages: which deliveries share a message, and the message's content.

mod decision;
mod draw;
mod lifetime;

pub(super) mod compose;
pub(super) mod digest;
pub(super) mod load;
pub(super) mod plan;
