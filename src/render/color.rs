//! The legend: what a card's colour means. A word on the card always says it too.

use crate::model::Severity;

/// A colour with its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Green: done.
    Done,
    /// Red: failed.
    Failed,
    /// Yellow: a warning, or in progress.
    Warning,
    /// Blue: information.
    Info,
    /// Orange: somebody must look or decide.
    Look,
    /// Cyan: support.
    Support,
}

impl Color {
    /// The number in an embed (Discord: embed `color`, 0 to 16777215).
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Done => 3_066_993,
            Self::Failed => 15_158_332,
            Self::Warning => 16_776_960,
            Self::Info => 3_447_003,
            Self::Look => 15_105_570,
            Self::Support => 65_535,
        }
    }

    /// The colour of something this bad. What does not say how bad it is, somebody must look at.
    #[must_use]
    pub const fn of(severity: Option<Severity>) -> Self {
        match severity {
            Some(Severity::Info) => Self::Info,
            Some(Severity::Warning) => Self::Warning,
            Some(Severity::Error | Severity::Critical) => Self::Failed,
            None => Self::Look,
        }
    }
}
