//! The integration tests.

mod cli;
mod config;
mod program;
