//! HTTP/1.1 message framing: where requests begin and end in a connection's bytes, as strictly as a proxy in front of
//! us may read them.
//!
//! hyper forgives a lot: a length beside `Transfer-Encoding`, a repeated length, lines that end in a bare line
//! feed. Two parsers that forgive differently see different requests in the same bytes (request smuggling), so this
//! one forgives nothing: anything ambiguous gets a 400 and the connection closes. Works on bytes, without sockets or
//! time; keeps at most one head.

/// Maximum size of a request's head, in bytes.
pub(super) const HEAD_BYTES: usize = 32 * 1024;
/// Typical upper bound of a head's size, in bytes.
const USUAL_HEAD: usize = 512;

/// Follows the framing of one connection. Needs every byte that arrives.
#[derive(Debug)]
pub struct Framing {
    at: Position,
    /// Number of complete heads so far.
    heads: u64,
    /// The number of the first request that is not trusted, and why. All later ones are not trusted either.
    flaw: Option<(u64, Flaw)>,
}

/// The parser's position in the stream.
#[derive(Debug)]
enum Position {
    /// In a head; these bytes of it have arrived.
    Head(Vec<u8>),
    /// In a body with this many bytes left.
    Body(u64),
    /// In bytes that are not parsed: a chunked body, or the rest of a connection that is not trusted.
    Rest,
}

/// Why a request is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A line of the head ends in a bare line feed.
    #[error("a line of its head ends without a carriage return")]
    BareLineFeed,
    /// `Content-Length` and `Transfer-Encoding` are both present, or one of them twice.
    #[error("its head gives the length of the body twice")]
    TwoLengths,
    /// `Content-Length` is not a number.
    #[error("its Content-Length is no number")]
    BadLength,
    /// `Transfer-Encoding` is not `chunked`.
    #[error("its Transfer-Encoding is not chunked")]
    UnknownCoding,
    /// The head exceeds 32 KiB.
    #[error("its head is longer than 32 KiB")]
    LongHead,
}

/// How to handle a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramingResult {
    /// Answer it.
    Valid,
    /// Answer it, then close: its end is not tracked.
    ValidThenClose,
    /// Respond 400, then close.
    Ambiguous(Flaw),
}

impl Default for Framing {
    fn default() -> Self {
        Self { at: Position::Head(Vec::new()), heads: 0, flaw: None }
    }
}

impl Framing {
    /// Parses the next bytes of the connection.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match &mut self.at {
                Position::Rest => return,
                Position::Body(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= taken as u64;
                    bytes = &bytes[taken..];
                    if *left == 0 {
                        self.at = Position::Head(Vec::new());
                    }
                }
                Position::Head(head) => {
                    if head.is_empty() {
                        // RFC 9112, 2.2: empty lines before a request are ignored.
                        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                        bytes = &bytes[blank..];
                        // Most heads arrive in one piece, with their body.
                        head.reserve(bytes.len().min(USUAL_HEAD));
                    }
                    match grow(head, &mut bytes) {
                        Ok(false) => {}
                        Ok(true) => {
                            self.heads += 1;
                            match body_of(head) {
                                Ok(Some(0)) => self.at = Position::Head(Vec::new()),
                                Ok(Some(length)) => self.at = Position::Body(length),
                                Ok(None) => self.at = Position::Rest,
                                Err(flaw) => self.distrust(self.heads - 1, flaw),
                            }
                        }
                        Err(flaw) => self.distrust(self.heads, flaw),
                    }
                }
            }
        }
    }

    fn distrust(&mut self, from: u64, flaw: Flaw) {
        self.flaw = Some((from, flaw));
        self.at = Position::Rest;
    }

    /// How to handle the request with this number, counted from 0 in the order of their heads.
    #[must_use]
    pub fn result(&self, request: u64) -> FramingResult {
        match (self.flaw, &self.at) {
            (Some((from, flaw)), _) if request >= from => FramingResult::Ambiguous(flaw),
            (None, Position::Rest) if request + 1 >= self.heads => FramingResult::ValidThenClose,
            _ => FramingResult::Valid,
        }
    }

    /// Whether every request so far is complete, and no byte of the next one has arrived.
    #[must_use]
    pub fn is_between_requests(&self) -> bool {
        matches!(&self.at, Position::Head(head) if head.is_empty())
    }

    /// Whether part of a head has arrived.
    #[must_use]
    pub fn is_in_head(&self) -> bool {
        matches!(&self.at, Position::Head(head) if !head.is_empty())
    }
}

/// Moves bytes into `head` up to its end; true if the end was reached.
fn grow(head: &mut Vec<u8>, bytes: &mut &[u8]) -> Result<bool, Flaw> {
    while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
        let (line, rest) = bytes.split_at(at + 1);
        *bytes = rest;
        if head.len() + line.len() > HEAD_BYTES {
            return Err(Flaw::LongHead);
        }
        head.extend_from_slice(line);
        if !head.ends_with(b"\r\n") {
            return Err(Flaw::BareLineFeed);
        }
        if head.ends_with(b"\r\n\r\n") {
            return Ok(true);
        }
    }
    if head.len() + bytes.len() > HEAD_BYTES {
        return Err(Flaw::LongHead);
    }
    head.extend_from_slice(bytes);
    *bytes = &[];
    Ok(false)
}

