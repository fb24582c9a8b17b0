//! Severity levels.

use std::fmt;

/// Severity, in rising order. Other systems' words map as contract 3 defines: low is info, medium is warning, high is
/// error, fatal and emergency are critical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For information.
    Info,
    /// Needs attention later.
    Warning,
    /// Needs attention.
    Error,
    /// Needs attention immediately.
    Critical,
}

impl Severity {
    /// All levels, in rising order.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];
    /// The fields that may hold the severity; the first one present wins.
    pub const NAMES: [&str; 3] = ["severity", "level", "priority"];
    const WORDS: [(Self, &[&str]); 4] = [
        (Self::Info, &["info", "information", "informational", "notice", "low", "debug", "ok"]),
        (Self::Warning, &["warning", "warn", "medium", "moderate", "minor"]),
        (Self::Error, &["error", "err", "high", "major", "severe"]),
        (Self::Critical, &["critical", "crit", "fatal", "emergency", "emerg", "alert", "panic", "disaster"]),
    ];

    /// Parses a word, case-insensitively; `None` if unknown.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim();
        let means_it = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        Self::WORDS.iter().find(|(_, words)| means_it(words)).map(|(severity, _)| *severity)
    }

    /// nuncio's own word for the level.
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
