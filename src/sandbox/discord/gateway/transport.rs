//! The form in which payloads travel: JSON as text, or compressed (Discord: "Encoding and Compression").

use std::io::Write as _;

use axum::extract::ws::Message;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::Value;

/// Payloads from this size on are compressed one by one for who said in IDENTIFY that it takes that.
const WORTH_COMPRESSING: usize = 1024;

/// One direction of one connection.
pub(super) enum Transport {
    /// Text, or single payloads compressed.
    Plain,
    /// `compress=zlib-stream`: one zlib stream for the whole connection, flushed after each payload, so that every
    /// message ends with `00 00 FF FF`.
    Zlib(Box<ZlibEncoder<Vec<u8>>>),
}

impl Transport {
    /// What the connection's address asks for; anything unknown means plain.
    pub(super) fn asked(compress: Option<&str>) -> Self {
        match compress {
            Some("zlib-stream") => Self::Zlib(Box::new(ZlibEncoder::new(Vec::new(), Compression::default()))),
            _ => Self::Plain,
        }
    }

    /// A payload as it goes over the wire; `single` if it may be compressed by itself.
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
