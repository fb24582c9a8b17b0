//! Sources of events: the route of each, how its requests are verified, and how its bodies are read.
//!
//! One file per source has the headers that it signs with, its checks, and its body's kind, subject, severity and
//! deduplication key. The matches here lead to these files and are exhaustive: for a new [`Source`] the compiler names
//! them. What an accepted event means is not decided here: see `model/family.rs` and `model/payload.rs`.

pub mod xtsystems;

use axum::http::HeaderMap;
use bytes::Bytes;

use crate::clock::Timestamp;
use crate::config::WebhookConfig;
use crate::hub::Finding;
use crate::ingress::rejection::Rejection;
use crate::model::{NewEvent, Source};
use crate::secret::Secret;

/// The route of a source. Matched by the path exactly as sent: nothing is decoded, so each route has exactly one
/// spelling.
#[derive(Debug)]
pub(super) struct SourceRoute {
    pub(super) source: Source,
    pub(super) path: String,
    /// The current secret, then the previous one, if that is still accepted.
    secrets: Vec<Secret>,
    /// Maximum body size, in bytes.
    pub(super) body_limit: usize,
}

/// What a request proves its origin with, taken from its headers. One variant for each source with a route.
pub(super) enum Credentials<'h> {
    XtSystems(xtsystems::XtSystemsCredentials<'h>),
}

/// A request that is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verification {
    ByCurrentSecret,
    ByPreviousSecret {
        /// What the operator should do about it.
        remedy: &'static str,
    },
}

/// Why a request with credentials is not verified.
pub(super) enum Unverified {
    Refused(RequestRefusal),
    /// It is signed, but its body can be no event: a copy is kept, with this reason.
    Unreadable(&'static str),
}

/// A refusal: what the operator gets to know, and what the sender.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestRefusal {
    pub(super) finding: Finding,
    /// For the operator. Contains nothing of the request but numbers and known header names.
    pub(super) sentence: String,
    /// How many seconds the sender's clock is behind ours; negative if ahead. `None` if not measurable.
    pub(super) seconds_behind: Option<i64>,
    /// For the sender.
    pub(super) rejection: Rejection,
}

impl SourceRoute {
    /// The routes of all sources that send over HTTP.
    pub(super) fn all(webhook: &WebhookConfig) -> Vec<Self> {
        let route = |source| match source {
            // Without a secret, nothing could be verified: there is no route.
            Source::XtSystems => webhook.secret.as_ref().map(|secret| Self {
                source,
                path: webhook.path.clone(),
                secrets: [Some(secret), webhook.previous_secret.as_ref()]
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect(),
                body_limit: webhook.body_limit,
            }),
            // The hub creates nuncio's own events, and dispatches, which the API takes.
            Source::Nuncio | Source::Dispatch => None,
        };
        Source::ALL.into_iter().filter_map(route).collect()
    }

    /// The current signing secret.
    pub(super) fn secret(&self) -> Option<&Secret> {
        self.secrets.first()
    }

    /// Takes the credentials out of a request's headers, before its body is read.
    ///
    /// # Errors
    /// They are missing or ambiguous.
    pub(super) fn credentials<'h>(&self, headers: &'h HeaderMap) -> Result<Credentials<'h>, RequestRefusal> {
        match self.source {
            Source::XtSystems => xtsystems::XtSystemsCredentials::of(headers).map(Credentials::XtSystems),
            Source::Nuncio | Source::Dispatch => Err(RequestRefusal {
                finding: Finding::UnknownSource,
                sentence: format!(
                    "a webhook was refused: events of the source {} come by no route",
                    self.source
                ),
                seconds_behind: None,
                rejection: Rejection::NotFound,
            }),
        }
    }

    /// Verifies a request. `received_at` is the time at which its headers were complete: a slow body must not stretch
    /// the time window.
    ///
    /// # Errors
    /// Why it is not verified.
    pub(super) fn verify(
        &self,
        credentials: &Credentials<'_>,
        body: &[u8],
        received_at: Timestamp,
    ) -> Result<Verification, Unverified> {
        match credentials {
            Credentials::XtSystems(credentials) => credentials.verify(&self.secrets, body, received_at),
        }
    }
}

impl Credentials<'_> {
    /// Parses a verified body.
    ///
    /// # Errors
    /// Why it is not an event, as a sentence for the operator.
    pub(super) fn parse(&self, body: &Bytes, received_at: Timestamp) -> Result<NewEvent, String> {
        match self {
            Self::XtSystems(credentials) => credentials.parse(body, received_at),
        }
    }
}
