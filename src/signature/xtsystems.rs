//! XTSystems' webhook signature: `sha256=<hex HMAC-SHA256(secret, timestamp ++ body)>`, and the reasons to refuse one.
//!
//! There is no separator between timestamp and body, so `("1700000000", "5{…")` and `("17000000005", "{…")` have one
//! MAC. Exactly ten digits are therefore required, and a body that begins with `{`: one MAC then has one reading.
//!
//! A [`SignatureError`] is for the operator's log; the code that responds decides what a sender may know.

use std::fmt;

use crate::clock::Timestamp;
use crate::secret::Secret;
use crate::signature;

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "X-XTSystems-Signature";
/// The header with the time of signing: Unix seconds.
pub const TIMESTAMP_HEADER: &str = "X-XTSystems-Timestamp";
/// Maximum difference between the time of signing and ours, either way and inclusive, in seconds.
pub const WINDOW_SECS: i64 = 300;

const PREFIX: &[u8] = b"sha256=";
const HEX_DIGITS: usize = 64;

/// Why a request is refused. `Display` explains it to the operator, without any part of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SignatureError {
    /// The timestamp's header is missing or empty.
    #[error("no timestamp: the sender does not sign, or a proxy dropped {TIMESTAMP_HEADER}")]
    NoTimestamp,
    /// The signature's header is missing or empty.
    #[error("no signature: the webhook has no secret in XTSystems, or a proxy dropped {SIGNATURE_HEADER}")]
    NoSignature,
    /// A header was sent twice; which one counts would be a guess. The caller checks for it: here each comes once.
    #[error("{0} was sent twice")]
    Doubled(&'static str),
    /// The timestamp is not ten digits.
    #[error("{}", malformed_timestamp(*digits, *looks_like_millis))]
    MalformedTimestamp {
        /// Number of digits; `None` if it contains anything else.
        digits: Option<usize>,
        /// Whether it has the length of milliseconds.
        looks_like_millis: bool,
    },
    /// The timestamp is too far from the time of arrival.
    #[error("{}", outside_window(*seconds_behind))]
    OutsideWindow {
        /// How far the sender's clock is behind ours, in seconds; negative if ahead.
        seconds_behind: i64,
    },
    /// The signature is malformed.
    #[error("signature is malformed: {0}")]
    MalformedSignature(SignatureFault),
    /// The MAC was made with another secret or from other bytes.
    #[error("signature does not match (another secret, or a proxy changed the body)")]
    Mismatch,
    /// The signature is valid, but the body does not begin with `{`: it is no event, and not trustworthy either, since
    /// such a body's signature may belong to another timestamp and body.
    #[error("signature matches, but the body does not begin with {{")]
    BodyNotAnObject,
}

/// Why a signature is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureFault {
    /// It does not begin with `sha256=`.
    NoPrefix,
    /// Number of characters after the prefix, if it is not 64.
    Length(usize),
    /// It has 64 characters, but not only hex digits.
    NotHex,
}

impl fmt::Display for SignatureFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPrefix => f.write_str("it does not begin with sha256="),
            Self::Length(length) => {
                write!(f, "{length} characters after sha256=, {HEX_DIGITS} hex digits are expected")
            }
            Self::NotHex => f.write_str("it holds something other than hex digits"),
        }
    }
}

fn malformed_timestamp(digits: Option<usize>, looks_like_millis: bool) -> String {
    match digits {
        Some(digits) if looks_like_millis => {
            format!("timestamp has {digits} digits: milliseconds, seconds are expected")
        }
        Some(1) => "timestamp has one digit, ten are expected".to_owned(),
        Some(digits) => format!("timestamp has {digits} digits, ten are expected"),
        None => "timestamp holds something other than digits; ten digits are expected".to_owned(),
    }
}

fn outside_window(seconds_behind: i64) -> String {
    let side = if seconds_behind < 0 { "ahead of" } else { "behind" };
    format!("{} {side} our clock: check NTP on both machines", span(seconds_behind.unsigned_abs()))
}

