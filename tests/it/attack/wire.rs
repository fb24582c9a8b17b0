//! HTTP as bytes on a socket, to say what no HTTP library would.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Harness, within};

pub struct HttpTransport {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer, or the end of the connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl HttpTransport {
    pub async fn to(t: &Harness) -> Self {
        Self::connect(t.address()).await
    }

    pub async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), received: Vec::new() }
    }

    /// Sends bytes. A server that has closed already may have heard enough.
    pub async fn says(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Whether the bytes could be sent: the server has not closed.
    pub async fn can_say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Says that nothing more will come, and goes on listening.
    pub async fn hangs_up_half(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// The next answer; `None` if the server closes without one.
    pub async fn hears(&mut self) -> Option<Heard> {
        within("an answer or the end of the connection", async {
            loop {
                if let Some((heard, length)) = parse(&self.received) {
                    self.received.drain(..length);
                    return Some(heard);
                }
                if !self.more().await {
                    return None;
                }
            }
        })
        .await
    }

    /// The next answer's status; 0 if the server closes without one.
    pub async fn hears_status(&mut self) -> u16 {
        self.hears().await.map_or(0, |heard| heard.status)
    }

    /// Waits for the server to close; gives back what it said before.
    pub async fn is_closed(&mut self) -> String {
        within("the server to close the connection", async { while self.more().await {} }).await;
        String::from_utf8_lossy(&std::mem::take(&mut self.received)).into_owned()
    }

    /// Whether the server has closed by now, as far as has been heard.
    pub fn was_closed(&mut self) -> bool {
        let mut byte = [0];
        match self.stream.try_read(&mut byte) {
            Ok(0) => true,
            Ok(_) => {
                self.received.push(byte[0]);
                false
            }
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }

    async fn more(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer).await {
            Ok(0) | Err(_) => false,
            Ok(read) => {
                self.received.extend_from_slice(&buffer[..read]);
                true
            }
        }
    }
}

fn parse(bytes: &[u8]) -> Option<(Heard, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head
        .split("content-length: ")
        .nth(1)
        .map_or(0, |rest| rest.split("\r\n").next().unwrap_or_default().parse().unwrap_or(0));
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = bytes.get(end..end + length)?;
    let heard = Heard { status, head, body: String::from_utf8_lossy(body).into_owned() };
    Some((heard, end + length))
}
