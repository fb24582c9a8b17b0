//! **nuncio**: signed events in, Discord messages out, decisions back.
//!
//! Everything that happens is an *event*. It enters by one door, is committed together with its *deliveries*; the
//! *lane* of each destination turns deliveries into *messages*, sends them, and records every *attempt*.
//!
//! The rooms, each importing only from those to its right (`tests/it/architecture.rs` holds them to it):
//!
//! ```text
//! cli → setup → { app doctor } → { api console ingress bot dispatch demo } → discord_webhooks → { hub discord xtsystems }
//!           → { store render }
//!           → config → { model sandbox } → { clock key outgoing secret signature telemetry }
//! ```

pub mod api;
pub mod app;
pub mod bot;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod demo;
pub mod discord;
pub mod discord_webhooks;
pub mod dispatch;
pub mod doctor;
pub mod hub;
pub mod ingress;
pub mod key;
pub mod model;
pub mod outgoing;
pub mod render;
pub mod samples;
pub mod sandbox;
pub mod secret;
pub mod setup;
pub mod signature;
pub mod store;
pub mod telemetry;
pub mod xtsystems;
