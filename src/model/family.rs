//! Meaning of event kinds, in one place: every module asks here, and none parses a kind's text.
//!
//! A kind is a family and an action: `ticket.created`. A sender may use any other kind: such an event is kept, routed
//! and shown as [`Family::Other`].

use std::borrow::Cow;

use crate::model::closed_set::closed_set;
use crate::model::{DecisionKind, Kind, Priority, Severity, Source};

closed_set! {
    /// Topic of an event.
    Family {
        /// Tickets.
        Ticket,
        /// Assets.
        Asset,
        /// Machines that ask to join, and those that joined.
        Machine,
        /// Monitoring alerts.
        Alert,
        /// Users of the platform.
        User,
        /// Customers of the platform.
        Company,
        /// Connection tests.
        Test,
        /// A hosting platform's settings.
        Settings,
        /// Servers of a hosting platform: online, offline, crashed.
        Server,
        /// A hosting platform's syncs.
        Sync,
        /// A hosting platform's errors and alerts.
        System,
        /// A hosting platform's support tickets.
        Support,
        /// Nodes of a hosting platform, and their resources.
        Node,
        /// A hosting platform's invoices, payments and subscriptions.
        Billing,
        /// Cards that a hosting platform composes itself, and its generic events.
        Custom,
        /// Decisions by people, reported by nuncio itself.
        Decision,
        /// nuncio's own state, reported by nuncio itself.
        Notice,
        /// Everything else.
        Other,
    }
}

/// Which events of one subject share a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardLifetime {
    /// None: each event gets its own card.
    PerEvent,
    /// All, for as long as the subject lives.
    PerSubject,
    /// Repeats of an alert within `FOLD_REPEATS`.
    FoldRepeats,
}

/// Meaning of a kind: its family and its action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindMeaning<'a> {
    /// Topic of the kind.
    pub family: Family,
    /// The canonical form, which comparisons use.
    kind: Cow<'a, str>,
}

impl Family {
    /// Prefix of the family's kinds and subjects; `None` for families without one.
    #[must_use]
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Ticket => Some("ticket"),
            Self::Asset => Some("asset"),
            Self::Machine => Some("machine"),
            Self::Alert => Some("alert"),
            Self::User => Some("user"),
            Self::Company => Some("company"),
            Self::Test => Some("webhook"),
            Self::Settings => Some("settings"),
            Self::Server => Some("server"),
            Self::Sync => Some("sync"),
            Self::System => Some("system"),
            Self::Support => Some("support"),
            Self::Node => Some("node"),
            Self::Billing => Some("billing"),
            Self::Custom => Some("dispatch"),
            Self::Decision => Some("decision"),
            Self::Notice | Self::Other => None,
        }
    }

    /// A glob for all of the family's kinds, as operators write it in the map: `ticket.*`. `None` for families that
    /// no sender uses.
    #[must_use]
    pub fn pattern(self) -> Option<String> {
        let word = match self {
            Self::Ticket | Self::Asset | Self::Machine | Self::Alert | Self::User | Self::Company => {
                self.word()?
            }
            // Dispatches choose stored webhooks: the map is not for them.
            Self::Settings
            | Self::Server
            | Self::Sync
            | Self::System
            | Self::Support
            | Self::Node
            | Self::Billing
            | Self::Custom
            | Self::Test
            | Self::Decision
            | Self::Notice
            | Self::Other => return None,
        };
        Some(format!("{word}.*"))
    }

    /// The family of `kind`, in its canonical form, when `source` sends it. nuncio's own families are accepted from
    /// nuncio only.
    fn of(source: Source, kind: &str) -> Self {
        match source {
            Source::XtSystems => Self::of_xtsystems(kind),
            Source::Dispatch => Self::of_dispatches(prefix(kind)),
            Source::Nuncio => match prefix(kind) {
                "decision" => Self::Decision,
                "destination" | "nuncio" => Self::Notice,
                // What nuncio sends as XTSystems would.
                _ => Self::of_xtsystems(kind),
            },
        }
    }

    /// The family of one of XTSystems' kinds: its first word names it.
    fn of_xtsystems(kind: &str) -> Self {
        match prefix(kind) {
            "webhook" if kind != "webhook.test" => Self::Other,
            word => Self::of_senders(word).unwrap_or(Self::Other),
        }
    }

    /// The family of a dispatch: its first word names it.
    fn of_dispatches(word: &str) -> Self {
        let named =
            Self::ALL.into_iter().find(|family| family.is_dispatched() && family.word() == Some(word));
        named.unwrap_or(Self::Custom)
    }

    /// Whether a hosting platform dispatches events of the family.
    #[must_use]
    pub const fn is_dispatched(self) -> bool {
        match self {
            Self::Settings
            | Self::Server
            | Self::Sync
            | Self::System
            | Self::Support
            | Self::Node
            | Self::Billing
            | Self::Custom => true,
            Self::Ticket
            | Self::Asset
            | Self::Machine
            | Self::Alert
            | Self::User
            | Self::Company
            | Self::Test
            | Self::Decision
            | Self::Notice
            | Self::Other => false,
        }
    }

    /// The family of a subject: `ticket:7`.
    #[must_use]
    pub fn of_subject(subject: &str) -> Self {
        subject.split_once(':').and_then(|(word, _)| Self::of_senders(word)).unwrap_or(Self::Other)
    }

    /// The family with this prefix, if senders may use it.
    fn of_senders(word: &str) -> Option<Self> {
        let is_senders = |family: &Self| *family != Self::Decision && !family.is_dispatched();
        Self::ALL.into_iter().find(|family| is_senders(family) && family.word() == Some(word))
    }

    /// Which events of one subject share a card.
    #[must_use]
    pub const fn lifetime(self) -> CardLifetime {
        match self {
            Self::Ticket | Self::Asset | Self::Machine => CardLifetime::PerSubject,
            Self::Alert | Self::System | Self::Node => CardLifetime::FoldRepeats,
            Self::User
            | Self::Company
            | Self::Test
            | Self::Settings
            | Self::Server
            | Self::Sync
            | Self::Support
            | Self::Billing
            | Self::Custom
            | Self::Decision
            | Self::Notice
            | Self::Other => CardLifetime::PerEvent,
        }
    }

    /// What the buttons on the family's cards decide; `None` if the cards have none.
    const fn asks(self) -> Option<DecisionKind> {
        match self {
            Self::Ticket => Some(DecisionKind::Ticket),
            Self::Machine => Some(DecisionKind::Machine),
            Self::Alert => Some(DecisionKind::Alert),
            Self::Asset
            | Self::User
            | Self::Company
            | Self::Test
            | Self::Settings
            | Self::Server
            | Self::Sync
            | Self::System
            | Self::Support
            | Self::Node
            | Self::Billing
            | Self::Custom
            | Self::Decision
            | Self::Notice
            | Self::Other => None,
        }
    }

    /// Importance among events of equal severity, 0 to 9: the higher, the sooner a person should look.
    const fn importance(self) -> u8 {
        match self {
            Self::Machine | Self::Alert | Self::System | Self::Node => 9,
            Self::Ticket | Self::Support => 6,
            Self::Asset
            | Self::User
            | Self::Company
            | Self::Test
            | Self::Settings
            | Self::Server
            | Self::Sync
            | Self::Billing
            | Self::Custom
            | Self::Decision
            | Self::Notice
            | Self::Other => 3,
        }
    }
}