/// The body's length according to `head`; `None` if it is chunked.
fn body_of(head: &[u8]) -> Result<Option<u64>, Flaw> {
    let (mut length, mut coding) = (None, None);
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        let field = if name.eq_ignore_ascii_case(b"content-length") {
            &mut length
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            &mut coding
        } else {
            continue;
        };
        if field.replace(value).is_some() {
            return Err(Flaw::TwoLengths);
        }
    }
    match (length, coding) {
        (Some(_), Some(_)) => Err(Flaw::TwoLengths),
        (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(None),
        (None, Some(_)) => Err(Flaw::UnknownCoding),
        (Some(length), None) => {
            // Digits first: "+5" would parse.
            let digits = (!length.is_empty() && length.iter().all(u8::is_ascii_digit)).then_some(length);
            let number = digits.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
            number.map(Some).ok_or(Flaw::BadLength)
        }
        (None, None) => Ok(Some(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(bytes: &[u8]) -> Framing {
        let mut framing = Framing::default();
        framing.feed(bytes);
        framing
    }

    // I-11
    #[rstest::rstest]
    #[case("Content-Length: 2\r\n", "{}", FramingResult::Valid)]
    #[case("", "", FramingResult::Valid)]
    #[case("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", FramingResult::ValidThenClose)]
    #[case("transfer-encoding:CHUNKED\r\n", "", FramingResult::ValidThenClose)]
    #[case(
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "",
        FramingResult::Ambiguous(Flaw::TwoLengths)
    )]
    #[case(
        "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
        "",
        FramingResult::Ambiguous(Flaw::TwoLengths)
    )]
    #[case("Content-Length: 2\r\nContent-Length: 2\r\n", "", FramingResult::Ambiguous(Flaw::TwoLengths))]
    #[case("Transfer-Encoding: gzip, chunked\r\n", "", FramingResult::Ambiguous(Flaw::UnknownCoding))]
    #[case("Content-Length: 2, 2\r\n", "", FramingResult::Ambiguous(Flaw::BadLength))]
    #[case("Content-Length: +2\r\n", "", FramingResult::Ambiguous(Flaw::BadLength))]
    #[case("Content-Length:\r\n", "", FramingResult::Ambiguous(Flaw::BadLength))]
    #[case("A: b\nContent-Length: 2\r\n", "", FramingResult::Ambiguous(Flaw::BareLineFeed))]
    fn heads(#[case] lines: &str, #[case] body: &str, #[case] result: FramingResult) {
        let text = format!("POST / HTTP/1.1\r\nHost: x\r\n{lines}\r\n{body}");
        assert_eq!(fed(text.as_bytes()).result(0), result, "{text}");
        // Byte by byte, the result does not change.
        let mut framing = Framing::default();
        for byte in text.as_bytes() {
            framing.feed(std::slice::from_ref(byte));
        }
        assert_eq!(framing.result(0), result, "{text}");
    }

    #[test]
    fn requests_are_told_apart() {
        let one = "\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
        let mut framing = fed(one.repeat(3).as_bytes());
        assert_eq!((framing.heads, framing.is_between_requests()), (3, true));
        framing.feed(b"GET / HTTP/1.1\r\n");
        assert!(framing.is_in_head());
        framing.feed(b"X: y\n");
        assert_eq!(framing.result(2), FramingResult::Valid);
        assert_eq!(framing.result(3), FramingResult::Ambiguous(Flaw::BareLineFeed));
        assert!(!framing.is_in_head() && !framing.is_between_requests());
    }

    #[test]
    fn a_head_without_end_is_not_kept() {
        let mut framing = fed(b"GET / HTTP/1.1\r\nX: ");
        for _ in 0..100 {
            framing.feed(&[b'x'; 1000]);
        }
        assert_eq!(framing.result(0), FramingResult::Ambiguous(Flaw::LongHead));
        assert!(matches!(framing.at, Position::Rest));
    }

    proptest::proptest! {
        #[test]
        fn pieces_do_not_matter(bytes in proptest::collection::vec(proptest::prop_oneof![
            proptest::prelude::Just(b'\r'), proptest::prelude::Just(b'\n'), proptest::prelude::any::<u8>()
        ], 0..400), cut in 0_usize..400) {
            let (whole, mut parts) = (fed(&bytes), Framing::default());
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            parts.feed(first);
            parts.feed(second);
            proptest::prop_assert_eq!(whole.result(0), parts.result(0));
            proptest::prop_assert_eq!(whole.heads, parts.heads);
        }
    }
}
