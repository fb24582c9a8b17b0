//! Signed requests that may still be spoilt, as bytes.

use nuncio::secret::Secret;
use nuncio::signature;

use crate::attack::wire::{Heard, HttpTransport};
use crate::harness::{Harness, SECRET};

pub const TICKET: &str = r#"{"event_type":"ticket.created","data":{"id":"t","seq_id":7,"title":"Printer"}}"#;

/// One request to the webhook.
#[derive(Clone)]
pub struct Post {
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Post {
    /// Signed rightly, with the present time.
    pub fn signed(t: &Harness, body: impl Into<Vec<u8>>) -> Self {
        Self::signed_at(&t.clock.now().as_secs().to_string(), body)
    }

    pub fn signed_at(timestamp: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let signature = sign(SECRET, timestamp, &body);
        Self::bare(body).with("X-XTSystems-Timestamp", timestamp).with("X-XTSystems-Signature", signature)
    }

    /// Without any signature.
    pub fn bare(body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self {
            path: "/webhooks/xtsystems".to_owned(),
            headers: vec![
                ("Host".to_owned(), b"nuncio".to_vec()),
                ("Content-Length".to_owned(), body.len().to_string().into_bytes()),
            ],
            body,
        }
    }

    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// The same with the header replaced.
    pub fn but(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.with(name, value)
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    pub fn at_path(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    /// The head, the empty line at its end included.
    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("POST {} HTTP/1.1\r\n", self.path).into_bytes();
        for (name, value) in &self.headers {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }

    pub fn bytes(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }

    /// Sends it on a connection of its own.
    pub async fn send(&self, t: &Harness) -> Option<Heard> {
        let mut wire = HttpTransport::to(t).await;
        self.send_on(&mut wire).await
    }

    pub async fn send_on(&self, wire: &mut HttpTransport) -> Option<Heard> {
        wire.says(self.bytes()).await;
        wire.hears().await
    }
}

pub fn sign(secret: &str, timestamp: &str, body: &[u8]) -> String {
    signature::sign(&Secret::new(secret), &[timestamp.as_bytes(), body])
}

/// A good request is accepted, as a new event.
pub async fn a_good_one_is_accepted(t: &Harness) {
    let heard = Post::signed(t, TICKET).send(t).await.expect("a good request is answered");
    assert_eq!(heard.status, 200, "{heard:?}");
}

/// Nothing that was sent so far has left a row.
pub async fn assert_no_rows(t: &Harness) {
    assert_eq!(t.store().recent(10).await.unwrap().len(), 0);
    assert_eq!(t.store().quarantined().await.unwrap(), 0);
    assert_eq!(t.store().backlog().await.unwrap(), nuncio::model::Backlog::default());
}
