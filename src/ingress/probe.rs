//! The reachability probe: a request on a webhook's path, and a response that reports what arrived.
//!
//! `nuncio doctor` sends it through `PUBLIC_URL`. A valid response requires the same encryption key (see [`Key`]), so
//! it comes from this nuncio and no other. The question is authenticated as well: strangers get the 404 of any unknown
//! path, so no response contains a code that they could test guesses against. Both codes use keys derived
//! for this purpose alone: neither can pass for a webhook's signature.

mod answer;
mod listener;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::key::Key;
use crate::secret::Secret;

pub use listener::answer_probes;

pub(super) use answer::{ProbeContext, question_of};

/// The query parameter that marks a probe.
pub const PARAMETER: &str = "nuncio-probe";
/// Maximum difference between a question's time and ours, in seconds.
const WINDOW_SECS: i64 = 300;
/// Lengths in bytes.
const NONCE: usize = 16;
const CODE: usize = 32;

/// The keys that authenticate questions and answers.
#[derive(Clone, Debug)]
pub struct ProbeKey {
    question: Key,
    answer: Key,
}

/// A probe's question: its nonce and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeQuestion {
    nonce: [u8; NONCE],
    at: Timestamp,
    /// Whether the answer lists recent refusals. Only for probes that do not leave this machine.
    lists_refusals: bool,
}

/// The report of a probe: what arrived, and where it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// The path, exactly as received.
    pub path: String,
    /// SHA-256 of the body, in hex.
    pub body_sha256: String,
    /// SHA-256 of the signature header's value; `None` if it did not come exactly once.
    pub signature_sha256: Option<String>,
    /// SHA-256 of the timestamp header's value; `None` if it did not come exactly once.
    pub timestamp_sha256: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// Whether the body is encoded (`Content-Encoding`).
    pub is_encoded: bool,
    /// The address that opened the connection.
    pub peer: String,
    /// Whether `TRUSTED_PROXIES` contains that address.
    pub is_peer_trusted: bool,
    /// The address that counts for limits and logs.
    pub client: String,
    /// Names of the headers that proxies add.
    pub forwarding: Vec<String>,
    /// `X-Forwarded-For` as received.
    pub forwarded_for: Option<String>,
    /// A code that proves which `WEBHOOK_SECRET` is in use, for this question only.
    pub secret: String,
    /// The refusals of the last day, if the question requests them.
    pub refusals: Option<Vec<Refusals>>,
}

/// Requests that were refused for one reason, or accepted with a warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    /// A value of [`Finding::as_str`](crate::hub::Finding::as_str).
    pub reason: String,
    /// Refused rather than accepted with a warning.
    pub is_refusal: bool,
    /// Count of the last 24 hours.
    pub last_day: u64,
    /// Time of the last one, in milliseconds since the epoch.
    pub last_at: i64,
    /// Client address of the last one.
    pub from: String,
    /// The addresses that most of them came from, each with its count; at most eight.
    #[serde(default)]
    pub addresses: Vec<(String, u64)>,
    /// The finding about the last one, as a sentence for the operator.
    pub sentence: String,
}

/// An answer in transit: the report as text, so that its code stays valid if a proxy reformats the JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    report: String,
    code: String,
}

impl ProbeKey {
    /// Derives the keys from an encryption key.
    #[must_use]
    pub fn of(key: &Key) -> Self {
        Self { question: key.derive("door probe question"), answer: key.derive("door probe answer") }
    }

    /// Creates a new question.
    #[must_use]
    pub fn ask(at: Timestamp, lists_refusals: bool) -> ProbeQuestion {
        ProbeQuestion { nonce: rand::random(), at, lists_refusals }
    }

    /// Encodes `question` as the value of [`PARAMETER`].
    #[must_use]
    pub fn write(&self, question: &ProbeQuestion) -> String {
        let code = self.question.mac(&[&question.bytes()]);
        let lists = u8::from(question.lists_refusals);
        let nonce = hex::encode(question.nonce);
        format!("{lists}-{}-{nonce}-{}", question.at.as_secs(), hex::encode(code))
    }

    /// Decodes a question; `None` if it is malformed, not authentic, or old.
    #[must_use]
    pub fn read(&self, text: &str, now: Timestamp) -> Option<ProbeQuestion> {
        let mut parts = text.split('-');
        let (lists, at, nonce, code) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || at.len() > 12 || !at.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let lists_refusals = match lists {
            "0" => false,
            "1" => true,
            _ => return None,
        };
        let at = Timestamp::from_secs(at.parse().ok()?);
        let question = ProbeQuestion { nonce: bytes(nonce)?, at, lists_refusals };
        let code: [u8; CODE] = bytes(code)?;
        let is_new = now.as_secs().abs_diff(at.as_secs()) <= WINDOW_SECS.unsigned_abs();
        (self.question.is_mac(&[&question.bytes()], &code) && is_new).then_some(question)
    }

