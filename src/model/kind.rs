//! Event kinds, in the source's words.

use std::borrow::Cow;
use std::fmt;

/// An event kind in the source's words: `ticket.created`. At most 128 characters of `[A-Za-z0-9_.:-]`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Kind(String);

impl Kind {
    /// Stands in for a kind that is missing or cannot be displayed.
    pub const UNKNOWN: &'static str = "unknown";
    const MAX_LEN: usize = 128;

    /// Parses the sender's text. An invalid kind becomes [`Kind::UNKNOWN`]; the raw body keeps the original.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let fits = (1..=Self::MAX_LEN).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte));
        Self(if fits { text } else { Self::UNKNOWN }.to_owned())
    }

    /// As the sender wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The canonical form, which comparisons use: `ticket_created`, `Ticket.Created` and `ticket.created` are one
    /// kind.
    #[must_use]
    pub fn canonical(&self) -> Cow<'_, str> {
        canonical(&self.0)
    }
}

/// See [`Kind::canonical`].
#[must_use]
pub(crate) fn canonical(text: &str) -> Cow<'_, str> {
    // Nearly every sender uses this form already, and this runs many times for every event.
    if text.bytes().any(|byte| byte == b'_' || byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase().replace('_', "."))
    } else {
        Cow::Borrowed(text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
