//! Answers to probes: a report of what arrived, for holders of this nuncio's key.

use std::error::Error;
use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Body;

use super::{PARAMETER, ProbeKey, ProbeQuestion, ProbeReport, Refusals};
use crate::clock::Timestamp;
use crate::ingress::insider::FORWARDING;
use crate::ingress::rejection::Rejection;
use crate::model::ClientAddress;
use crate::secret::Secret;
use crate::signature::sha256_hex;
use crate::signature::xtsystems::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// Maximum body size of a probe, in bytes.
const LARGEST: usize = 16 * 1024;
/// Maximum length of an echoed header, in bytes.
const LONGEST_HEADER: usize = 300;

/// The inputs of an answer.
pub(in crate::ingress) struct ProbeContext<'a> {
    pub(in crate::ingress) key: &'a ProbeKey,
    /// The secret that signs events, if there is one.
    pub(in crate::ingress) secret: Option<&'a Secret>,
    pub(in crate::ingress) now: Timestamp,
    pub(in crate::ingress) peer: IpAddr,
    pub(in crate::ingress) is_peer_trusted: bool,
    pub(in crate::ingress) client: ClientAddress,
}

impl ProbeContext<'_> {
    /// The answer to a request with a [question](asked). `refusals` is called only for questions that request the list.
    pub(in crate::ingress) async fn answer<B>(
        &self,
        head: &Parts,
        body: B,
        refusals: impl FnOnce() -> Vec<Refusals>,
    ) -> Response
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let Some(question) = question_of(&head.uri).and_then(|text| self.key.read(text, self.now)) else {
            return Rejection::NotFound.into_response();
        };
        let Ok(body) = Limited::new(body, LARGEST).collect().await else {
            return Rejection::TooLarge.into_response();
        };
        let refusals = question.lists_refusals.then(refusals);
        let arrived = ProbeReport { refusals, ..self.arrived(&question, head, &body.to_bytes()) };
        let json = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
        (StatusCode::OK, json, self.key.seal(&question, &arrived)).into_response()
    }

    fn arrived(&self, question: &ProbeQuestion, head: &Parts, body: &[u8]) -> ProbeReport {
        let headers = &head.headers;
        let digest = |name| one(headers, name).map(|value| sha256_hex(&[value.as_bytes()]));
        let forwarding = FORWARDING.iter().filter(|name| headers.contains_key(**name));
        ProbeReport {
            path: head.uri.path().to_owned(),
            body_sha256: sha256_hex(&[body]),
            signature_sha256: digest(SIGNATURE_HEADER),
            timestamp_sha256: digest(TIMESTAMP_HEADER),
            content_type: one(headers, header::CONTENT_TYPE.as_str()),
            is_encoded: headers.contains_key(header::CONTENT_ENCODING),
            peer: self.peer.to_string(),
            is_peer_trusted: self.is_peer_trusted,
            client: self.client.0.to_string(),
            forwarding: forwarding.map(|name| (*name).to_owned()).collect(),
            forwarded_for: one(headers, "x-forwarded-for"),
            secret: question.proof_of(self.secret),
            refusals: None,
        }
    }
}

/// The question in a URL, authentic or not.
pub(in crate::ingress) fn question_of(uri: &Uri) -> Option<&str> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| *name == PARAMETER).map(|(_, value)| value)
}

/// The value of a header that is present exactly once.
fn one(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if value.len() <= LONGEST_HEADER => value.to_str().ok().map(str::to_owned),
        _ => None,
    }
}
