//! Authenticated encryption of database values that must not be readable there.
//!
//! XChaCha20-Poly1305 with a random nonce. A sealed value is bound to its place: moved to another row, it does not
//! open.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};

use crate::key::Key;

/// Format version, so that the encryption can change one day.
const FORM: &str = "x1:";
const NONCE: usize = 24;

impl Key {
    /// Encrypts `plain` for `place`; every result differs.
    #[must_use]
    pub fn seal(&self, place: &str, plain: &str) -> String {
        self.seal_bytes(place, plain.as_bytes())
    }

    /// Encrypts bytes that need not be text, like [`Key::seal`].
    #[must_use]
    pub fn seal_bytes(&self, place: &str, plain: &[u8]) -> String {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        #[expect(clippy::expect_used, reason = "it fails only for texts of more than 256 GiB")]
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).expect("a short text");
        format!("{FORM}{}{}", hex::encode(nonce), hex::encode(sealed))
    }

    /// Decrypts a value that was sealed for `place` with this key; `None` if it was not, or was changed since.
    #[must_use]
    pub fn open(&self, place: &str, sealed: &str) -> Option<String> {
        self.open_bytes(place, sealed).and_then(|plain| String::from_utf8(plain).ok())
    }

    /// Decrypts what [`Key::seal_bytes`] encrypted, like [`Key::open`].
    #[must_use]
    pub fn open_bytes(&self, place: &str, sealed: &str) -> Option<Vec<u8>> {
        let bytes = hex::decode(sealed.strip_prefix(FORM)?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_place_and_with_its_key_only() {
        let key = Key::random();
        let sealed = key.seal("dst_1", "canary");
        assert_eq!(key.open("dst_1", &sealed).as_deref(), Some("canary"));
        assert_eq!(key.open("dst_2", &sealed), None, "moved to another row");
        assert_eq!(Key::random().open("dst_1", &sealed), None, "another key");
        assert_ne!(key.seal("dst_1", "canary"), sealed, "the same nonce twice");
        assert!(!sealed.contains("canary") && !sealed.contains(&hex::encode("canary")));
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let key = Key::random();
        let sealed = key.seal("", "canary");
        for at in FORM.len()..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(key.open("", std::str::from_utf8(&changed).unwrap()), None, "at {at}");
        }
        for wrong in ["", "x1:", "x1:00", "x1:zz", "x2:", &sealed[FORM.len()..], &sealed[..sealed.len() - 2]]
        {
            assert_eq!(key.open("", wrong), None, "{wrong:?}");
        }
    }

    // draft-irtf-cfrg-xchacha-03, A.3.1: the standard test vector.
    #[test]
    fn it_is_xchacha20_poly1305() {
        let key = Key::from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f").unwrap();
        let nonce = "404142434445464748494a4b4c4d4e4f5051525354555657";
        let sealed = "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb\
                      731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452\
                      2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9\
                      21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";
        let bytes = hex::decode(format!("{nonce}{sealed}")).unwrap();
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().unwrap();
        let aad = hex::decode("50515253c0c1c2c3c4c5c6c7").unwrap();
        let plain = key.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &aad }).unwrap();
        assert!(plain.starts_with(b"Ladies and Gentlemen of the class of '99"));
    }
}
