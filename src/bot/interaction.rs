//! An interaction as nuncio's own plain data: which person did what, and where.
//!
//! The gateway's events become this type in one place (`bot/gateway/incoming.rs`). An HTTP endpoint can do the same,
//! and tests write one down: the handlers are the same code for all of them. A missing field never adds access: without
//! a member there are no roles and no guild, and a message without an author is not ours.

use crate::clock::Timestamp;
use crate::hub::Person;
use crate::model::{Actor, By, Snowflake};
use crate::secret::Secret;

/// A use of a command, a click on a component, or a submitted dialog (Discord: "Interaction Object").
#[derive(Clone, Debug)]
pub(super) struct Interaction {
    pub(super) id: Snowflake,
    /// Authorizes the responses, for 15 minutes.
    pub(super) token: Secret,
    /// The application that received it: ours.
    pub(super) application: Snowflake,
    pub(super) kind: InteractionKind,
    pub(super) user: InteractionUser,
    /// `None` in a direct message.
    pub(super) member: Option<InteractionMember>,
    pub(super) guild: Option<Snowflake>,
    pub(super) channel: Snowflake,
    /// The message with the component, or from which a dialog was opened.
    pub(super) message: Option<SourceMessage>,
}

impl Interaction {
    /// The request for a change that this interaction of `person` is.
    pub(super) fn by(&self, person: Person, action: impl Into<String>) -> By {
        By {
            channel: Some(self.channel),
            interaction: Some(self.id),
            ..By::new(Actor::Person(person), action)
        }
    }
}

/// What the person did.
#[derive(Clone, Debug)]
pub(super) enum InteractionKind {
    /// A command, with its qualified name as typed: "machine approve", "Show raw".
    Command { name: String, options: CommandOptions },
    /// The person is typing an option and asks for suggestions.
    Suggestion { option: SuggestedOption, typed: String },
    /// A click on a button, or a choice in a menu.
    Component(ComponentClick),
    /// A submitted dialog (Discord: "Modal").
    Dialog(SubmittedDialog),
}

/// A click on a button, or a choice in a menu.
#[derive(Clone, Debug)]
pub(super) struct ComponentClick {
    pub(super) custom_id: String,
    pub(super) input: ComponentInput,
}

/// The kind of a component, with the values chosen in it.
#[derive(Clone, Debug)]
pub(super) enum ComponentInput {
    Button,
    Texts(Vec<String>),
    Channels(Vec<Snowflake>),
    /// A menu of users, roles or both: nuncio shows none.
    Other,
}

/// A submitted dialog.
#[derive(Clone, Debug)]
pub(super) struct SubmittedDialog {
    pub(super) custom_id: String,
    /// Custom id and text of each input that was filled in.
    pub(super) fields: Vec<(String, String)>,
}

impl SubmittedDialog {
    /// The text typed into the dialog's first input.
    pub(super) fn text(&self) -> Option<&str> {
        self.fields.first().map(|(_, text)| text.as_str())
    }
}

/// The user who acts.
#[derive(Clone, Debug)]
pub(super) struct InteractionUser {
    pub(super) id: Snowflake,
    pub(super) username: String,
    pub(super) display_name: Option<String>,
}

/// That user as a member of the guild, at this moment.
#[derive(Clone, Debug, Default)]
pub(super) struct InteractionMember {
    pub(super) nick: Option<String>,
    pub(super) roles: Vec<Snowflake>,
    /// Permission bits in the channel.
    pub(super) permissions: u64,
    pub(super) timed_out_until: Option<Timestamp>,
}

/// The message that an interaction comes from.
#[derive(Clone, Debug)]
pub(super) struct SourceMessage {
    pub(super) id: Snowflake,
    pub(super) author: Snowflake,
    /// Whether a webhook posted it.
    pub(super) is_of_webhook: bool,
    pub(super) embeds: Vec<SourceEmbed>,
}

/// The parts of an embed that a handler reads back.
#[derive(Clone, Debug)]
pub(super) struct SourceEmbed {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
}

/// A command's typed options.
#[derive(Clone, Debug)]
pub(super) enum CommandOptions {
    WebhookStatus,
    WebhookConfig,
    RegisterWebhook {
        events: Option<String>,
    },
    TestWebhook,
    CreateTicket {
        title: String,
        description: String,
        priority: Option<TicketPriority>,
    },
    MachinePending,
    MachineApprove {
        machine: String,
    },
    MachineDeny {
        machine: String,
        reason: String,
    },
    MachineShow {
        machine: String,
    },
    DeliveriesFailed,
    DeliveriesShow {
        id: String,
    },
    DeliveriesRetry {
        id: String,
    },
    Mute {
        kind: String,
        duration: String,
        reason: Option<String>,
    },
    Unmute {
        mute: Option<String>,
    },
    /// "Redeliver" in a message's menu.
    Redeliver {
        message: Snowflake,
    },
    /// "Show raw" in a message's menu.
    ShowRaw {
        message: Snowflake,
    },
    /// Options that the command does not have: Discord still shows the command of another version.
    Unreadable,
}

/// A ticket's priority.
#[derive(Clone, Copy, Debug)]
pub(super) enum TicketPriority {
    Low,
    Medium,
    High,
    Critical,
}

impl TicketPriority {
    /// The priority as the platform names it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// An option with suggestions.
#[derive(Clone, Copy, Debug)]
pub(super) enum SuggestedOption {
    /// A machine without a decision.
    Machine,
    /// A dead letter.
    Delivery,
    /// A mute in effect.
    Mute,
    /// A kind that can be muted.
    MutableKind,
    /// The duration of a mute.
    Duration,
    /// A list of event kinds.
    Events,
}
