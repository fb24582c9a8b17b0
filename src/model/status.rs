//! Status and configuration of a running nuncio, as the entrances show them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::model::{Backlog, Findings, GatewayState, Mute, Problem, Tally};

/// The endpoint for webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// The listening address.
    pub address: SocketAddr,
    /// The path that XTSystems posts to.
    pub path: String,
}

/// Current state of this nuncio, in numbers.
#[derive(Clone, Debug)]
pub struct SystemStatus {
    /// Version of nuncio.
    pub version: &'static str,
    /// Uptime of this process.
    pub uptime: Duration,
    /// The endpoint for webhooks; `None` if this process does not serve.
    pub endpoint: Option<WebhookEndpoint>,
    /// The database file.
    pub database: PathBuf,
    /// Size of the database with its write-ahead log, in bytes.
    pub database_bytes: u64,
    /// State of the gateway session.
    pub gateway: GatewayState,
    /// Waiting deliveries and events.
    pub backlog: Backlog,
    /// Start of the longest wait of any delivery.
    pub oldest: Option<Timestamp>,
    /// Kind and time of the newest event.
    pub newest: Option<(String, Timestamp)>,
    /// Refused webhooks of the last 24 hours, by reason, most frequent first.
    pub refusals: Vec<Findings>,
    /// Statistics of the last 24 hours.
    pub lately: Tally,
    /// Mutes in effect.
    pub mutes: Vec<Mute>,
    /// Current problems.
    pub problems: Vec<Problem>,
}

/// Overview of the configuration.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The endpoint for webhooks; `None` if this process does not serve.
    pub endpoint: Option<WebhookEndpoint>,
    /// Kinds that have a card layout of their own.
    pub kinds: Vec<&'static str>,
    /// The map's keys, with the ids of their channels and stored destinations. An empty list discards the events on
    /// purpose.
    pub map: Vec<(String, Vec<String>)>,
    /// The map in readable lines, with current obstacles.
    pub table: Vec<String>,
}
