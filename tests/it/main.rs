//! The integration tests: the whole application against the sandbox, in the user's words.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail")]
#![expect(clippy::print_stdout, reason = "a test that skips something says so")]

mod answers;
mod api;
mod approval;
mod architecture;
mod attack;
mod attribution;
mod audit;
mod audited;
mod bot;
mod cards;
mod circles;
mod cli;
mod clock;
mod closed;
mod closed_sets;
mod commands;
mod config;
mod console;
mod contract;
mod customers;
mod db;
mod delivery;
mod deploy;
mod discord_webhooks;
mod dispatch;
mod doctor;
mod doubt;
mod events_page;
mod harness;
mod help;
mod ingress;
mod keys;
mod large_map;
mod letters;
mod limits;
mod living;
mod metrics;
mod mute;
mod names;
mod once;
mod platform_webhooks;
mod poison;
mod portable;
mod process;
mod program;
mod progress;
mod readme;
mod recovery;
mod reload;
mod retention;
mod routing;
mod runbook;
mod samples;
mod sandbox;
mod secrets;
mod seeds;
mod setup;
mod status;
mod storage;
mod storms;
mod supply;
#[path = "../trust/main.rs"]
mod trust;
mod webhooks;
mod without_xtsystems;

use trust::rig::database;
