//! Audit log entries: decisions, clicks (refused ones too), and commands that change something.

use crate::model::{ApiKeyId, ConsoleSessionId, Person, Snowflake};

/// Who performed an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A Discord user, with their display name at the time of the action.
    Person(Person),
    /// An unnamed user at the shell of this machine.
    Shell,
    /// A named user at the shell of this machine: "alice (command line)".
    ShellUser(String),
    /// A holder of `NUNCIO_API_KEY`.
    ApiKey,
    /// A holder of a stored API key.
    Key {
        /// The key's id, which is no secret.
        id: ApiKeyId,
        /// The key's name at the time of the action.
        name: String,
    },
    /// Somebody in a session of the console: "alice (console)".
    Session {
        /// The session's id, which is no secret.
        id: ConsoleSessionId,
        /// Who made the link that opened it.
        name: String,
    },
    /// nuncio itself.
    Nuncio,
}

impl Actor {
    /// The shell user, by user name where that is known.
    #[must_use]
    pub fn at_shell(user: Option<&str>) -> Self {
        user.map_or(Self::Shell, |user| Self::ShellUser(format!("{user} (command line)")))
    }

    /// The Discord user id, or a fixed word such as `shell`.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Person(person) => person.id.to_string(),
            Self::Shell | Self::ShellUser(_) => "shell".to_owned(),
            Self::ApiKey => "api key".to_owned(),
            Self::Key { id, .. } => id.to_string(),
            Self::Session { id, .. } => id.to_string(),
            Self::Nuncio => "nuncio".to_owned(),
        }
    }

    /// Display name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Person(Person { name, .. })
            | Self::ShellUser(name)
            | Self::Key { name, .. }
            | Self::Session { name, .. } => name,
            Self::Shell => "somebody at the shell",
            Self::ApiKey => "whoever has NUNCIO_API_KEY",
            Self::Nuncio => "nuncio",
        }
    }
}

/// Result of an audited action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// Not allowed, or too late: nothing changed.
    Refused,
    /// Attempted, but it did not work.
    Failed,
}

impl AuditOutcome {
    /// The word in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// One audit log entry to write. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who acted.
    pub actor: Actor,
    /// A dotted word: `decision.approve`, `click.undo`, `command.register-webhook`.
    pub action: String,
    /// The target: `machine asset-uuid`.
    pub subject: String,
    /// The result.
    pub outcome: AuditOutcome,
    /// A sentence: the reason the person gave, or why the action was refused.
    pub detail: String,
    /// The Discord channel it happened in.
    pub channel: Option<Snowflake>,
    /// Discord's id of the click or command: one entry per id, however often the gateway sends it.
    pub interaction: Option<Snowflake>,
    /// A related id: `dec_…`, `evt_…`.
    pub reference: String,
}

impl AuditEntry {
    /// An entry with outcome [`AuditOutcome::Done`]: `actor` did `action` to `subject`.
    pub fn new(actor: Actor, action: impl Into<String>, subject: impl Into<String>) -> Self {
        Self {
            actor,
            action: action.into(),
            subject: subject.into(),
            outcome: AuditOutcome::Done,
            detail: String::new(),
            channel: None,
            interaction: None,
            reference: String::new(),
        }
    }
}
