//! The integration tests: the whole application against the sandbox, in the user's words.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail")]

mod attack;
mod cards;
mod cli;
mod config;
mod harness;
mod ingress;
mod program;
mod routing;
