//! The limit → verify → parse pipeline. Its output was signed by the source and is well formed.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Body;

use crate::hub::{Finding, IngressReport};
use crate::ingress::body_budget::BodyPermit;
use crate::ingress::buffer::{Buffer, SMALL};
use crate::ingress::rejection::Rejection;
use crate::ingress::source::{RequestRefusal, SourceRoute, Unverified, Verification};
use crate::ingress::{InboundRequest, IngressState};
use crate::model::Network;
use crate::model::NewEvent;
use crate::store;

/// Reads a verified event out of a request.
pub(super) async fn read<B: Body<Data = Bytes>>(
    ingress: &IngressState,
    route: &SourceRoute,
    InboundRequest { head, body, client, whole_by }: InboundRequest<B>,
) -> Result<NewEvent, Rejection> {
    // The window is checked against this time: a slow body must not stretch it.
    let received_at = ingress.0.clock.now();
    let request = RequestContext { ingress, client: client.0 };

    request.check_media(&head.headers)?;
    let length = request.check_length(&head.headers, route.body_limit)?;
    let credentials = route.credentials(&head.headers).map_err(|refusal| request.refuse(refusal))?;
    let (body, _permit) = request.read(body, length, route.body_limit, whole_by).await?;

    match route.verify(&credentials, &body, received_at) {
        Ok(Verification::ByCurrentSecret) => {}
        Ok(Verification::ByPreviousSecret { remedy }) => request.report(Finding::PreviousSecret, remedy),
        Err(Unverified::Unreadable(reason)) => return Err(request.quarantine(route, reason, &body).await),
        Err(Unverified::Refused(refusal)) => return Err(request.refuse(refusal)),
    }
    match credentials.parse(&body, received_at) {
        Ok(event) => Ok(event),
        Err(reason) => Err(request.quarantine(route, &reason, &body).await),
    }
}

/// The response if the store fails: the log gets the reason, the sender a 503, so it tries again.
pub(super) fn not_stored(ingress: &IngressState, client: IpAddr, error: &store::Error) -> Rejection {
    let sentence =
        format!("an event could not be stored: {error}. nuncio answered 503, so its sender tries again");
    ingress.report(Finding::NotStored, &sentence, client);
    Rejection::Unavailable
}

/// A request's context: the ingress and the client address.
struct RequestContext<'a> {
    ingress: &'a IngressState,
    client: IpAddr,
}

