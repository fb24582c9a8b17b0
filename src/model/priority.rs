//! In which turn deliveries are sent.

/// Who goes first in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Decisions, and edits after a click: before everything else, and alone.
    Decision,
    /// Urgent alerts, and what nuncio has to report about itself: they overtake.
    Urgent,
    /// Everything else.
    Normal,
    /// What only brings a card up to date: when nothing else waits.
    Background,
}

impl Priority {
    /// The number in the database; lower goes first.
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        match self {
            Self::Decision => -1,
            Self::Urgent => 0,
            Self::Normal => 1,
            Self::Background => 2,
        }
    }

    /// Reads it back.
    #[must_use]
    pub const fn from_i64(number: i64) -> Self {
        match number {
            ..=-1 => Self::Decision,
            0 => Self::Urgent,
            1 => Self::Normal,
            2.. => Self::Background,
        }
    }
}
