//! What clients sent, as tests and the page read it.

use serde::Serialize;
use serde_json::Value;

use super::command::Envelope;
use crate::clock::Timestamp;

/// One payload from a client.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Received {
    /// When it came.
    #[serde(skip)]
    pub at: Timestamp,
    /// Which connection it came on; connections are counted from 1.
    pub connection: u64,
    /// The opcode (Discord: "Gateway Opcodes").
    pub op: u64,
    /// Its data; a token in it is `***`.
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
