//! Outcome of one attempt to send a message. The sink classifies it, the lane schedules what follows.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::model::Snowflake;

/// Proof that a request had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// A message was posted or edited on Discord.
    Message {
        /// The message's channel.
        channel: Snowflake,
        /// The message's id; `None` if it was posted and has been deleted since, so that Discord no longer names it.
        message: Option<Snowflake>,
    },
    /// A call was confirmed. Nothing was posted to a channel.
    Call,
}

impl Receipt {
    /// The channel of the message.
    #[must_use]
    pub const fn channel(self) -> Option<Snowflake> {
        match self {
            Self::Message { channel, .. } => Some(channel),
            Self::Call => None,
        }
    }

    /// The message's id on Discord.
    #[must_use]
    pub const fn message(self) -> Option<Snowflake> {
        match self {
            Self::Message { message, .. } => message,
            Self::Call => None,
        }
    }
}

/// Whether a failed request may have arrived nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// No: the request cannot have had an effect.
    No,
    /// Possibly: only this starts the nonce window.
    Maybe,
}

/// Scope of a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseScope {
    /// Every request with this token (401).
    Account,
    /// Every request from this IP address to Discord (global limit).
    Address,
    /// Every request from this IP address, for as long as the circuit breaker decides: the edge in front of Discord's
    /// API bans the address and gives no trustworthy duration.
    Ban,
}

/// Why something was refused or closed, as a sentence for the operator. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Wraps the sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// The sentence.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Outcome of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Posted on Discord, or confirmed by the platform.
    Sent(Receipt),
    /// A failure of the destination or the network: the lane waits and retries the same message.
    Retry {
        /// The minimum wait, if the other side asked for one.
        after: Option<Duration>,
        /// Whether the request may have arrived.
        arrived: Arrived,
    },
    /// The message itself is at fault: one other form of it is tried, then its deliveries are dead letters.
    Refused(Reason),
    /// Discord currently denies messages there: everything waits, with a retry once in a while.
    Denied(Reason),
    /// The message to edit is not editable: a new one replaces it.
    Uneditable(Reason),
    /// Nothing can be sent there until an operator acts; the deliveries wait.
    Closed(Reason),
    /// All requests within a scope must wait.
    Paused {
        /// Which requests must wait.
        scope: PauseScope,
        /// Duration of the pause.
        after: Duration,
    },
}

/// Generates the classes and the list of all of them from the same lines, so that the list is always complete.
macro_rules! classes {
    ($($class:ident $word:literal,)+) => {
        /// Class of an outcome, as metrics count it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is an outcome, which says what it is")]
        pub enum Class { $($class,)+ }

        impl Class {
            /// All classes, in numeric order.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$class),+];

            /// The word in logs, metrics and the `attempts` table.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$class => $word,)+ }
            }
        }
    };
}

classes! {
    Sent "sent",
    Retry "retry",
    Ambiguous "ambiguous",
    Refused "refused",
    Denied "denied",
    Uneditable "uneditable",
    Closed "closed",
    Paused "paused",
}

impl Outcome {
    /// Class of the outcome.
    #[must_use]
    pub const fn kind(&self) -> Class {
        match self {
            Self::Sent(_) => Class::Sent,
            Self::Retry { arrived: Arrived::No, .. } => Class::Retry,
            Self::Retry { arrived: Arrived::Maybe, .. } => Class::Ambiguous,
            Self::Refused(_) => Class::Refused,
            Self::Denied(_) => Class::Denied,
            Self::Uneditable(_) => Class::Uneditable,
            Self::Closed(_) => Class::Closed,
            Self::Paused { .. } => Class::Paused,
        }
    }

    /// Whether Discord currently denies messages there.
    #[must_use]
    pub const fn is_denied(&self) -> bool {
        matches!(self, Self::Denied(_))
    }

    /// The class as a word, for logs, counters and the `attempts` table.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        self.kind().as_str()
    }
}

/// One attempt: one HTTP exchange for one message.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Start of the exchange.
    pub started_at: Timestamp,
    /// Duration of the exchange.
    pub took: Duration,
    /// HTTP status, if there was a response.
    pub status: Option<u16>,
    /// Discord's error code, if the response had one.
    pub code: Option<u64>,
    /// Body of a failed response, for the operator; a few hundred bytes at most.
    pub response: Vec<u8>,
    /// Whether the rate limit that was hit is shared with other applications.
    pub shared_limit: bool,
    /// The wait that the destination requested after this exchange, whatever the outcome.
    pub cooldown: Duration,
    /// Classified result.
    pub outcome: Outcome,
}

impl Attempt {
    /// An attempt without a response: the caller overrides whatever else it knows.
    #[must_use]
    pub const fn unanswered(started_at: Timestamp, outcome: Outcome) -> Self {
        Self {
            started_at,
            took: Duration::ZERO,
            status: None,
            code: None,
            response: Vec::new(),
            shared_limit: false,
            cooldown: Duration::ZERO,
            outcome,
        }
    }

    /// Whether a request was made: an attempt that never began took no time.
    #[must_use]
    pub const fn was_asked(&self) -> bool {
        self.status.is_some() || !self.took.is_zero()
    }

    /// Whether the webhook itself is gone (Discord: 10015, or a 404 without details).
    #[must_use]
    pub const fn tells_of_a_deleted_webhook(&self) -> bool {
        matches!((self.status, self.code), (_, Some(10_015)) | (Some(404), None | Some(0 | 404)))
    }

    /// Whether Discord counts it toward a ban of the IP address (Discord: "Invalid Request Limit"): 401, 403, and 429
    /// unless the limit is shared. A 401 without Discord's error object comes from a proxy.
    #[must_use]
    pub fn counts_as_invalid(&self) -> bool {
        match self.status {
            Some(401) => self.code.is_some(),
            Some(403) => true,
            Some(429) => !self.shared_limit,
            _ => false,
        }
    }

    /// Whether it failed the way everything fails while Discord is unreachable: no response, a server error, or a
    /// response that is not Discord's own. The next success of any lane ends such a wait.
    #[must_use]
    pub const fn is_outage(&self) -> bool {
        if !matches!(self.outcome, Outcome::Retry { .. }) || !self.was_asked() {
            return false;
        }
        match self.status {
            None | Some(408 | 500..) => true,
            Some(429) => false,
            Some(_) => self.code.is_none(),
        }
    }

    /// Whether something other than Discord responded, or the response proves nothing.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        self.is_outage() && matches!(self.status, Some(200..=407 | 409..=499))
    }
}
