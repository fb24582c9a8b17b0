//! What a card's buttons ask, and what was said to it.
//!
//! Two facts are kept apart: the [`Verdict`] of people and the word of the [`Platform`]. What a card shows is the
//! [`Phase`] that follows from both.

use std::fmt;
use std::str::FromStr;

use rand::RngExt as _;

use crate::clock::Timestamp;
use crate::model::{DecisionId, EventId, Snowflake, Source};

/// What finds a decision from a click: 128 random bits in base32. It says nothing, and cannot be guessed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Token(String);

impl Token {
    const LEN: usize = 26;
    const ALPHABET: &'static [u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

    /// A fresh one.
    #[must_use]
    pub fn random() -> Self {
        let mut rng = rand::rng();
        Self((0..Self::LEN).map(|_| char::from(Self::ALPHABET[rng.random_range(0..32)])).collect())
    }

    /// The one below every sample: there is no question behind it.
    #[must_use]
    pub fn sample() -> Self {
        Self("sample".repeat(Self::LEN).chars().take(Self::LEN).collect())
    }

    /// Whether it is [`Token::sample`].
    #[must_use]
    pub fn is_sample(&self) -> bool {
        *self == Self::sample()
    }

    /// The characters.
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

/// Gives an enum its words in the database.
macro_rules! words {
    ($name:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $name {
            /// The word in the database and in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads it back.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

/// What is asked or wished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecisionKind {
    /// May this machine join?
    Machine,
    /// The buttons of a ticket.
    Ticket,
    /// The buttons of an alert.
    Alert,
    /// Somebody takes a ticket.
    Take,
    /// Somebody writes a note to a ticket.
    Note,
    /// Somebody closes a ticket.
    Close,
}

words!(DecisionKind {
    Machine => "machine", Ticket => "ticket", Alert => "alert", Take => "take", Note => "note", Close => "close",
});

/// What people said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing yet.
    Open,
    /// Yes.
    Approved,
    /// No.
    Denied,
    /// Nobody decided in time.
    Expired,
    /// Somebody is on it (alerts).
    Taken,
    /// It was wished (take, note, close).
    Made,
}

words!(Verdict {
    Open => "open", Approved => "approved", Denied => "denied", Expired => "expired", Taken => "taken", Made => "made",
});

/// What the platform said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// It was not asked.
    Unasked,
    /// It is being told.
    Telling,
    /// Yes.
    Confirmed,
    /// No.
    Refused,
    /// It has no such call: a person must set its address.
    Held,
}

words!(Platform {
    Unasked => "unasked", Telling => "telling", Confirmed => "confirmed", Refused => "refused", Held => "held",
});

/// Who decided, as they were called then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decider {
    /// Their id on Discord.
    pub id: Snowflake,
    /// Their name.
    pub name: String,
}

/// One question or wish, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// What clicks find it by.
    pub token: Token,
    /// What it is about.
    pub matter: DecisionKind,
    /// Whose thing it is.
    pub source: Source,
    /// The thing.
    pub subject: String,
    /// The customer whose thing it is; empty if none was named.
    pub company: String,
    /// The how manieth question about that thing, from 1 on.
    pub round: u32,
    /// The thing's id in the platform's paths.
    pub object: String,
    /// What people call it.
    pub label: String,
    /// The event whose card asks.
    pub event_id: EventId,
    /// How often it was asked in this round.
    pub asked: u32,
    /// When it was last asked.
    pub asked_at: Timestamp,
    /// What people said.
    pub verdict: Verdict,
    /// What the platform said.
    pub platform: Platform,
    /// Who decided; `None` if nobody did, or not here.
    pub decider: Option<Decider>,
    /// Their reason, or the text of their note.
    pub reason: Option<String>,
    /// When they did.
    pub decided_at: Option<Timestamp>,
    /// When the platform said by itself that it is approved.
    pub elsewhere_at: Option<Timestamp>,
    /// How often the platform was called.
    pub attempts: u32,
    /// When it is called next.
    pub due_at: Option<Timestamp>,
    /// What it answered.
    pub said: Option<String>,
    /// When it gave its word.
    pub settled_at: Option<Timestamp>,
    /// When the question ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was first asked.
    pub created_at: Timestamp,
}

/// What a machine's card shows (the contract's table).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Waiting for somebody.
    Pending,
    /// Decided here; the platform is being told.
    Deciding,
    /// Approved, and the platform knows.
    Approved,
    /// Denied, and the platform knows.
    Denied,
    /// Decided here, and the platform said no.
    SaidNo,
    /// Approved on the platform.
    Elsewhere,
    /// Nobody decided in time.
    Expired,
}

impl Decision {
    /// What its card shows.
    #[must_use]
    pub fn phase(&self) -> Phase {
        if self.elsewhere_at.is_some() {
            return Phase::Elsewhere;
        }
        match (self.verdict, self.platform) {
            (Verdict::Open | Verdict::Taken | Verdict::Made, _) => Phase::Pending,
            (Verdict::Expired, _) => Phase::Expired,
            (_, Platform::Refused | Platform::Held) => Phase::SaidNo,
            (_, Platform::Unasked | Platform::Telling) => Phase::Deciding,
            (Verdict::Approved, Platform::Confirmed) => Phase::Approved,
            (Verdict::Denied, Platform::Confirmed) => Phase::Denied,
        }
    }

    /// Whether the platform was not yet called: the decision can be taken back.
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
