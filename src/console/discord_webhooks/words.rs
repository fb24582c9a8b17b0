//! Stored webhooks in words: what a type and a scope are for, how a webhook is, and times.

use crate::clock::Timestamp;
use crate::model::{Category, Scope, StoredWebhook};

/// The name of a type, and what arrives there.
pub(super) const fn category(category: Category) -> (&'static str, &'static str) {
    match category {
        Category::GameServer => ("Game servers", "A game server goes online, goes offline or crashes."),
        Category::Vps => ("Nodes", "A node's CPU, memory, disk or network passes its threshold."),
        Category::System => {
            ("System", "A synchronization ends, settings change, or nuncio itself has a problem.")
        }
        Category::Billing => ("Billing", "Invoices, payments and subscriptions."),
        Category::Security => ("Errors and alerts", "The application reports an error or an alert."),
        Category::Support => ("Support", "A support ticket is opened, updated or resolved."),
        Category::Custom => {
            ("Custom", "Messages of the application's own making, and routes that name this webhook.")
        }
    }
}

/// The name of a scope, and who it is.
pub(super) const fn scope(scope: Scope) -> (&'static str, &'static str) {
    match scope {
        Scope::Admin => ("Your team", "Everything of this type that is not for one customer or the public."),
        Scope::User => ("One customer", "Only what is about this customer. Fill in the customer's id below."),
        Scope::Public => {
            ("The public", "Only what the application marks as public, for instance a status channel.")
        }
    }
}

/// Who a webhook is for.
pub(super) fn audience(webhook: &StoredWebhook) -> String {
    let about = &webhook.about;
    match about.scope {
        Scope::User => format!("Customer {}", about.owner),
        scope if about.owner.is_empty() => self::scope(scope).0.to_owned(),
        scope => format!("{} (owner {})", self::scope(scope).0, about.owner),
    }
}

/// How a webhook is.
pub(super) struct State {
    /// The class of its color; the words say the same.
    pub(super) tone: &'static str,
    /// In a word or two.
    pub(super) word: &'static str,
    /// Why, and what to do; may be empty.
    pub(super) detail: String,
}

impl State {
    /// The state of `webhook`.
    pub(super) fn of(webhook: &StoredWebhook) -> Self {
        let state = |tone, word, detail: String| Self { tone, word, detail };
        if let Some(why) = &webhook.closed {
            let detail = format!("{} Nothing is sent until you replace its address.", sentence(why));
            return state("bad", if webhook.about.enabled { "Closed" } else { "Off, and closed" }, detail);
        }
        if !webhook.about.enabled {
            return state("off", "Off", "What comes for it waits.".to_owned());
        }
        if let Some(why) = &webhook.denied {
            return state(
                "bad",
                "Refused by Discord",
                format!("{} nuncio tries again by itself.", sentence(why)),
            );
        }
        if let Some(error) = webhook.last_error.as_ref().filter(|_| webhook.failures > 0) {
            let times = if webhook.failures == 1 { "The last try failed" } else { "The last tries failed" };
            return state("warn", "Failing", format!("{times} ({}). {}", webhook.failures, sentence(error)));
        }
        match webhook.last_success_at.or(webhook.test_success_at) {
            Some(_) => state("good", "Works", String::new()),
            None => state("new", "Not tried yet", "Press Test to see a message arrive.".to_owned()),
        }
    }
}

/// The text as a sentence: with a capital letter and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// A time as people read it.
pub(super) struct When {
    /// For programs.
    pub(super) datetime: String,
    /// `2026-11-30 18:40 UTC`.
    pub(super) absolute: String,
    /// `5 minutes ago`.
    pub(super) relative: String,
}

impl When {
    /// The time `at`, seen from `now`.
    pub(super) fn new(at: Timestamp, now: Timestamp) -> Self {
        let datetime = at.to_rfc3339();
        let absolute = datetime
            .get(..16)
            .map_or_else(|| datetime.clone(), |text| format!("{} UTC", text.replacen('T', " ", 1)));
        Self { absolute, datetime, relative: ago(now.since(at).as_secs()) }
    }
}

fn ago(seconds: u64) -> String {
    let of = |count: u64, unit: &str| match count {
        1 => format!("1 {unit} ago"),
        count => format!("{count} {unit}s ago"),
    };
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => of(seconds / 60, "minute"),
        3600..172_800 => of(seconds / 3600, "hour"),
        seconds => of(seconds / 86_400, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(0, "just now")]
    #[case(60, "1 minute ago")]
    #[case(7_199, "1 hour ago")]
    #[case(86_400, "24 hours ago")]
    #[case(172_800, "2 days ago")]
    fn times_are_read_at_a_glance(#[case] seconds: u64, #[case] words: &str) {
        assert_eq!(ago(seconds), words);
    }

    #[test]
    fn reasons_become_sentences() {
        assert_eq!(sentence("the webhook was deleted"), "The webhook was deleted.");
        assert_eq!(sentence("Unknown Webhook."), "Unknown Webhook.");
        assert_eq!(sentence(""), ".");
    }
}