/// The first word of a kind: `ticket` of `ticket.created`.
fn prefix(kind: &str) -> &str {
    kind.split('.').next().unwrap_or_default()
}

impl<'a> KindMeaning<'a> {
    /// Meaning of `kind` when `source` sends it.
    #[must_use]
    pub fn of(source: Source, kind: &'a Kind) -> Self {
        let kind = kind.canonical();
        Self { family: Family::of(source, &kind), kind }
    }

    /// What the buttons on the event's card decide; `None` if the card has none.
    #[must_use]
    pub fn asks(&self) -> Option<DecisionKind> {
        self.family.asks().filter(|_| !self.action().is_empty())
    }

    /// The action: `created` of `ticket.created`; empty if the kind is one word.
    #[must_use]
    pub fn action(&self) -> &str {
        self.kind.split_once('.').map_or("", |(_, action)| action)
    }

    /// Whether the event asks people to decide: a machine wants to join.
    #[must_use]
    pub fn asks_to_join(&self) -> bool {
        self.family == Family::Machine && self.action() == "registered"
    }

    /// Whether the event answers that question: the platform reports that a machine joined.
    #[must_use]
    pub fn has_joined(&self) -> bool {
        self.family == Family::Machine && self.action() == "approved"
    }

    /// Whether this is an ongoing alert, as opposed to one that ended.
    #[must_use]
    pub fn is_alert(&self) -> bool {
        self.family == Family::Alert && self.action() == "triggered"
    }

    /// Whether repeats of the event share a card.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.family.lifetime() == CardLifetime::FoldRepeats
            && (self.family != Family::Alert || self.is_alert())
    }

    /// Whether a mute may suppress the event: never one that waits for a decision.
    #[must_use]
    pub fn can_be_muted(&self) -> bool {
        !self.asks_to_join() && !self.kind.starts_with("decision.")
    }

    /// Priority in the lane: decisions overtake everything, urgent alerts overtake what is not urgent.
    #[must_use]
    pub fn priority(&self, severity: Option<Severity>) -> Priority {
        if self.asks_to_join() {
            Priority::Decision
        } else if self.is_urgent(severity) {
            Priority::Urgent
        } else {
            Priority::Normal
        }
    }

    /// Whether this is an alert that overtakes ordinary events.
    #[must_use]
    pub fn is_urgent(&self, severity: Option<Severity>) -> bool {
        self.is_alert() && severity >= Some(Severity::Error)
    }

    /// Whether the event closes its subject.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.kind.ends_with(".closed")
    }

    /// Whether the event reopens its subject.
    #[must_use]
    pub fn reopens(&self) -> bool {
        self.kind.ends_with(".reopened")
    }

    /// Importance, 10 to 49: the higher, the sooner a person should look.
    #[must_use]
    pub fn importance(&self, severity: Option<Severity>) -> u8 {
        let severity = match severity {
            Some(Severity::Critical) => 40,
            Some(Severity::Error) => 30,
            Some(Severity::Warning) => 20,
            Some(Severity::Info) | None => 10,
        };
        let is_done = self.family == Family::Test
            || self.has_joined()
            || (self.family == Family::Ticket && self.action() == "closed");
        severity + if is_done { 0 } else { self.family.importance() }
    }
}

#[cfg(test)]
mod tests;
