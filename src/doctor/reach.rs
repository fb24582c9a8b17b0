//! Probes: sends one, and judges who answered: this nuncio, another one, another program, or no one.

use std::time::Duration;

use crate::clock::Clock;
use crate::doctor::{LIMIT, probe};
use crate::ingress::probe::{PARAMETER, ProbeKey, ProbeQuestion, ProbeReport};
use crate::key::Key;
use crate::outgoing::{NUNCIO_LIMIT, Outgoing, USER_AGENT, cause, certificate_fault, is_local, read_body};
use crate::secret::Secret;
use crate::signature::sha256_hex;
use crate::signature::xtsystems::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// A body that does not survive being parsed and serialized: a proxy sees JSON, a signature covers bytes.
const BODY: &str =
    "{\"event_type\": \"nuncio.probe\",  \"data\":{\"z\":1.0,\"a\":\"\\u00e4 \u{e4}\",\"e\":1e2}}\n";
/// An address for documentation only (RFC 5737): if it counts as the client's, senders can choose their own.
pub(super) const CLAIMED: &str = "192.0.2.77";

pub(super) struct Prober {
    pub(super) key: ProbeKey,
    clock: Clock,
    /// Each is built once, because that loads the system's certificates.
    to_this_machine: Outgoing,
    elsewhere: Outgoing,
}

/// A probe that this nuncio answered.
#[derive(Debug)]
pub(super) struct ProbeProof {
    pub(super) question: ProbeQuestion,
    pub(super) arrived: ProbeReport,
    timestamp: String,
}

/// Who answered a probe.
#[derive(Debug)]
pub(super) enum Reached {
    /// This nuncio.
    This(Box<ProbeProof>),
    /// Another nuncio, or another program.
    Other {
        status: u16,
        /// The target of a redirect.
        location: Option<String>,
    },
    /// The certificate is not valid; what is wrong with it.
    Certificate(&'static str),
    /// No answer; the reason.
    Nobody(String),
}

impl Prober {
    /// A prober whose probes only a holder of `key` can answer.
    pub(super) fn new(key: &Key, clock: &Clock) -> Self {
        Self {
            key: ProbeKey::of(key),
            clock: clock.clone(),
            to_this_machine: Outgoing::new(USER_AGENT, LIMIT, true),
            elsewhere: Outgoing::new(USER_AGENT, LIMIT, false),
        }
    }

    /// Sends a probe to `url`, with all that a webhook has. With `lists_refusals`, the answer lists what was refused.
    pub(super) async fn send(&self, url: &str, limit: Duration, lists_refusals: bool) -> Reached {
        let now = self.clock.now();
        let question = ProbeKey::ask(now, lists_refusals);
        let timestamp = now.as_secs().to_string();
        let http = if is_local(url) { &self.to_this_machine } else { &self.elsewhere };
        let http = match http.client() {
            Ok(http) => http,
            Err(error) => return Reached::Nobody(cause(&error)),
        };
        let request = http
            .post(format!("{url}?{PARAMETER}={}", self.key.write(&question)))
            .timeout(limit)
            .header("content-type", "application/json")
            .header(SIGNATURE_HEADER, question.signature())
            .header(TIMESTAMP_HEADER, &timestamp);
        // A probe that stays on this machine claims no other sender.
        let request = if lists_refusals { request } else { request.header("x-forwarded-for", CLAIMED) };
        let response = match request.body(BODY).send().await {
            Ok(response) => response,
            Err(error) => {
                return certificate_fault(&error)
                    .map_or_else(|| Reached::Nobody(cause(&error)), Reached::Certificate);
            }
        };
        let status = response.status().as_u16();
        let location = response.headers().get("location").and_then(|to| to.to_str().ok().map(str::to_owned));
        let body = read_body(response, NUNCIO_LIMIT).await.unwrap_or_else(|error| error.read);
        match self.key.open(&question, &body) {
            Some(arrived) => Reached::This(Box::new(ProbeProof { question, arrived, timestamp })),
            None => Reached::Other { status, location },
        }
    }

    /// Whether any nuncio answers at `base`.
    pub(super) async fn is_nuncio(&self, base: &str, limit: Duration) -> bool {
        probe::is_nuncio(base, limit).await == Ok(true)
    }
}

impl ProbeProof {
    /// Whether the body arrived as it was sent.
    pub(super) fn has_whole_body(&self) -> bool {
        self.arrived.body_sha256 == sha256_hex(&[BODY.as_bytes()]) && !self.arrived.is_encoded
    }

    /// The headers that did not arrive as they were sent.
    pub(super) fn lost_headers(&self) -> Vec<&'static str> {
        let signature = sha256_hex(&[self.question.signature().as_bytes()]);
        let timestamp = sha256_hex(&[self.timestamp.as_bytes()]);
        let is_json = self.arrived.content_type.as_deref().is_none_or(|text| {
            text.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
        });
        let lost = [
            (SIGNATURE_HEADER, self.arrived.signature_sha256 != Some(signature)),
            (TIMESTAMP_HEADER, self.arrived.timestamp_sha256 != Some(timestamp)),
            ("Content-Type", !is_json),
        ];
        lost.into_iter().filter(|(_, is_lost)| *is_lost).map(|(name, _)| name).collect()
    }

    /// Whether the nuncio that answered verifies events with `secret`; without one, that it verifies none.
    pub(super) fn uses(&self, secret: Option<&Secret>) -> bool {
        self.arrived.secret == self.question.proof_of(secret)
    }
}
