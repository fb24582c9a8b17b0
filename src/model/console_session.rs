//! Sessions of the console: who is signed in, and the random texts that prove it.

use std::fmt;
use std::time::Duration;

use rand::RngExt as _;

use crate::clock::Timestamp;
use crate::model::{Actor, ConsoleSessionId};
use crate::secret::Secret;
use crate::signature::{sha256, sha256_hex};

/// How long a one-time link is valid.
pub const CONSOLE_LINK_VALID: Duration = Duration::from_secs(10 * 60);
/// A session ends when it was not used for this long.
pub const CONSOLE_SESSION_IDLE: Duration = Duration::from_secs(12 * 3600);
/// A session ends this long after sign-in, however much it is used.
pub const CONSOLE_SESSION_LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Random bytes of a token.
const RANDOM: usize = 32;

/// A browser that is signed in to the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleSession {
    /// Its id, which is no secret.
    pub id: ConsoleSessionId,
    /// Who made the link: "alice (console)".
    pub name: String,
    /// When it signed in.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Timestamp,
}

impl ConsoleSession {
    /// The actor of its audit entries.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Session { id: self.id, name: self.name.clone() }
    }

    /// Whether it is over at `now`.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.used_at) >= CONSOLE_SESSION_IDLE
            || now.since(self.created_at) >= CONSOLE_SESSION_LONGEST
    }
}

/// The secret text of a one-time link or of a session's cookie: 256 random bits as 64 hex digits. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct ConsoleToken(Secret);

impl ConsoleToken {
    /// A new random token.
    #[must_use]
    pub fn generate() -> Self {
        let mut random = [0_u8; RANDOM];
        rand::rng().fill(&mut random);
        Self(Secret::new(hex::encode(random)))
    }

    /// Checks the form of what a browser sent; `None` if it cannot be a token that nuncio made.
    #[must_use]
    pub fn parse(given: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (given.len() == 2 * RANDOM && given.bytes().all(is_hex)).then(|| Self(Secret::new(given)))
    }

    /// The text itself, for the link and the cookie.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.0
    }

    /// What the database keeps of it. A random token needs no slow hash.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256(&[self.0.expose().as_bytes()])
    }

    /// The text that every form of this session carries. Another site cannot read it, and the cookie cannot be computed
    /// from it.
    #[must_use]
    pub fn form_token(&self) -> Secret {
        Secret::new(sha256_hex(&[b"nuncio console form", self.0.expose().as_bytes()]))
    }
}

impl fmt::Debug for ConsoleToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_new_each_time_and_read_strictly() {
        let (one, other) = (ConsoleToken::generate(), ConsoleToken::generate());
        assert_ne!(one.hash(), other.hash());
        assert_ne!(one.form_token(), other.form_token());
        let text = one.secret().expose().to_owned();
        assert_eq!(ConsoleToken::parse(&text), Some(one.clone()));
        assert_eq!(format!("{one:?}"), "***");
        for wrong in ["", &text[1..], &format!("{text}0"), &text.to_uppercase(), &"g".repeat(64)] {
            assert!(wrong == text || ConsoleToken::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
        let start = Timestamp::from_millis(1_700_000_000_000);
        let session = |used| ConsoleSession {
            id: ConsoleSessionId::new(),
            name: "alice (console)".to_owned(),
            created_at: start,
            used_at: used,
        };
        let second = Duration::from_secs(1);
        assert!(!session(start).is_over(start.plus(CONSOLE_SESSION_IDLE - second)));
        assert!(session(start).is_over(start.plus(CONSOLE_SESSION_IDLE)));
        let end = start.plus(CONSOLE_SESSION_LONGEST);
        assert!(session(end).is_over(end));
        assert!(!session(end).is_over(start.plus(CONSOLE_SESSION_LONGEST - second)));
    }
}
