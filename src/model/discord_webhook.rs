//! Stored Discord webhooks: destinations that operators added, with their category and scope.

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
            /// All values.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word in the database, on the command line and in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Parses that word.
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
    /// Topic that a webhook subscribes to.
    Category {
        /// Game server states.
        GameServer = "GAME_SERVER",
        /// Nodes and their resources.
        Vps = "VPS",
        /// Synchronization, settings, maintenance.
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
    /// Audience of a webhook.
    Scope {
        /// The platform's administrators.
        Admin = "ADMIN",
        /// One customer: the webhook's owner.
        User = "USER",
        /// The public.
        Public = "PUBLIC",
    }
}

/// Details of a webhook to store, without its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWebhook {
    /// Display name.
    pub name: String,
    /// Topic that it subscribes to.
    pub category: Category,
    /// Its audience.
    pub scope: Scope,
    /// Owner of the webhook; empty if it has none.
    pub owner: String,
    /// Free text about its purpose.
    pub description: String,
}

/// Why a webhook is permanently unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostWebhook {
    /// The webhook or its channel was deleted.
    Deleted,
    /// The token was changed, or was mistyped.
    TokenRefused,
}

/// A stored webhook, without its secret parts.
#[derive(Clone, Debug)]
pub struct StoredWebhook {
    /// The destination's id.
    pub id: DestinationId,
    /// The visible part of its address.
    pub mark: WebhookMark,
    /// The details given when it was stored.
    pub about: NewWebhook,
    /// Whether an operator has it enabled.
    pub enabled: bool,
    /// Why it is closed until its address is replaced.
    pub closed: Option<String>,
    /// Why Discord currently denies messages.
    pub denied: Option<String>,
    /// How many deliveries wait for it.
    pub waiting: u64,
    /// When a message last arrived there.
    pub last_success_at: Option<Timestamp>,
    /// When a test message last arrived there.
    pub test_success_at: Option<Timestamp>,
    /// When it was stored.
    pub created_at: Timestamp,
}
