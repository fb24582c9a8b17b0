//! The door under attack. Every case of the threat model's table for ingress is here as data, by its number.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail")]

mod bodies;
mod corpus;
mod crowd;
mod limits;
mod memory;
mod replay;
mod sender;
mod signatures;
mod slow;
mod why;
mod wire;
mod wire_format;