impl RequestContext<'_> {
    fn report(&self, finding: Finding, sentence: &str) {
        self.ingress.report(finding, sentence, self.client);
    }

    /// Requires JSON or no content type, and no compression: the signature covers the raw bytes.
    fn check_media(&self, headers: &HeaderMap) -> Result<(), Rejection> {
        let mut types = headers.get_all(header::CONTENT_TYPE).iter();
        let is_json = match (types.next(), types.next()) {
            (None, _) => true,
            (Some(value), None) => value.to_str().is_ok_and(|text| {
                let essence = text.split(';').next().unwrap_or_default().trim();
                essence.eq_ignore_ascii_case("application/json")
            }),
            (Some(_), Some(_)) => false,
        };
        if !is_json {
            self.report(Finding::UnsupportedMedia, "a webhook was refused: its Content-Type is not JSON");
            Err(Rejection::UnsupportedMedia)
        } else if headers.contains_key(header::CONTENT_ENCODING) {
            self.report(
                Finding::UnsupportedMedia,
                "a webhook was refused: its body is encoded (Content-Encoding)",
            );
            Err(Rejection::UnsupportedMedia)
        } else {
            Ok(())
        }
    }

    /// Refuses a declared length above the limit, before a byte of the body is read. Returns the declared length, if
    /// any.
    fn check_length(&self, headers: &HeaderMap, limit: usize) -> Result<Option<usize>, Rejection> {
        let Some(value) = headers.get(header::CONTENT_LENGTH) else { return Ok(None) };
        // A non-numeric length was refused before.
        let length = value.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
        if length > limit { Err(self.too_large(limit)) } else { Ok(Some(length)) }
    }

    fn too_large(&self, limit: usize) -> Rejection {
        let sentence =
            format!("a webhook was refused: its body is larger than {limit} bytes (WEBHOOK_BODY_LIMIT)");
        self.report(Finding::TooLarge, &sentence);
        Rejection::TooLarge
    }

    /// Reads the body into one contiguous buffer: the chunks it arrives in, possibly of one byte each, are not kept.
    async fn read<B: Body<Data = Bytes>>(
        &self,
        body: B,
        length: Option<usize>,
        limit: usize,
        whole_by: Duration,
    ) -> Result<(Bytes, Option<BodyPermit>), Rejection> {
        let clock = &self.ingress.0.clock;
        let mut body = pin!(body);
        let collect = async {
            let mut whole = Buffer::new(length).map_err(|error| self.no_memory(&error))?;
            let mut permit: Option<BodyPermit> = None;
            loop {
                let next = match &permit {
                    None => body.frame().await,
                    Some(permit) => tokio::select! {
                        biased;
                        () = permit.evicted() => return Err(self.over_budget()),
                        next = body.frame() => next,
                    },
                };
                let Some(frame) = next else { break };
                let frame =
                    frame.map_err(|_| self.malformed("it broke off, or is not chunked as it should be"))?;
                let Ok(data) = frame.into_data() else { continue };
                if whole.len() + data.len() > limit {
                    return Err(self.too_large(limit));
                }
                self.reserve(whole.len() + data.len(), &mut permit, whole_by).await?;
                whole.push(&data, length.unwrap_or(limit)).map_err(|error| self.no_memory(&error))?;
            }
            permit.iter().for_each(BodyPermit::complete);
            Ok((whole.whole(), permit))
        };
        let left = whole_by.saturating_sub(clock.elapsed());
        clock.within(left, collect).await.unwrap_or_else(|| {
            self.report(Finding::TooSlow, "a webhook was refused: its body did not arrive within 15 s");
            Err(Rejection::TooSlow)
        })
    }

    /// Lets the body grow to `needed`. Beyond [`SMALL`] that takes memory from the budget that all connections share.
    async fn reserve(
        &self,
        needed: usize,
        permit: &mut Option<BodyPermit>,
        whole_by: Duration,
    ) -> Result<(), Rejection> {
        while needed > SMALL + permit.as_ref().map_or(0, BodyPermit::bytes) {
            let new = || self.ingress.0.body_budget.permit(Network::of(self.client, false), whole_by);
            if !permit.get_or_insert_with(new).reserve().await {
                return Err(self.over_budget());
            }
        }
        Ok(())
    }

    fn no_memory(&self, error: &std::io::Error) -> Rejection {
        let sentence = format!(
            "a large webhook was answered 503, so its sender tries again: the system has no \
                                memory for it ({error})"
        );
        self.report(Finding::NoRoom, &sentence);
        Rejection::Unavailable
    }

    fn over_budget(&self) -> Rejection {
        self.report(
            Finding::NoRoom,
            "a large webhook was answered 503, so its sender tries again: too many large ones are arriving at the \
             same time, and this sender's take the most memory",
        );
        Rejection::Unavailable
    }

    fn malformed(&self, what: &str) -> Rejection {
        self.report(Finding::Malformed, &format!("a webhook was refused: {what}"));
        Rejection::Malformed
    }

    /// Stores a copy of a signed body that is no event, and reports it.
    async fn quarantine(&self, route: &SourceRoute, reason: &str, body: &[u8]) -> Rejection {
        match self.ingress.0.hub.quarantine(route.source, reason, body).await {
            Ok(()) => {
                let sentence = format!(
                    "a signed webhook of {} bytes cannot be read: {reason}. A copy is kept: nuncio events --quarantined",
                    body.len()
                );
                self.report(Finding::Unreadable, &sentence);
                Rejection::BadJson
            }
            Err(error) => not_stored(self.ingress, self.client, &error),
        }
    }

    /// Records the finding, and charges it to the client: a sender that fails too often gets only a 429.
    fn refuse(&self, refusal: RequestRefusal) -> Rejection {
        let RequestRefusal { finding, sentence, seconds_behind, rejection } = refusal;
        let from = self.client.to_string();
        self.ingress.0.hub.remark(IngressReport { finding, sentence, seconds_behind, from });
        // With the scope "all" the request was charged on arrival.
        let limiter = &self.ingress.live().limiter;
        if limiter.counts_all() {
            return rejection;
        }
        match limiter.charge(self.client) {
            Ok(()) => rejection,
            Err(retry_after_s) => {
                self.report(
                    Finding::RateLimited,
                    "an address sends more webhooks that do not verify than RATE_LIMIT allows",
                );
                Rejection::TooMany { retry_after_s }
            }
        }
    }
}
