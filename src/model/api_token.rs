//! The text of an API key: `nun_`, 36 random base62 characters (214 bits), and 6 characters of a checksum.
//!
//! The prefix and the checksum let secret scanners find leaked keys without false alarms. The checksum is the CRC-32
//! (IEEE 802.3) of the 36 characters, in base62 with leading zeros; the alphabet is `0-9A-Za-z`. `docs/api-keys.md`
//! describes the format.

use std::fmt;

use rand::RngExt as _;

use crate::secret::Secret;
use crate::signature::sha256;

/// The prefix of every key.
const PREFIX: &str = "nun_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM: usize = 36;
const CHECKSUM: usize = 6;
/// How many of the last characters may be shown. They are a part of the checksum.
const ENDING: usize = 4;

/// The text of an API key: a secret with a valid checksum. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiToken(Secret);

impl ApiToken {
    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        let mut rng = rand::rng();
        let random: String = (0..RANDOM).map(|_| char::from(ALPHABET[rng.random_range(0..62)])).collect();
        let checksum = checksum(random.as_bytes());
        Self(Secret::new(format!("{PREFIX}{random}{checksum}")))
    }

    /// Checks the format and the checksum of what a caller sent; `None` if it cannot be a key that nuncio made.
    #[must_use]
    pub fn parse(given: &Secret) -> Option<Self> {
        let rest = given.expose().strip_prefix(PREFIX).filter(|rest| rest.len() == RANDOM + CHECKSUM)?;
        let (random, given_sum) = rest.split_at_checked(RANDOM)?;
        let is_valid = random.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && checksum(random.as_bytes()) == given_sum;
        is_valid.then(|| Self(given.clone()))
    }

    /// The whole text, to be shown once.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// What the database keeps of it. A random key needs no slow hash.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256(&[self.0.expose().as_bytes()])
    }

    /// The last characters, which may be shown.
    #[must_use]
    pub fn ending(&self) -> String {
        let text = self.0.expose();
        text.get(text.len().saturating_sub(ENDING)..).unwrap_or_default().to_owned()
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn checksum(bytes: &[u8]) -> String {
    let mut rest = crc32(bytes) as usize;
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[rest % 62];
        rest /= 62;
    }
    digits.map(char::from).into_iter().collect()
}

/// CRC-32 of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_checksum_is_the_standard_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(b"123456789"), "3jZRME");
        assert_eq!(checksum(b""), "000000");
    }

    #[test]
    fn every_key_is_new_and_reads_back() {
        let keys: HashSet<String> =
            (0..100).map(|_| ApiToken::generate().secret().expose().to_owned()).collect();
        assert_eq!(keys.len(), 100);
        for text in &keys {
            assert_eq!(text.len(), 46, "{text}");
            let token = ApiToken::parse(&Secret::new(text)).unwrap();
            assert!(text.ends_with(&token.ending()) && token.ending().len() == 4);
            assert_eq!(format!("{token:?}"), "***");
        }
    }

    #[test]
    fn one_wrong_character_is_noticed() {
        let text = ApiToken::generate().secret().expose().to_owned();
        for at in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'a' { b'b' } else { b'a' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(ApiToken::parse(&Secret::new(wrong.as_str())).is_none(), "{wrong}");
        }
        for wrong in ["", "nun_", &text[..45], &format!("{text}a"), &format!("nun_é{}", &text[6..])] {
            assert!(ApiToken::parse(&Secret::new(wrong)).is_none(), "{wrong:?}");
        }
    }
}
