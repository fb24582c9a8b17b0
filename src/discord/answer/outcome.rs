//! Response → outcome: which proof makes a success, and which status and code lead to which outcome.

use std::time::Duration;

use super::Answer;
use crate::discord::code::{Meaning, meaning, webhook_meaning};
use crate::discord::limits;
use crate::model::schedule::FIRST_PROBE;
use crate::model::{Arrived, Outcome, PauseScope, Reason, Receipt, Snowflake, WebhookUrl};

/// Default pause when Discord gives no time.
const A_MINUTE: Duration = Duration::from_secs(60);
/// How long nothing is sent with a refused token.
const TOKEN_REFUSED: Duration = Duration::from_secs(3600);

/// May have arrived: nothing proves that it did, or that it did not.
const IN_DOUBT: Outcome = Outcome::Retry { after: None, arrived: Arrived::Maybe };

/// The parts of a "Create Message" request that its response must match.
#[derive(Clone, Copy, Debug)]
pub(in crate::discord) struct Creation<'a> {
    /// The target channel.
    pub(in crate::discord) channel: Snowflake,
    pub(in crate::discord) nonce: &'a str,
    pub(in crate::discord) content: Option<&'a str>,
    /// Whether an earlier try may have arrived: then the response may show the first message as a later read shows it.
    pub(in crate::discord) is_repeat: bool,
    /// Whether the real Discord responds: it echoes the nonce, compatible servers need not.
    pub(in crate::discord) is_discord: bool,
}

impl Answer {
    /// The outcome of a response to "Create Message".
    pub(in crate::discord) fn outcome(&self, sent: &Creation<'_>) -> Outcome {
        match (self.status, self.code()) {
            (200..=299, _) => match self.id("id").filter(|_| self.is_of(sent)) {
                Some(id) => Outcome::Sent(Receipt::Message { channel: sent.channel, message: Some(id) }),
                None => IN_DOUBT,
            },
            // The message with this nonce existed and has been deleted: it was delivered. A nonce that was never sent
            // before cannot be known: the response belongs to another request.
            (404, Some(10008)) if sent.is_repeat => {
                Outcome::Sent(Receipt::Message { channel: sent.channel, message: None })
            }
            (404, Some(10008)) => IN_DOUBT,
            _ => self.trouble(),
        }
    }

    /// Whether it is the response to this message, and not to another request on the same connection.
    fn is_of(&self, sent: &Creation<'_>) -> bool {
        match self.json.as_ref().and_then(|json| json.get("nonce")).filter(|nonce| !nonce.is_null()) {
            Some(nonce) => nonce.as_str() == Some(sent.nonce),
            None => {
                (sent.is_repeat || !sent.is_discord)
                    && self.id("channel_id") == Some(sent.channel)
                    && self.text("content").is_some_and(|content| Some(content) == sent.content)
            }
        }
    }

    /// The outcome of a response that is not a success.
    pub(in crate::discord) fn trouble(&self) -> Outcome {
        if matches!(self.status, 403 | 429) && self.json.is_none() {
            return Outcome::Paused { scope: PauseScope::Ban, after: FIRST_PROBE };
        }
        if !self.is_discords() {
            let refused = (300..=499).contains(&self.status) && self.status != 408;
            return if refused { Outcome::Retry { after: None, arrived: Arrived::No } } else { IN_DOUBT };
        }
        let after = limits::retry_after(&self.headers, self.json.as_ref());
        let wait = after.unwrap_or(A_MINUTE);
        match (self.status, self.code().and_then(meaning)) {
            (429, _) if limits::is_global(&self.headers, self.json.as_ref()) => {
                Outcome::Paused { scope: PauseScope::Address, after: wait }
            }
            (429, _) => Outcome::Retry { after, arrived: Arrived::No },
            (500..=599 | 408, _) => Outcome::Retry { after, arrived: Arrived::Maybe },
            (400..=499, Some(Meaning::Closed(why))) => Outcome::Closed(Reason::new(why)),
            (400..=499, Some(Meaning::Denied)) => Outcome::Denied(self.reason()),
            (400..=499, Some(Meaning::RateLimited)) => {
                Outcome::Retry { after: Some(wait), arrived: Arrived::No }
            }
            (400..=499, Some(Meaning::Wall)) => {
                Outcome::Paused { scope: PauseScope::Ban, after: FIRST_PROBE }
            }
            (401, _) => Outcome::Paused { scope: PauseScope::Account, after: TOKEN_REFUSED },
            (403, None) => Outcome::Denied(self.reason()),
            (404 | 300..=399, None) => Outcome::Retry { after: Some(A_MINUTE), arrived: Arrived::No },
            _ => Outcome::Refused(self.reason()),
        }
    }

    /// The outcome of a response to "Edit Message".
    pub(in crate::discord) fn edit_outcome(&self, channel: Snowflake, message: Snowflake) -> Outcome {
        match (self.status, self.code()) {
            (200..=299, _) if self.id("id") == Some(message) => {
                Outcome::Sent(Receipt::Message { channel, message: Some(message) })
            }
            (200..=299, _) => IN_DOUBT,
            // Deleted; another author's; too many edits of an old message; in an archived thread, which a new post
            // reopens.
            (_, Some(10008 | 50005 | 30046 | 50083)) => Outcome::Uneditable(self.reason()),
            // Spacebar sends no more than this for a deleted message. Discord has no such code.
            (404, Some(404)) => Outcome::Uneditable(self.reason()),
            _ => self.trouble(),
        }
    }

    /// The outcome of a response to "Execute Webhook". A bad webhook address is no evidence about the bot's token.
    pub(in crate::discord) fn webhook_outcome(&self, url: &WebhookUrl, is_discord: bool) -> Outcome {
        match (self.status, self.webhook_closed()) {
            (200..=299, _) => match self.id("id").filter(|_| self.is_through(url, is_discord)) {
                Some(id) => {
                    Outcome::Sent(Receipt::Message { channel: self.channel_of(url), message: Some(id) })
                }
                None => IN_DOUBT,
            },
            (_, Some(why)) => Outcome::Closed(Reason::new(why)),
            _ => self.trouble(),
        }
    }

    /// The outcome of a response to "Edit Webhook Message".
    pub(in crate::discord) fn webhook_edit_outcome(&self, url: &WebhookUrl, message: Snowflake) -> Outcome {
        match (self.status, self.code()) {
            (200..=299, _) if self.id("id") == Some(message) => {
                Outcome::Sent(Receipt::Message { channel: self.channel_of(url), message: Some(message) })
            }
            (200..=299, _) => IN_DOUBT,
            (_, Some(10008 | 50005 | 30046 | 50083)) => Outcome::Uneditable(self.reason()),
            _ => self.webhook_outcome(url, false),
        }
    }

    /// Why the webhook must not be used again, if the response proves that.
    fn webhook_closed(&self) -> Option<&'static str> {
        self.is_discords().then(|| webhook_meaning(self.status, self.code())).flatten()
    }

    /// Whether the returned message was posted through this webhook.
    fn is_through(&self, url: &WebhookUrl, is_discord: bool) -> bool {
        self.id("webhook_id").map_or(!is_discord, |webhook| webhook == url.id())
    }

    /// The channel of a message posted through a webhook. Falls back to the thread, then to the webhook's id.
    fn channel_of(&self, url: &WebhookUrl) -> Snowflake {
        self.id("channel_id").or(url.thread()).unwrap_or(url.id())
    }
}
