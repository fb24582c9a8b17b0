//! Payload transport: JSON text, or compressed (Discord: "Encoding and Compression").

use std::io::Write as _;

use axum::extract::ws::Message;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::Value;

/// Payloads of at least this many bytes are compressed singly for clients that requested that in IDENTIFY.
const WORTH_COMPRESSING: usize = 1024;

/// The outgoing encoding of one connection.
pub(super) enum Transport {
    /// Text, or payloads compressed singly.
    Plain,
    /// `compress=zlib-stream`: one zlib stream for the whole connection, flushed after each payload, so that every
    /// message ends with `00 00 FF FF`.
    Zlib(Box<ZlibEncoder<Vec<u8>>>),
}

impl Transport {
    /// The transport that the connection's address requests; an unknown value means plain.
    pub(super) fn requested(compress: Option<&str>) -> Self {
        match compress {
            Some("zlib-stream") => Self::Zlib(Box::new(ZlibEncoder::new(Vec::new(), Compression::default()))),
            _ => Self::Plain,
        }
    }

    /// Encodes a payload; `single` if it may be compressed by itself.
    pub(super) fn pack(&mut self, payload: &Value, single: bool) -> std::io::Result<Message> {
        let text = payload.to_string();
        Ok(match self {
            Self::Zlib(stream) => {
                stream.write_all(text.as_bytes())?;
                stream.flush()?;
                Message::Binary(std::mem::take(stream.get_mut()).into())
            }
            Self::Plain if single && text.len() >= WORTH_COMPRESSING => {
                let mut whole = ZlibEncoder::new(Vec::new(), Compression::default());
                whole.write_all(text.as_bytes())?;
                Message::Binary(whole.finish()?.into())
            }
            Self::Plain => Message::Text(text.into()),
        })
    }
}
