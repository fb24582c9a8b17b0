//! The color legend of cards. A word on the card always repeats the meaning.

use crate::model::Severity;

/// An embed color by its meaning.
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
    /// Orange: a member must look or decide.
    Look,
    /// Cyan: support.
    Support,
    /// As a hosting platform composes its own card.
    Given(u32),
}

impl Color {
    /// The RGB number of an embed (Discord: embed `color`, 0 to 16777215).
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Done => 3_066_993,
            Self::Failed => 15_158_332,
            Self::Warning => 16_776_960,
            Self::Info => 3_447_003,
            Self::Look => 15_105_570,
            Self::Support => 65_535,
            Self::Given(color) => color & 0xFF_FF_FF,
        }
    }

    /// The color of a severity. An unknown severity means that a member must look.
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
