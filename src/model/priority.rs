//! Priority of deliveries within a lane.

/// Send priority within a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Decisions, and edits after a click: before everything else, and never packed.
    Decision,
    /// Urgent alerts, and nuncio's own notices: they overtake the rest.
    Urgent,
    /// Everything else.
    Normal,
    /// Redraws of cards: sent when nothing else waits.
    Background,
}

impl Priority {
    /// The number in the database; lower is sent first.
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        match self {
            Self::Decision => -1,
            Self::Urgent => 0,
            Self::Normal => 1,
            Self::Background => 2,
        }
    }

    /// Parses the database number.
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
