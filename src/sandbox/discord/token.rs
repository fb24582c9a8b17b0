//! Tokens of bots and people: created in Discord's format, checked and revoked.

use std::collections::HashMap;

use rand::RngExt;

use crate::sandbox::Snowflake;
use crate::secret::Secret;

/// The kind of a token's holder, which decides the form of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `Authorization: Bot <token>`.
    Bot,
    /// `Authorization: <token>`.
    Person,
}

/// An authenticated caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) user: Snowflake,
    pub(super) kind: Kind,
}

/// All valid tokens.
#[derive(Default)]
pub(super) struct Tokens(HashMap<String, Caller>);

impl Tokens {
    /// A new random token for `user`: three parts separated by dots, the first the user's id in base64, as in
    /// Discord's (libraries read that part).
    pub(super) fn mint(&mut self, user: Snowflake, kind: Kind) -> Secret {
        let first = base64(user.to_string().as_bytes());
        let token = format!("{first}.{}.{}", random_text(6), random_text(38));
        self.0.insert(token.clone(), Caller { user, kind });
        Secret::new(token)
    }

    /// The token of `user`, if it is valid.
    pub(super) fn of(&self, user: Snowflake) -> Option<Secret> {
        self.0.iter().find(|(_, caller)| caller.user == user).map(|(token, _)| Secret::new(token.clone()))
    }

    /// The caller who sends this `Authorization` header.
    pub(super) fn check(&self, authorization: &str) -> Option<Caller> {
        let (token, kind) = match authorization.strip_prefix("Bot ") {
            Some(token) => (token, Kind::Bot),
            None => (authorization, Kind::Person),
        };
        self.0.get(token).copied().filter(|caller| caller.kind == kind)
    }

    pub(super) fn revoke(&mut self, token: &Secret) {
        self.0.remove(token.expose());
    }

    /// Makes a bot's token valid again.
    pub(super) fn restore(&mut self, token: &Secret, user: Snowflake) {
        self.0.insert(token.expose().to_owned(), Caller { user, kind: Kind::Bot });
    }
}

/// `length` random letters and digits.
pub(super) fn random_text(length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = rand::rng();
    (0..length).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
}

/// Base64 with the URL alphabet and without padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(group >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_discords_shape_and_are_checked_with_their_prefix() {
        let mut tokens = Tokens::default();
        let user = Snowflake::new(1_234_567_890_123_456_789);
        let token = tokens.mint(user, Kind::Bot);
        assert!(token.expose().starts_with("MTIzNDU2Nzg5MDEyMzQ1Njc4OQ."));
        assert_eq!(token.expose().split('.').count(), 3);
        let bot = format!("Bot {}", token.expose());
        assert_eq!(tokens.check(&bot), Some(Caller { user, kind: Kind::Bot }));
        assert_eq!(tokens.check(token.expose()), None);
        assert_eq!(tokens.check("Bot x.y.z"), None);
        tokens.revoke(&token);
        assert_eq!(tokens.check(&bot), None);
    }
}
