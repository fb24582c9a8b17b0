//! The integration tests: the whole application against the sandbox, in the user's words.

mod cards;
mod harness;
mod ingress;
mod routing;