/// `5 min 1 s`, `2 h 3 min`, `4 d 5 h`: the window is 5 min, so seconds alone never occur.
fn span(seconds: u64) -> String {
    let (large, unit, small, rest) = match seconds {
        0..3600 => (seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => (seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => (seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    };
    if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {rest}") }
}

/// Verifies a request: `timestamp` and `signature` are the headers' values (empty if missing), `received_at` is when
/// the headers had arrived, so that a slow body does not stretch the window.
///
/// # Errors
/// The first reason to refuse it, in this order: missing headers, the timestamp's form, its distance from
/// `received_at`, the signature's form, the MAC, the body.
pub fn check(
    secret: &Secret,
    timestamp: &[u8],
    signature: &[u8],
    body: &[u8],
    received_at: Timestamp,
) -> Result<(), SignatureError> {
    if signature.is_empty() {
        return Err(SignatureError::NoSignature);
    }
    check_timestamp(timestamp, received_at)?;
    check_signature(secret, timestamp, signature, body)?;
    check_body(body)
}

/// Checks the timestamp alone: exactly ten ASCII digits, at most [`WINDOW_SECS`] from `received_at`.
///
/// # Errors
/// The reason to refuse it.
pub fn check_timestamp(timestamp: &[u8], received_at: Timestamp) -> Result<(), SignatureError> {
    if timestamp.is_empty() {
        return Err(SignatureError::NoTimestamp);
    }
    let digits = timestamp.iter().all(u8::is_ascii_digit).then_some(timestamp.len());
    // Digits first: "+1700000000" would parse.
    let seconds = match digits {
        Some(10) => std::str::from_utf8(timestamp).ok().and_then(|text| text.parse::<i64>().ok()),
        _ => None,
    };
    let Some(seconds) = seconds else {
        return Err(SignatureError::MalformedTimestamp { digits, looks_like_millis: digits == Some(13) });
    };
    let seconds_behind = received_at.as_secs().saturating_sub(seconds);
    if seconds_behind.abs() > WINDOW_SECS {
        return Err(SignatureError::OutsideWindow { seconds_behind });
    }
    Ok(())
}

/// Checks the signature alone: its form, then its MAC. Takes constant time, wherever the MAC differs.
///
/// # Errors
/// The reason to refuse it.
pub fn check_signature(
    secret: &Secret,
    timestamp: &[u8],
    signature: &[u8],
    body: &[u8],
) -> Result<(), SignatureError> {
    if signature.is_empty() {
        return Err(SignatureError::NoSignature);
    }
    let fault = match signature.strip_prefix(PREFIX) {
        None => Some(SignatureFault::NoPrefix),
        Some(digits) if digits.len() != HEX_DIGITS => Some(SignatureFault::Length(digits.len())),
        Some(digits) if !digits.iter().all(u8::is_ascii_hexdigit) => Some(SignatureFault::NotHex),
        Some(_) => None,
    };
    if let Some(fault) = fault {
        return Err(SignatureError::MalformedSignature(fault));
    }
    if signature::verify(secret, &[timestamp, body], signature) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// Checks that the body begins like a JSON object.
///
/// # Errors
/// [`SignatureError::BodyNotAnObject`].
pub fn check_body(body: &[u8]) -> Result<(), SignatureError> {
    if body.starts_with(b"{") { Ok(()) } else { Err(SignatureError::BodyNotAnObject) }
}

/// A common mistake that explains a signature mismatch. `Display` describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// The signature is that of the body without the line break at its end.
    #[error(
        "it matches without the line break at the body's end: an editor or `echo` added it (`printf '%s'` does not)"
    )]
    LineBreakAdded,
    /// The signature is that of the body alone.
    #[error("it matches the body alone: the sender leaves the timestamp out of what it signs")]
    TimestampLeftOut,
    /// The signature is that of timestamp, dot, body.
    #[error("it matches with a dot between timestamp and body: XTSystems signs them without one")]
    DotBetween,
}

/// Tries the common mistakes on a signature that did not match. For diagnosis on request: it costs several MACs.
#[must_use]
pub fn mistake(secret: &Secret, timestamp: &[u8], signature: &[u8], body: &[u8]) -> Option<Mistake> {
    let matches = |parts: &[&[u8]]| signature::verify(secret, parts, signature);
    let without_break = body.strip_suffix(b"\n").map(|body| body.strip_suffix(b"\r").unwrap_or(body));
    if without_break.is_some_and(|body| matches(&[timestamp, body])) {
        Some(Mistake::LineBreakAdded)
    } else if matches(&[body]) {
        Some(Mistake::TimestampLeftOut)
    } else if matches(&[timestamp, b".", body]) {
        Some(Mistake::DotBetween)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
