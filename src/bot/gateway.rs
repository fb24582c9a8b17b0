//! Discord's gateway: the connection, its events, and the commands as poise registers and parses them.
//!
//! This folder is the only place that names serenity and poise (`tests/it/architecture.rs` checks it). What comes in
//! leaves as plain data: guilds into the [`GuildCache`](crate::bot::guild_cache::GuildCache), interactions to the
//! [`router`](crate::bot::router), each with a [`Responder`](crate::bot::responder::Responder).

mod callback;
pub(super) mod command;
mod forward;
mod guild;
mod http;
mod incoming;
mod interaction_sink;
mod lenient;
mod listener;
pub(super) mod session;
mod watch;
