//! Authorization refusals.

use std::fmt;

use crate::model::{ApiRole, Snowflake};

/// Why a click is refused. This text is for the audit log; each entry point words its own answer to the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Outside of any guild.
    NoGuild,
    /// A guild that is not the operator's.
    ForeignGuild(Snowflake),
    /// A guild, while nothing names the operator's.
    OperatorGuildUnknown(Snowflake),
    /// The gateway has not reported the bot's guilds yet.
    TooEarly,
    /// The member is timed out.
    TimedOut,
    /// Lacks all of these approver roles.
    NotApprover(Vec<Snowflake>),
    /// Lacks all of these operator roles.
    NotOperator(Vec<Snowflake>),
    /// Not a button of nuncio's, or one whose subject is unknown.
    Unknown,
    /// The button is not on its own card.
    Misplaced,
    /// No API key is for this, whatever its role.
    NotByKey,
    /// The API key's role is not enough: this one is needed.
    NeedsRole(ApiRole),
    /// The API key is limited to one customer, and this is not.
    OwnersKey,
    /// No key for the platform is configured any more.
    NoKey,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoGuild => "not in a server",
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
            Self::NotByKey => "API keys are not for this",
            Self::NeedsRole(role) => return write!(f, "this needs an API key of the role {role}"),
            Self::OwnersKey => "this needs an API key without an owner",
            Self::NoKey => "there is no XTSYSTEMS_API_KEY",
        })
    }
}
