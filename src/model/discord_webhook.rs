//! A stored Discord webhook: a destination that people added, with what it is for.

use std::fmt;

use crate::clock::Timestamp;
use crate::model::{DestinationId, WebhookMark};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$each])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word in the database, on the command line and in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Reads that word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// What a webhook wants to hear of.
    Category {
        /// Server states.
        GameServer = "GAME_SERVER",
        /// Nodes and their resources.
        Vps = "VPS",
        /// Synchronisation, settings, maintenance.
        System = "SYSTEM",
        /// Invoices, payments, subscriptions.
        Billing = "BILLING",
        /// Errors and alerts.
        Security = "SECURITY",
        /// Support tickets.
        Support = "SUPPORT",
        /// Anything else.
        Custom = "CUSTOM",
    }
}

words! {
    /// Whose eyes a webhook is for.
    Scope {
        /// Those who run the platform.
        Admin = "ADMIN",
        /// One customer: its owner.
        User = "USER",
        /// Everybody.
        Public = "PUBLIC",
    }
}

/// What somebody wants to store, its address apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWebhook {
    /// What people call it.
    pub name: String,
    /// What it wants to hear of.
    pub category: Category,
    /// Whose eyes it is for.
    pub scope: Scope,
    /// Its owner; empty if it has none.
    pub owner: String,
    /// What it is there for, for people.
    pub description: String,
}

/// Why a webhook is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostWebhook {
    /// Somebody deleted it, or its channel.
    Deleted,
    /// Its token is another one now, or was mistyped.
    TokenRefused,
}

/// A stored webhook, without what must not be seen.
#[derive(Clone, Debug)]
pub struct StoredWebhook {
    /// Its id.
    pub id: DestinationId,
    /// What may be shown of its address.
    pub mark: WebhookMark,
    /// What was said when it was stored.
    pub about: NewWebhook,
    /// Whether a person wants it to be used.
    pub enabled: bool,
    /// Why nothing can be sent there any more, until it gets another address.
    pub closed: Option<String>,
    /// Why nothing may be sent there for now.
    pub denied: Option<String>,
    /// How many deliveries wait for it.
    pub waiting: u64,
    /// When something last arrived there.
    pub last_success_at: Option<Timestamp>,
    /// When a test last arrived there.
    pub test_success_at: Option<Timestamp>,
    /// When it was stored.
    pub created_at: Timestamp,
}
