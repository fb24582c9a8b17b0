//! Decisions: the question that a card's buttons ask, and the answers to it.
//!
//! Two facts are kept apart: the [`Verdict`] of people and the answer of the [`CallState`]. The [`Phase`] that a card
//! shows follows from both.

use std::fmt;
use std::str::FromStr;

use rand::RngExt as _;

use crate::clock::Timestamp;
use crate::model::{DecisionId, EventId, Snowflake, Source};

/// Finds a decision from a click: 128 random bits in base32. It reveals nothing and cannot be guessed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(String);

impl Token {
    const LEN: usize = 26;
    const ALPHABET: &'static [u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

    /// A fresh random token.
    #[must_use]
    pub fn random() -> Self {
        let mut rng = rand::rng();
        Self((0..Self::LEN).map(|_| char::from(Self::ALPHABET[rng.random_range(0..32)])).collect())
    }

    /// The token on every sample card: it belongs to no decision.
    #[must_use]
    pub fn sample() -> Self {
        Self("sample".repeat(Self::LEN).chars().take(Self::LEN).collect())
    }

    /// Whether it is [`Token::sample`].
    #[must_use]
    pub fn is_sample(&self) -> bool {
        *self == Self::sample()
    }

    /// The base32 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Token {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fits = text.len() == Self::LEN && text.bytes().all(|byte| Self::ALPHABET.contains(&byte));
        fits.then(|| Self(text.to_owned())).ok_or(())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Implements an enum's database words.
macro_rules! words {
    ($name:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $name {
            /// The word in the database and in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Parses the database word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

/// Kind of a decision: a question, or an action that a person requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecisionKind {
    /// Whether a machine may join.
    Machine,
    /// The buttons of a ticket.
    Ticket,
    /// The buttons of an alert.
    Alert,
    /// A person takes a ticket.
    Take,
    /// A person adds a note to a ticket.
    Note,
    /// A person closes a ticket.
    Close,
}

words!(DecisionKind {
    Machine => "machine", Ticket => "ticket", Alert => "alert", Take => "take", Note => "note", Close => "close",
});

/// What people decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// No decision yet.
    Open,
    /// Approved by a person.
    Approved,
    /// Denied by a person.
    Denied,
    /// Expired: no person decided in time.
    Expired,
    /// A person is handling it (alerts).
    Taken,
    /// Requested by a person (take, note, close).
    Requested,
}

words!(Verdict {
    Open => "open", Approved => "approved", Denied => "denied", Expired => "expired", Taken => "taken", Requested => "requested",
});

/// State of the call to the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallState {
    /// Not called.
    NotCalled,
    /// The call is in progress.
    Calling,
    /// Accepted by the platform.
    Confirmed,
    /// Rejected by the platform.
    Refused,
    /// Held: no such call exists at the platform, and the operator must configure its path.
    Held,
}

words!(CallState {
    NotCalled => "not_called", Calling => "calling", Confirmed => "confirmed", Refused => "refused", Held => "held",
});

/// Who decided, with the display name at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decider {
    /// Discord's user id.
    pub id: Snowflake,
    /// Display name.
    pub name: String,
}

/// Current state of one question or requested action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Identifies the decision; also the idempotency key of its call.
    pub id: DecisionId,
    /// Finds the decision from a click.
    pub token: Token,
    /// Kind of the decision.
    pub kind: DecisionKind,
    /// The source that the subject belongs to.
    pub source: Source,
    /// The subject, as in the event.
    pub subject: String,
    /// The subject's customer; empty if none was named.
    pub company: String,
    /// Which round of questions about this subject, starting at 1.
    pub round: u32,
    /// The object's id in the platform's API paths.
    pub object: String,
    /// Display name of the subject.
    pub label: String,
    /// The event whose card asks.
    pub event_id: EventId,
    /// How many times this round asked.
    pub asked: u32,
    /// When this round last asked.
    pub asked_at: Timestamp,
    /// What people decided.
    pub verdict: Verdict,
    /// State of the call to the platform.
    pub platform: CallState,
    /// Who decided; `None` if undecided, or decided on the platform.
    pub decider: Option<Decider>,
    /// The decider's reason, or the text of the note.
    pub reason: Option<String>,
    /// When the decision was made.
    pub decided_at: Option<Timestamp>,
    /// When the platform reported an approval of its own.
    pub approved_upstream_at: Option<Timestamp>,
    /// How many calls to the platform were attempted.
    pub attempts: u32,
    /// When the next call is due.
    pub due_at: Option<Timestamp>,
    /// The platform's reply.
    pub platform_reply: Option<String>,
    /// When the platform gave its final answer.
    pub settled_at: Option<Timestamp>,
    /// When the question expires.
    pub expires_at: Option<Timestamp>,
    /// When the question was first asked.
    pub created_at: Timestamp,
}

/// The state that a machine's card shows (the contract's table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Waiting for a decision.
    Pending,
    /// Decided here; the call to the platform is in progress.
    Deciding,
    /// Approved, and the platform confirmed.
    Approved,
    /// Denied, and the platform confirmed.
    Denied,
    /// Decided here, and the platform rejected it.
    RefusedByPlatform,
    /// Approved on the platform.
    ApprovedUpstream,
    /// No person decided in time.
    Expired,
}

impl Decision {
    /// The phase that the decision's card shows.
    #[must_use]
    pub fn phase(&self) -> Phase {
        if self.approved_upstream_at.is_some() {
            return Phase::ApprovedUpstream;
        }
        match (self.verdict, self.platform) {
            (Verdict::Open | Verdict::Taken | Verdict::Requested, _) => Phase::Pending,
            (Verdict::Expired, _) => Phase::Expired,
            (_, CallState::Refused | CallState::Held) => Phase::RefusedByPlatform,
            (_, CallState::NotCalled | CallState::Calling) => Phase::Deciding,
            (Verdict::Approved, CallState::Confirmed) => Phase::Approved,
            (Verdict::Denied, CallState::Confirmed) => Phase::Denied,
        }
    }

    /// Whether the decision can be undone: the platform was not called yet.
    #[must_use]
    pub fn can_be_undone(&self) -> bool {
        self.phase() == Phase::Deciding && self.attempts == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_128_bits_that_say_nothing() {
        let token = Token::random();
        assert_eq!(token.as_str().parse(), Ok(token.clone()));
        assert_ne!(Token::random(), token);
        assert_eq!(format!("{token:?}"), "***");
        // D-5
        for wrong in
            ["", "a", &"A".repeat(26), &"a".repeat(27), &"a".repeat(100), "aaaaaaaaaaaaaaaaaaaaaaaaa\u{0}"]
        {
            assert!(wrong.parse::<Token>().is_err(), "{wrong:?}");
        }
    }
}
