//! Received gateway payloads, for tests and the page.

use serde::Serialize;
use serde_json::Value;

use super::command::Envelope;
use crate::clock::Timestamp;

/// One payload from a client.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Received {
    /// When it arrived.
    #[serde(skip)]
    pub at: Timestamp,
    /// The number of the connection it came on, starting at 1.
    pub connection: u64,
    /// The opcode (Discord: "Gateway Opcodes").
    pub op: u64,
    /// The data of the payload; a token in it is `***`.
    pub d: Value,
}

impl Received {
    pub(super) fn new(at: Timestamp, connection: u64, envelope: &Envelope) -> Self {
        let mut d = envelope.d.clone();
        if let Some(token) = d.get_mut("token") {
            *token = "***".into();
        }
        Self { at, connection, op: envelope.op, d }
    }
}
