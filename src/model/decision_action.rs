//! What a person can do to a decision: the buttons of its card, and the commands that do the same.

use crate::model::DecisionKind;

/// What a person can do to a decision. The one closed set: a button's custom id, the audit entry and the store name
/// the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecisionAction {
    /// Approves a machine.
    Approve,
    /// Denies a machine, with a reason.
    Deny,
    /// Undoes a decision, as long as the call to the platform has not begun.
    Undo,
    /// Retries the call to the platform about a machine.
    TryAgain,
    /// Retries the call about a ticket.
    Resend,
    /// Shows everything that is known.
    Details,
    /// Takes a ticket.
    Take,
    /// Adds a note to a ticket.
    Note,
    /// Closes a ticket, with its resolution.
    Close,
    /// Marks an alert as being handled.
    OnIt,
    /// Mutes an alert for an hour.
    Mute,
}

impl DecisionAction {
    /// All actions.
    pub const ALL: [Self; 11] = [
        Self::Approve,
        Self::Deny,
        Self::Undo,
        Self::TryAgain,
        Self::Resend,
        Self::Details,
        Self::Take,
        Self::Note,
        Self::Close,
        Self::OnIt,
        Self::Mute,
    ];

    /// The word in a custom id.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Undo => "undo",
            Self::TryAgain => "again",
            Self::Resend => "resend",
            Self::Details => "details",
            Self::Take => "take",
            Self::Note => "note",
            Self::Close => "close",
            Self::OnIt => "onit",
            Self::Mute => "mute",
        }
    }

    /// The word in the audit log.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::Approve => "decision.approve",
            Self::Deny => "decision.deny",
            Self::Undo => "decision.undo",
            Self::TryAgain => "decision.again",
            Self::Resend => "ticket.again",
            Self::Details => "decision.details",
            Self::Take => "ticket.take",
            Self::Note => "ticket.note",
            Self::Close => "ticket.close",
            Self::OnIt => "alert.take",
            Self::Mute => "alert.mute",
        }
    }

    /// Whether a decision of this kind has this action.
    #[must_use]
    pub const fn is_for(self, kind: DecisionKind) -> bool {
        match self {
            Self::Details => true,
            Self::Approve | Self::Deny | Self::Undo | Self::TryAgain => matches!(kind, DecisionKind::Machine),
            Self::Resend => matches!(kind, DecisionKind::Take | DecisionKind::Note | DecisionKind::Close),
            Self::Take | Self::Note | Self::Close => matches!(kind, DecisionKind::Ticket),
            Self::OnIt | Self::Mute => matches!(kind, DecisionKind::Alert),
        }
    }

    /// The kind of decision that it requests: an action on a ticket is a decision of its own.
    #[must_use]
    pub const fn requests(self) -> Option<DecisionKind> {
        match self {
            Self::Take => Some(DecisionKind::Take),
            Self::Note => Some(DecisionKind::Note),
            Self::Close => Some(DecisionKind::Close),
            _ => None,
        }
    }

    /// Whether it makes a call to the platform, which needs a key.
    #[must_use]
    pub const fn calls_platform(self) -> bool {
        match self {
            Self::Approve
            | Self::Deny
            | Self::TryAgain
            | Self::Resend
            | Self::Take
            | Self::Note
            | Self::Close => true,
            Self::Undo | Self::Details | Self::OnIt | Self::Mute => false,
        }
    }
}