    /// Encodes an answer as a response body.
    fn seal(&self, question: &ProbeQuestion, arrived: &ProbeReport) -> String {
        let report = serde_json::to_string(arrived).unwrap_or_default();
        let code = hex::encode(self.answer.mac(&[&question.bytes(), report.as_bytes()]));
        serde_json::to_string(&Sealed { report, code }).unwrap_or_default()
    }

    /// Decodes an answer; `None` unless a nuncio with this key gave it to this very question.
    #[must_use]
    pub fn open(&self, question: &ProbeQuestion, body: &[u8]) -> Option<ProbeReport> {
        let Sealed { report, code } = serde_json::from_slice(body).ok()?;
        let code: [u8; CODE] = bytes(&code)?;
        if !self.answer.is_mac(&[&question.bytes(), report.as_bytes()], &code) {
            return None;
        }
        serde_json::from_str(&report).ok()
    }
}

impl ProbeQuestion {
    /// All fields in one canonical encoding.
    fn bytes(&self) -> [u8; NONCE + 9] {
        let mut bytes = [0; NONCE + 9];
        bytes[..NONCE].copy_from_slice(&self.nonce);
        bytes[NONCE..NONCE + 8].copy_from_slice(&self.at.as_secs().to_be_bytes());
        bytes[NONCE + 8] = u8::from(self.lists_refusals);
        bytes
    }

    /// The code for this question that only a holder of `secret` can compute; without a secret, one that all can compute.
    #[must_use]
    pub fn proof_of(&self, secret: Option<&Secret>) -> String {
        let none = Secret::new("");
        hex::encode(Key::of_secret(secret.unwrap_or(&none), "door probe").mac(&[&self.bytes()]))
    }

    /// A placeholder in the signature header: no webhook was ever signed so.
    #[must_use]
    pub fn signature(&self) -> String {
        format!("sha256={}{}", hex::encode(self.nonce), hex::encode(self.nonce))
    }
}

/// Decodes `N` bytes of lower-case hex, the only accepted form.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    (is_lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

    // Controls: without `is_mac` in `read`, without `is_new`, without `lists_refusals` in the code, or without any check of the
    // spelling (digits alone, lower case, four parts) this fails.
    #[test]
    fn a_question_is_read_by_the_same_key_and_for_five_minutes() {
        let key = ProbeKey::of(&Key::random());
        let question = ProbeKey::ask(NOW, true);
        let text = key.write(&question);
        assert_eq!(key.read(&text, NOW), Some(question));
        assert_eq!(key.read(&text, Timestamp::from_secs(1_700_000_300)), Some(question));
        assert_eq!(key.read(&text, Timestamp::from_secs(1_700_000_301)), None);
        assert_eq!(ProbeKey::of(&Key::random()).read(&text, NOW), None);
        let asks_for_less = text.replacen('1', "0", 1);
        // The same time in another spelling: one question, one text.
        let signed = text.replacen('-', "-+", 1);
        let (shorter, longer, upper) = (&text[..text.len() - 1], format!("{text}-"), text.to_uppercase());
        for forged in ["", "1", shorter, &longer, &asks_for_less, &upper, &signed] {
            assert_eq!(key.read(forged, NOW), None, "{forged}");
        }
    }

    // Controls: with the question left out of the code, or without `is_mac` in `open`, this fails.
    #[test]
    fn an_answer_opens_for_its_question_alone() {
        let key = ProbeKey::of(&Key::random());
        let (question, other) = (ProbeKey::ask(NOW, false), ProbeKey::ask(NOW, false));
        let arrived = ProbeReport { path: "/webhooks/xtsystems".to_owned(), ..ProbeReport::default() };
        let body = key.seal(&question, &arrived);
        assert_eq!(key.open(&question, body.as_bytes()), Some(arrived));
        assert_eq!(key.open(&other, body.as_bytes()), None);
        assert_eq!(ProbeKey::of(&Key::random()).open(&question, body.as_bytes()), None);
        assert_eq!(key.open(&question, body.replace("xtsystems", "xtsystemz").as_bytes()), None);
        assert_eq!(key.open(&question, b"{}"), None);
    }

    // A probe's placeholder signature verifies no webhook, and the code that proves the secret is no signature either.
    #[test]
    fn nothing_of_a_probe_is_the_signature_of_a_webhook() {
        let (secret, question) = (Secret::new("0123456789abcdef"), ProbeKey::ask(NOW, false));
        let (at, bytes) = ("1700000000", question.bytes());
        for body in [&b"{}"[..], &bytes, b""] {
            for signature in [question.signature(), format!("sha256={}", question.proof_of(Some(&secret)))] {
                assert!(!crate::signature::verify(&secret, &[at.as_bytes(), body], signature.as_bytes()));
                assert!(!crate::signature::verify(&secret, &[body], signature.as_bytes()));
            }
        }
        assert_ne!(
            question.proof_of(Some(&secret)),
            question.proof_of(Some(&Secret::new("0123456789abcdeg")))
        );
    }
}
