//! A person's change of a decision, and what came of it.

use std::time::Duration;

use crate::model::{Decider, Decision, DecisionAction, DestinationId, Snowflake, Token};

/// What a click or command changes.
#[derive(Clone, Debug)]
pub struct DecisionChange {
    /// Names the decision.
    pub token: Token,
    /// What is done to it.
    pub action: DecisionAction,
    /// Who does it.
    pub by: Decider,
    /// The reason, the text of the note, or the resolution.
    pub text: Option<String>,
    /// Destination of calls to the platform; without one, no change is made that needs a call.
    pub platform: Option<DestinationId>,
    /// Delay before the call about a machine: the decision can be undone until then.
    pub grace: Duration,
    /// Whether an expired decision may still be made.
    pub even_expired: bool,
    /// Channel and message of the card whose button was pressed, if any: a ticket's card shows the outcome.
    pub card: Option<(Snowflake, Snowflake)>,
}

/// Outcome of a change.
#[derive(Clone, Debug)]
pub enum Changed {
    /// The change was made; contains the new state.
    Done(Decision),
    /// Too late, or another click was faster: nothing was changed; contains the current state.
    Late(Decision),
    /// This very click was processed before.
    Replayed,
    /// There is no such decision, or it has no such action.
    Unknown,
}
