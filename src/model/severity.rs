//! How bad it is.

use std::fmt;

/// Severities in rising order. Words of other systems are read as contract 3 says: low is info, medium is warning,
/// high is error, fatal and emergency are critical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Will need somebody.
    Warning,
    /// Needs somebody.
    Error,
    /// Needs somebody now.
    Critical,
}

impl Severity {
    /// The fields in which events say it, the first that is there counts.
    pub const NAMES: [&str; 3] = ["severity", "level", "priority"];
    const WORDS: [(Self, &[&str]); 4] = [
        (Self::Info, &["info", "information", "informational", "notice", "low", "debug", "ok"]),
        (Self::Warning, &["warning", "warn", "medium", "moderate", "minor"]),
        (Self::Error, &["error", "err", "high", "major", "severe"]),
        (Self::Critical, &["critical", "crit", "fatal", "emergency", "emerg", "alert", "panic", "disaster"]),
    ];

    /// Reads a word in any case; `None` if it is none we know.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim();
        let means_it = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        Self::WORDS.iter().find(|(_, words)| means_it(words)).map(|(severity, _)| *severity)
    }

    /// Our word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
