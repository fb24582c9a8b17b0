//! Requests for a change: who asks, by which command or click, and where.

use crate::model::{Actor, AuditEntry, AuditOutcome, Principal, Snowflake};

/// A request for a change: who asks, by which command or click, and where. The use case that makes the change turns it
/// into the audit entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// Who asks.
    pub actor: Actor,
    /// Whose API key it is: what the key may do, and for which company. `None` outside of the API.
    pub principal: Option<Principal>,
    /// How they asked, as a dotted word: `command.mute`, `route.set`.
    pub action: String,
    /// The Discord channel it happened in.
    pub channel: Option<Snowflake>,
    /// Discord's id of the click or command: it is carried out once, however often the gateway sends it.
    pub interaction: Option<Snowflake>,
}

impl By {
    /// A request outside of Discord.
    pub fn new(actor: Actor, action: impl Into<String>) -> Self {
        Self { actor, principal: None, action: action.into(), channel: None, interaction: None }
    }

    /// A request through the API.
    pub fn key(principal: &Principal, action: impl Into<String>) -> Self {
        Self { principal: Some(principal.clone()), ..Self::new(principal.actor(), action) }
    }

    /// The audit entry of the request about `subject`, as done.
    #[must_use]
    pub fn entry(&self, subject: impl Into<String>) -> AuditEntry {
        AuditEntry {
            channel: self.channel,
            interaction: self.interaction,
            ..AuditEntry::new(self.actor.clone(), self.action.as_str(), subject)
        }
    }

    /// The audit entry of the request about `subject`, as refused.
    #[must_use]
    pub fn refused(&self, subject: impl Into<String>, why: impl Into<String>) -> AuditEntry {
        AuditEntry { outcome: AuditOutcome::Refused, detail: why.into(), ..self.entry(subject) }
    }
}
