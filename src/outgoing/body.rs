//! Reads response bodies, each up to a limit: a server that never stops sending must not fill the memory.

use reqwest::Response;

use super::cause;

/// More than any answer of a nuncio, in bytes.
pub const NUNCIO_LIMIT: usize = 64 * 1024;

/// A body that was not read to its end.
#[derive(Debug, thiserror::Error)]
#[error("{fault}")]
pub struct BodyError {
    /// The bytes before that, at most the limit.
    pub read: Vec<u8>,
    /// What happened.
    pub fault: BodyFault,
}

/// Why a body was not read to its end. `Display` explains it to the operator, without any part of the body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// It is larger than the limit, in bytes.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It did not end before the client's deadline.
    #[error("the answer did not end in time")]
    TooSlow,
    /// The connection closed before its end.
    #[error("the answer broke off: {0}")]
    BrokeOff(String),
}

/// Reads the body of `response`, at most `limit` bytes. The deadline is the client's: it covers the whole request, however
/// often a byte arrives.
///
/// # Errors
/// The body did not end within the limit and the deadline. The error keeps what was read.
pub async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut read = Vec::new();
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(read),
            Err(error) if error.is_timeout() => {
                return Err(BodyError { read, fault: BodyFault::TooSlow });
            }
            Err(error) => return Err(BodyError { read, fault: BodyFault::BrokeOff(cause(&error)) }),
        };
        let fits = chunk.len().min(limit - read.len());
        read.extend_from_slice(&chunk[..fits]);
        if fits < chunk.len() {
            return Err(BodyError { read, fault: BodyFault::TooLarge(limit) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::outgoing::{Outgoing, USER_AGENT};

    const PATIENT: Duration = Duration::from_secs(60);

    /// The response of a server that sends `head` and `body`, and then, if it `trickles`, one byte at a time without end.
    async fn response(head: &str, body: &[u8], trickles: bool, deadline: Duration) -> Response {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let bytes = [b"HTTP/1.1 200 OK\r\n", head.as_bytes(), b"\r\n", body].concat();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(&bytes).await.unwrap();
            while trickles && stream.write_all(b"x").await.is_ok() {
                tokio::task::yield_now().await;
            }
        });
        let http = Outgoing::new(USER_AGENT, deadline, true).client().unwrap();
        http.get(format!("http://{address}/")).send().await.unwrap()
    }

    // Control: without the comparison with the limit, the whole body is read.
    #[tokio::test]
    async fn a_body_is_read_up_to_the_limit() {
        for (length, is_whole) in [(0, true), (1000, true), (1001, false), (100_000, false)] {
            let (head, body) = (format!("Content-Length: {length}\r\n"), vec![b'x'; length]);
            let read = read_body(response(&head, &body, false, PATIENT).await, 1000).await;
            match read {
                Ok(read) => assert!(is_whole && read == body, "{length}"),
                Err(error) => {
                    assert!(!is_whole, "{length}");
                    assert_eq!((error.read.len(), &error.fault), (1000, &BodyFault::TooLarge(1000)));
                    assert_eq!(error.to_string(), "the answer is larger than 1000 bytes");
                }
            }
        }
    }

    // Control: with the error taken for the end, half a body counts as whole.
    #[tokio::test]
    async fn a_body_that_stops_half_way_is_not_whole() {
        let response = response("Content-Length: 10\r\n", b"01234", false, PATIENT).await;
        let error = read_body(response, 1000).await.unwrap_err();
        assert_eq!(error.read, b"01234");
        assert!(matches!(error.fault, BodyFault::BrokeOff(_)), "{error}");
    }

    // Control: with a deadline for each read instead of one for all, it never ends.
    #[tokio::test]
    async fn a_body_that_trickles_ends_at_the_deadline() {
        let response = response("", b"", true, Duration::from_secs(2)).await;
        let error = read_body(response, usize::MAX).await.unwrap_err();
        assert_eq!(error.fault, BodyFault::TooSlow);
        assert!(!error.read.is_empty(), "it was read until then");
    }
}
