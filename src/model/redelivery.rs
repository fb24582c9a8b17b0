//! What came of a redelivery.

use crate::model::Status;

/// Result of a redelivery request for one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revived {
    /// It is pending again, one generation later.
    Pending {
        /// Whether its destination was closed and is tried again.
        reopened: bool,
    },
    /// It is a call to the platform, and is due again.
    Called,
    /// It is a call to the platform, and nothing was changed.
    NotCalled(NotRetried),
    /// There is no such delivery.
    NotFound,
    /// Its destination, of this name, was removed: nothing can be sent there.
    Gone(String),
    /// It is not finished, and is sent without a redelivery.
    Conflict {
        /// Current status: pending or sending.
        status: Status,
        /// Whether it only waited for its closed destination, which is tried again.
        reopened: bool,
    },
    /// Its row is corrupt.
    Unreadable,
}

impl Revived {
    /// Returns whether something was changed.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Pending { .. } | Self::Called | Self::Conflict { reopened: true, .. })
    }
}

/// Why a call to the platform is not made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotRetried {
    /// It is pending or in flight.
    Unfinished,
    /// The decision was taken back.
    Undone,
    /// The platform confirmed it.
    Confirmed,
    /// The platform approved the machine by itself.
    ApprovedUpstream,
    /// A newer decision about the same machine, or a newer action of that kind on the same ticket, exists.
    Superseded,
    /// The ticket was closed.
    TicketClosed,
    /// A bulk redelivery leaves it to the button on its card.
    LeftToCard,
    /// Only approvers may retry it.
    NeedsApprover,
    /// Only operators may retry it.
    NeedsOperator,
}

impl NotRetried {
    /// The reason as the end of a sentence.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Unfinished => "XTSystems has not answered yet, and nuncio tries again by itself",
            Self::Undone => "the decision was taken back",
            Self::Confirmed => "XTSystems has confirmed it",
            Self::ApprovedUpstream => "the machine was approved in XTSystems itself",
            Self::Superseded => "a newer one about the same machine or ticket counts: use the newest card",
            Self::TicketClosed => "the ticket is closed",
            Self::LeftToCard => "press Try again on its card",
            Self::NeedsApprover => "only somebody who may decide about machines can do that",
            Self::NeedsOperator => "only an operator can do that",
        }
    }
}
