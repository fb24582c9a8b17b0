//! The decision context of a card: what it shows besides its event.

use crate::model::{CallState, Decision, DecisionKind, Mute};

/// The decision about a card's subject, and what became of it.
#[derive(Clone, Debug, Default)]
pub struct DecisionContext {
    /// The decision's current round.
    pub decision: Option<Decision>,
    /// The previous round.
    pub before: Option<Decision>,
    /// The actions requested with a ticket's buttons, the oldest first.
    pub wishes: Vec<Decision>,
    /// The active mute of this alert.
    pub mute: Option<Mute>,
    /// The decision kind of a sample's buttons.
    pub sample: Option<DecisionKind>,
    /// Why there are no buttons, as a sentence; `None` if there are.
    pub no_buttons: Option<&'static str>,
}

impl DecisionContext {
    /// The newest ticket action, if the platform refused it or nuncio holds it.
    pub(super) fn refused_wish(&self) -> Option<&Decision> {
        self.wishes.last().filter(|action| matches!(action.platform, CallState::Refused | CallState::Held))
    }
}
