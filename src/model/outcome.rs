//! What came of one try to send a message. Outcomes are decided by the sink and scheduled by the lane.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::model::Snowflake;

/// Proof that a message stands in Discord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Where it stands.
    pub channel: Snowflake,
    /// Its id; `None` if Discord's answer said "done" but could not be read.
    pub message: Option<Snowflake>,
}

/// Whether a request that failed may have arrived all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// It cannot have had an effect.
    No,
    /// It may have: only this starts the nonce window.
    Maybe,
}

/// How far a pause reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseScope {
    /// Everything that uses this token (401).
    Account,
    /// Everything that leaves this address for Discord (global limit).
    Address,
    /// The same, for as long as the circuit breaker says: what stands before Discord's API bans this address, and gives
    /// no time that could be believed.
    Ban,
}

/// Why something was refused or closed, in a sentence for the operator. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Takes the sentence.
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

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It stands in Discord.
    Sent(Receipt),
    /// The destination's or the network's trouble: the lane waits and tries the same message again.
    Retry {
        /// Not before this span is over, if the other side said so.
        after: Option<Duration>,
        /// Whether it may have arrived.
        arrived: Arrived,
    },
    /// The message's own fault: another form of it is tried once, then its deliveries are dead.
    Refused(Reason),
    /// We may not send there for now: everything waits, and is tried again once in a while.
    Denied(Reason),
    /// The message to be changed cannot be: a new one takes its place.
    Uneditable(Reason),
    /// Nothing can be sent there until a person acts; the deliveries wait.
    Closed(Reason),
    /// Nothing can be sent by anybody for a while.
    Paused {
        /// Who must wait.
        scope: PauseScope,
        /// How long.
        after: Duration,
    },
}

/// Makes the classes and the list of all of them from the same lines, so that none can be left out of it.
macro_rules! classes {
    ($($class:ident $word:literal,)+) => {
        /// What kind of outcome it is: what is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is an outcome, which says what it is")]
        pub enum Class { $($class,)+ }

        impl Class {
            /// All of them, in the order of their numbers.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$class),+];

            /// Its word in logs, metrics and the `attempts` table.
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
    /// What kind it is.
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

    /// Whether we may not send there for now.
    #[must_use]
    pub const fn is_denied(&self) -> bool {
        matches!(self, Self::Denied(_))
    }

    /// One word for logs, counters and the `attempts` table.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        self.kind().as_str()
    }
}

/// One HTTP exchange of one message.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Discord's own error code, if it gave one.
    pub code: Option<u64>,
    /// What was answered instead of a message, for the operator; a few hundred bytes at most.
    pub response: Vec<u8>,
    /// Whether the limit that was hit is shared with other applications.
    pub shared_limit: bool,
    /// How long the destination asked to be left alone after this, whatever the outcome.
    pub cooldown: Duration,
    /// What it comes to.
    pub outcome: Outcome,
}

impl Attempt {
    /// A try without an answer: what else is known of it is put over this.
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

    /// Whether anything was asked of the other side: what was never begun took no time.
    #[must_use]
    pub const fn was_asked(&self) -> bool {
        self.status.is_some() || !self.took.is_zero()
    }

    /// Whether the webhook itself is gone (Discord: 10015, or a 404 that says no more).
    #[must_use]
    pub const fn tells_of_a_deleted_webhook(&self) -> bool {
        matches!((self.status, self.code), (_, Some(10_015)) | (Some(404), None | Some(0 | 404)))
    }

    /// Whether Discord counts it towards a ban of the address (Discord: "Invalid Request Limit"): 401, 403, and 429
    /// unless the limit is shared with others. A 401 without Discord's error object is a proxy's.
    #[must_use]
    pub fn counts_as_invalid(&self) -> bool {
        match self.status {
            Some(401) => self.code.is_some(),
            Some(403) => true,
            Some(429) => !self.shared_limit,
            _ => false,
        }
    }

    /// Whether it failed as everything fails while Discord is out of reach: no answer, a server error, or an answer
    /// that is not Discord's own. The next success of anybody ends such a wait.
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

    /// Whether something else answered in Discord's place, or so that nothing is proven.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        self.is_outage() && matches!(self.status, Some(200..=407 | 409..=499))
    }
}
