//! Findings: why requests were refused, and how often.

use crate::clock::Timestamp;

/// Reason for a report about an incoming request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finding {
    /// The signature or the timestamp is missing.
    Unsigned,
    /// A signature header is present twice.
    Ambiguous,
    /// The timestamp is not ten digits.
    MalformedTimestamp,
    /// The sender's clock differs too much from ours, or an old request was sent again too late.
    Skewed,
    /// The signature is malformed.
    MalformedSignature,
    /// The signature does not match: another secret, or other bytes.
    Mismatch,
    /// Accepted, but signed with the previous secret.
    PreviousSecret,
    /// Signed, but not a valid event: it is in quarantine.
    Unreadable,
    /// The body is larger than `WEBHOOK_BODY_LIMIT`.
    TooLarge,
    /// The body is compressed, or its declared type is not JSON.
    UnsupportedMedia,
    /// The body did not arrive in time, or was incomplete.
    TooSlow,
    /// The address sent too many requests that fail verification (or too many at all).
    RateLimited,
    /// No source is configured at this path.
    UnknownSource,
    /// Invalid HTTP: a duplicate length, a bare line feed.
    Malformed,
    /// The store could not accept an event.
    NotStored,
    /// No memory was left for a large body.
    NoRoom,
    /// The operating system failed to accept a connection.
    NotAccepted,
    /// The signature or token belongs to another sender than this path's.
    Foreign,
}

impl Finding {
    /// All findings.
    pub const ALL: [Self; 18] = [
        Self::Unsigned,
        Self::Ambiguous,
        Self::MalformedTimestamp,
        Self::Skewed,
        Self::MalformedSignature,
        Self::Mismatch,
        Self::PreviousSecret,
        Self::Unreadable,
        Self::TooLarge,
        Self::UnsupportedMedia,
        Self::TooSlow,
        Self::RateLimited,
        Self::UnknownSource,
        Self::Malformed,
        Self::NotStored,
        Self::NoRoom,
        Self::NotAccepted,
        Self::Foreign,
    ];

    /// The name in metrics and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Ambiguous => "ambiguous_header",
            Self::MalformedTimestamp => "malformed_timestamp",
            Self::Skewed => "clock_skew",
            Self::MalformedSignature => "malformed_signature",
            Self::Mismatch => "signature_mismatch",
            Self::PreviousSecret => "previous_secret",
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::UnsupportedMedia => "unsupported_media",
            Self::TooSlow => "too_slow",
            Self::RateLimited => "rate_limited",
            Self::UnknownSource => "unknown_source",
            Self::Malformed => "malformed_request",
            Self::NotStored => "not_stored",
            Self::NoRoom => "no_room",
            Self::NotAccepted => "not_accepted",
            Self::Foreign => "foreign_signature",
        }
    }

    /// Whether the request was refused.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        !matches!(self, Self::PreviousSecret)
    }
}

/// How many requests came from an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressCount {
    /// The IP address, as text.
    pub address: String,
    /// Count in the last 24 hours (to ten minutes).
    pub last_day: u64,
}

/// Statistics of one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// The reason.
    pub finding: Finding,
    /// Count in the last hour (to ten minutes).
    pub last_hour: u64,
    /// Count in the last 24 hours (to ten minutes).
    pub last_day: u64,
    /// Time of the most recent one.
    pub last_at: Timestamp,
    /// The most recent report's sentence.
    pub sentence: String,
    /// The most recent sender's IP address, as text.
    pub last_from: String,
    /// The addresses that most of the last 24 hours' requests came from, most first; at most eight.
    pub addresses: Vec<AddressCount>,
    /// How many seconds the most recent sender's clock was behind ours; negative if ahead. `None` if not measurable.
    pub seconds_behind: Option<i64>,
}

impl Findings {
    /// How many of the last 24 hours' requests came from an address that is not listed.
    #[must_use]
    pub fn from_others(&self) -> u64 {
        self.last_day.saturating_sub(self.addresses.iter().map(|count| count.last_day).sum())
    }
}
