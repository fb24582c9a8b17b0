//! Who may press what. Pure: from what Discord said about the person with this very click.

use std::fmt;

use crate::hub::Hub;
use crate::hub::decide::Press;
use crate::model::Snowflake;

/// Somebody on Discord, as the click itself describes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: Snowflake,
    /// What they are called there.
    pub name: String,
    /// The server they clicked in; `None` in a direct message.
    pub guild: Option<Snowflake>,
    /// Their roles there.
    pub roles: Vec<Snowflake>,
    /// Whether they may manage that server.
    pub may_manage: bool,
    /// Whether they are in time-out there.
    pub is_timed_out: bool,
}

/// Why a click changes nothing. Its text is for the audit log; what the person is told is the entrance's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not in a server.
    NoServer,
    /// In time-out.
    TimedOut,
    /// Not an approver; the roles that are.
    NotApprover(Vec<Snowflake>),
    /// Not an operator; the roles that are.
    NotOperator(Vec<Snowflake>),
    /// The button is not one of ours, or its thing is unknown.
    Unknown,
    /// The button stands somewhere else than its card.
    Misplaced,
    /// There is no key for the platform any more.
    NoKey,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoServer => "not in a server",
            Self::TimedOut => "in time-out",
            Self::NotApprover(roles) if roles.is_empty() => "may not manage the server",
            Self::NotApprover(_) => "has none of APPROVER_ROLES",
            Self::NotOperator(roles) if roles.is_empty() => "may not manage the server",
            Self::NotOperator(_) => "has none of OPERATOR_ROLES",
            Self::Unknown => "the button is unknown",
            Self::Misplaced => "the button does not stand on its card",
            Self::NoKey => "there is no XTSYSTEMS_API_KEY",
        })
    }
}

impl Hub {
    /// Whether `person` may press this button.
    pub fn may(&self, person: &Person, press: Press) -> Result<(), Refusal> {
        let rules = self.rules();
        let has = |roles: &[Snowflake]| {
            if roles.is_empty() { person.may_manage } else { roles.iter().any(|role| person.roles.contains(role)) }
        };
        if person.guild.is_none() {
            return Err(Refusal::NoServer);
        }
        if person.is_timed_out {
            return Err(Refusal::TimedOut);
        }
        match press {
            // Whoever sees the card may know what it knows.
            Press::Details => Ok(()),
            Press::Approve | Press::Deny | Press::Undo | Press::TryAgain => {
                has(&rules.approvers).then_some(()).ok_or_else(|| Refusal::NotApprover(rules.approvers.clone()))
            }
            Press::Resend | Press::Take | Press::Note | Press::Close | Press::OnIt | Press::Mute => {
                has(&rules.operators).then_some(()).ok_or_else(|| Refusal::NotOperator(rules.operators.clone()))
            }
        }
    }
}
