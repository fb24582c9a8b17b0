//! HMAC-SHA256 signatures: creating and verifying them, for incoming and outgoing requests.
//!
//! This module knows bytes, keys and hex, not HTTP. Verification takes constant time, whether the first or the last
//! byte is wrong (`hmac`'s `verify_slice`).

pub mod xtsystems;

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// The prefix of a signature header's value (`X-XTSystems-Signature`, GitHub's `X-Hub-Signature-256`).
const PREFIX: &str = "sha256=";

/// The header value for `parts`, signed as if they were one run of bytes: `sha256=<64 lower-case hex digits>`.
#[must_use]
pub fn sign(secret: &Secret, parts: &[&[u8]]) -> String {
    let tag = mac(secret, parts).finalize().into_bytes();
    let mut header = String::with_capacity(PREFIX.len() + 64);
    header.push_str(PREFIX);
    for byte in tag {
        // Writing to a String cannot fail.
        let _ = write!(header, "{byte:02x}");
    }
    header
}

/// Whether `header` is the signature of `parts`. The prefix is exact; hex digits may be of either case; anything
/// else (another length, a space, two values) is not a signature.
#[must_use]
pub fn verify(secret: &Secret, parts: &[&[u8]], header: &[u8]) -> bool {
    let Some(digits) = header.strip_prefix(PREFIX.as_bytes()) else { return false };
    let mut tag = [0_u8; 32];
    hex::decode_to_slice(digits, &mut tag).is_ok() && mac(secret, parts).verify_slice(&tag).is_ok()
}

/// Whether `given` equals the secret, compared in constant time.
#[must_use]
pub fn same(secret: &Secret, given: &str) -> bool {
    verify(secret, &[b"same"], sign(&Secret::new(given), &[b"same"]).as_bytes())
}

/// SHA-256 of `parts`.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// SHA-256 of `parts` as 64 lower-case hex digits.
#[must_use]
pub fn sha256_hex(parts: &[&[u8]]) -> String {
    hex::encode(sha256(parts))
}

fn mac(secret: &Secret, parts: &[&[u8]]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length, the empty one included")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("any key length");
    for part in parts {
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_verifies_and_nothing_near_it_does() {
        let secret = Secret::new("topsecret");
        let header = sign(&secret, &[b"1705314600", b"{}"]);
        assert!(verify(&secret, &[b"1705314600{}"], header.as_bytes()));
        assert!(verify(
            &secret,
            &[b"1705314600{}"],
            format!("sha256={}", header[7..].to_uppercase()).as_bytes()
        ));
        for wrong in [
            "",
            "sha256=",
            &header[7..],
            &format!("SHA256={}", &header[7..]),
            &format!("{header} "),
            &header[..39],
        ] {
            assert!(!verify(&secret, &[b"1705314600{}"], wrong.as_bytes()), "{wrong}");
        }
        assert!(!verify(&Secret::new(""), &[b"1705314600{}"], header.as_bytes()));
    }
}
