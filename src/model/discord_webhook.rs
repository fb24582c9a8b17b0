//! Stored Discord webhooks: destinations that operators added, with their category and scope.

use std::fmt;

use crate::clock::Timestamp;
use crate::model::{DestinationId, Snowflake, WebhookMark};

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
    /// Company that it belongs to; empty if it belongs to none.
    pub company: String,
    /// Owner of the webhook; empty if it has none.
    pub owner: String,
    /// Free text about its purpose.
    pub description: String,
    /// Icon of its messages.
    pub avatar_url: Option<String>,
    /// Whether messages are sent. What comes while they are not waits.
    pub enabled: bool,
    /// When a message arrived there before it was stored here.
    pub tested_at: Option<Timestamp>,
}

impl NewWebhook {
    /// A webhook of this name, with the defaults of everything else.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            category: Category::Custom,
            scope: Scope::Admin,
            company: String::new(),
            owner: String::new(),
            description: String::new(),
            avatar_url: None,
            enabled: true,
            tested_at: None,
        }
    }
}

/// A change of a stored webhook. `None` leaves a value as it is.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    /// Display name.
    pub name: Option<String>,
    /// Topic that it subscribes to.
    pub category: Option<Category>,
    /// Its audience.
    pub scope: Option<Scope>,
    /// Its owner; an empty one removes it.
    pub owner: Option<String>,
    /// Free text; an empty one removes it.
    pub description: Option<String>,
    /// The icon of its messages; `Some(None)` removes it.
    pub avatar_url: Option<Option<String>>,
    /// Whether messages are sent.
    pub enabled: Option<bool>,
}

impl WebhookChange {
    /// The details after the change.
    #[must_use]
    pub fn applied_to(&self, about: &NewWebhook) -> NewWebhook {
        let text = |given: &Option<String>, old: &String| given.as_ref().unwrap_or(old).clone();
        NewWebhook {
            name: text(&self.name, &about.name),
            category: self.category.unwrap_or(about.category),
            scope: self.scope.unwrap_or(about.scope),
            owner: text(&self.owner, &about.owner),
            description: text(&self.description, &about.description),
            avatar_url: self.avatar_url.as_ref().unwrap_or(&about.avatar_url).clone(),
            enabled: self.enabled.unwrap_or(about.enabled),
            company: about.company.clone(),
            tested_at: about.tested_at,
        }
    }

    /// The names of the values that it sets, for the audit log.
    #[must_use]
    pub fn fields(&self) -> Vec<&'static str> {
        let given = [
            (self.name.is_some(), "name"),
            (self.category.is_some(), "type"),
            (self.scope.is_some(), "scope"),
            (self.owner.is_some(), "owner"),
            (self.description.is_some(), "description"),
            (self.avatar_url.is_some(), "icon"),
            (self.enabled.is_some(), "enabled"),
        ];
        given.into_iter().filter(|(is_given, _)| *is_given).map(|(_, name)| name).collect()
    }
}

/// What Discord says about a webhook that exists (Discord: "Webhook Object").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookIdentity {
    /// Its name in Discord.
    pub name: Option<String>,
    /// The channel that it posts to.
    pub channel: Option<Snowflake>,
    /// The guild of that channel.
    pub guild: Option<Snowflake>,
}

/// Why a webhook is permanently unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostWebhook {
    /// The webhook or its channel was deleted.
    Deleted,
    /// The token was changed, or was mistyped.
    TokenRefused,
}

/// Which stored webhooks are meant. The default: all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookFilter {
    /// Of this company only.
    pub company: Option<String>,
    /// Only the USER webhooks of this owner, and PUBLIC ones. An empty owner has none.
    pub audience: Option<String>,
    /// Of this topic only.
    pub category: Option<Category>,
    /// Of this audience only.
    pub scope: Option<Scope>,
    /// Of this owner only.
    pub owner: Option<String>,
    /// Only enabled ones, or only disabled ones.
    pub enabled: Option<bool>,
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
    /// Discord's answer about it when its address was stored; `None` if Discord could not be reached then.
    pub identity: Option<WebhookIdentity>,
    /// Why it is closed until its address is replaced.
    pub closed: Option<String>,
    /// Why Discord currently denies messages.
    pub denied: Option<String>,
    /// How many deliveries wait for it.
    pub waiting: u64,
    /// Failed attempts since the last message that arrived.
    pub failures: u64,
    /// Discord's answer to the last attempt, if that failed.
    pub last_error: Option<String>,
    /// Messages that arrived in the last 24 hours.
    pub sent: u64,
    /// Attempts that failed in the last 24 hours.
    pub failed: u64,
    /// When a message last arrived there.
    pub last_success_at: Option<Timestamp>,
    /// When a message or a test last arrived there. A new address has none yet.
    pub test_success_at: Option<Timestamp>,
    /// When it was stored.
    pub created_at: Timestamp,
}

impl StoredWebhook {
    /// The share of attempts that failed in the last 24 hours; `None` if there were none.
    #[must_use]
    pub fn failure_rate(&self) -> Option<f64> {
        let all = self.sent + self.failed;
        let rate = self.failed as f64 / all as f64;
        (all > 0).then_some(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // TS-19: what a change leaves out stays, what it sets counts.
    #[test]
    fn a_change_sets_what_it_names_and_nothing_else() {
        let before = NewWebhook {
            avatar_url: Some("https://icons.example/a.png".to_owned()),
            description: "for the night".to_owned(),
            ..NewWebhook::named("Acme")
        };
        assert_eq!(WebhookChange::default().applied_to(&before), before);
        let change = WebhookChange {
            name: Some("Beta".to_owned()),
            category: Some(Category::Vps),
            scope: Some(Scope::User),
            owner: Some("u-1".to_owned()),
            description: Some(String::new()),
            avatar_url: Some(None),
            enabled: Some(false),
        };
        let after = change.applied_to(&before);
        let expected = NewWebhook {
            category: Category::Vps,
            scope: Scope::User,
            owner: "u-1".to_owned(),
            enabled: false,
            ..NewWebhook::named("Beta")
        };
        assert_eq!(after, expected);
        assert_eq!(change.fields().len(), 7);
    }
}
