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
    /// Reads a word in any case; `None` if it is none we know.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "info" | "information" | "informational" | "notice" | "low" | "debug" | "ok" => Self::Info,
            "warning" | "warn" | "medium" | "moderate" | "minor" => Self::Warning,
            "error" | "err" | "high" | "major" | "severe" => Self::Error,
            "critical" | "crit" | "fatal" | "emergency" | "emerg" | "alert" | "panic" | "disaster" => {
                Self::Critical
            }
            _ => return None,
        })
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
