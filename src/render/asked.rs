//! What a card may know of decisions besides its event.

use crate::model::{Decision, DecisionKind, Mute, Platform};

/// The question on a card, and what was said to it.
#[derive(Clone, Debug, Default)]
pub struct DecisionContext {
    /// The question.
    pub decision: Option<Decision>,
    /// The round before it.
    pub before: Option<Decision>,
    /// What was wished by a ticket's buttons, the oldest first.
    pub wishes: Vec<Decision>,
    /// The mute of this alert that holds.
    pub mute: Option<Mute>,
    /// What a sample's buttons are about.
    pub sample: Option<DecisionKind>,
    /// Why there are no buttons.
    pub no_buttons: Option<&'static str>,
}

impl DecisionContext {
    /// The newest wish that the platform refused or could not take.
    pub(super) fn refused_wish(&self) -> Option<&Decision> {
        self.wishes.last().filter(|wish| matches!(wish.platform, Platform::Refused | Platform::Held))
    }
}
