//! The integration tests: the whole application against the sandbox, in the user's words.

mod cards;
mod cli;
mod config;
mod harness;
mod ingress;
mod program;
mod routing;
