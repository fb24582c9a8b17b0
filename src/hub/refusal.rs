//! Why somebody may not do something.

use std::fmt;

use crate::model::Snowflake;

/// Why a click changes nothing. Its text is for the audit log; what the person is told is the entrance's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not in a server.
    NoServer,
    /// In a server that is none of the operator's.
    ForeignGuild(Snowflake),
    /// In a server, and nothing says which one is the operator's.
    OperatorGuildUnknown(Snowflake),
    /// Before the gateway told which servers there are.
    TooEarly,
    /// In timeout.
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
            Self::ForeignGuild(guild) => {
                return write!(f, "in server {guild}, which is none of the operator's");
            }
            Self::OperatorGuildUnknown(guild) => {
                return write!(f, "in server {guild}, and nothing says which one is the operator's");
            }
            Self::TooEarly => "before Discord listed the bot's servers",
            Self::TimedOut => "in timeout",
            Self::NotApprover(roles) if roles.is_empty() => "may not manage the server",
            Self::NotApprover(_) => "has none of APPROVER_ROLES",
            Self::NotOperator(roles) if roles.is_empty() => "may not manage the server",
            Self::NotOperator(_) => "has none of OPERATOR_ROLES",
            Self::Unknown => "the button is unknown",
            Self::Misplaced => "the button is not on its card",
            Self::NoKey => "there is no XTSYSTEMS_API_KEY",
        })
    }
}
