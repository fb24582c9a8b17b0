//! What somebody did, for the audit log: decisions, clicks (refused ones too), commands that change something.

use crate::model::Snowflake;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody on Discord: their id, and what they are called there.
    Person {
        /// Who.
        id: Snowflake,
        /// As they were called at that moment.
        name: String,
    },
    /// Whoever sat at the shell of this machine.
    Shell,
    /// A named user at the shell of this machine: "alice (command line)".
    ShellUser(String),
    /// Whoever has the API key.
    ApiKey,
    /// nuncio itself.
    Nuncio,
    /// The platform.
    XtSystems,
}

impl Actor {
    /// Whoever runs a command at the shell, by their user name where that is known.
    #[must_use]
    pub fn at_shell(user: Option<&str>) -> Self {
        user.map_or(Self::Shell, |user| Self::ShellUser(format!("{user} (command line)")))
    }

    /// Their id on Discord, or a word.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Person { id, .. } => id.to_string(),
            Self::Shell | Self::ShellUser(_) => "shell".to_owned(),
            Self::ApiKey => "api key".to_owned(),
            Self::Nuncio => "nuncio".to_owned(),
            Self::XtSystems => "xtsystems".to_owned(),
        }
    }

    /// What they are called.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Person { name, .. } | Self::ShellUser(name) => name,
            Self::Shell => "somebody at the shell",
            Self::ApiKey => "whoever has NUNCIO_API_KEY",
            Self::Nuncio => "nuncio",
            Self::XtSystems => "XTSystems",
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// They may not, or it was too late: nothing changed.
    Refused,
    /// It was tried and did not work.
    Failed,
}

impl AuditOutcome {
    /// As it stands in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// One entry to be made. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who did it.
    pub actor: Actor,
    /// What: `decision.approve`, `click.undo`, `command.register-webhook`.
    pub action: String,
    /// To what: `machine asset-uuid`.
    pub subject: String,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// A sentence: the reason they gave, or why it was refused.
    pub detail: String,
    /// Where on Discord.
    pub channel: Option<Snowflake>,
    /// Discord's id of the click or command: one entry each, however often the gateway tells it.
    pub interaction: Option<Snowflake>,
    /// What it belongs to: `dec_…`, `evt_…`.
    pub reference: String,
}

impl AuditEntry {
    /// `actor` did `action` to `subject`, and it was done.
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
