//! XTSystems: two headers sign timestamp and body (see [`signature::xtsystems`]), and the body is `{"event_type", "data",
//! "company_id", "timestamp"}`.

mod envelope;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use axum::http::HeaderMap;
use bytes::Bytes;
use serde_json::Number;

use super::{RequestRefusal, Unverified, Verification};
use crate::clock::Timestamp;
use crate::hub::Finding;
use crate::ingress::rejection::Rejection;
use crate::ingress::wrong_sender;
use crate::model::payload::{self, Scalar};
use crate::model::{
    self, DedupeKey, Family, Kind, KindMeaning, NewEvent, RawBody, Severity, Source, sample_subject,
};
use crate::secret::Secret;
use crate::signature;
use crate::signature::xtsystems::{SIGNATURE_HEADER, SignatureError, TIMESTAMP_HEADER, check};
use envelope::Envelope;

/// Signature and timestamp of a request, neither of them empty.
pub(in crate::ingress) struct XtSystemsCredentials<'h> {
    signature: &'h [u8],
    timestamp: &'h [u8],
}

impl<'h> XtSystemsCredentials<'h> {
    /// Takes the two headers, each exactly once. Twice is refused even if both are equal: a proxy and we might read
    /// different ones.
    pub(super) fn of(headers: &'h HeaderMap) -> Result<Self, RequestRefusal> {
        let one = |name: &'static str, missing| {
            let mut values = headers.get_all(name).iter();
            match (values.next(), values.next()) {
                (Some(value), None) if !value.is_empty() => Ok(value.as_bytes()),
                (Some(_), Some(_)) => Err(SignatureError::Doubled(name)),
                (Some(_) | None, _) => Err(missing),
            }
        };
        let signature =
            one(SIGNATURE_HEADER, SignatureError::NoSignature).map_err(
                |reason| match wrong_sender::sentence(headers)
                    .filter(|_| reason == SignatureError::NoSignature)
                {
                    Some(sentence) => {
                        RequestRefusal { finding: Finding::Foreign, sentence, ..refusal(reason) }
                    }
                    None => refusal(reason),
                },
            )?;
        let timestamp = one(TIMESTAMP_HEADER, SignatureError::NoTimestamp).map_err(refusal)?;
        Ok(Self { signature, timestamp })
    }
}

impl XtSystemsCredentials<'_> {
    /// Verifies a request against every secret, the current one first.
    pub(super) fn verify(
        &self,
        secrets: &[Secret],
        body: &[u8],
        received_at: Timestamp,
    ) -> Result<Verification, Unverified> {
        let generations = [
            Verification::ByCurrentSecret,
            Verification::ByPreviousSecret {
                remedy: "a signature matches the previous secret: give XTSystems the new one, then remove WEBHOOK_SECRET_PREVIOUS",
            },
        ];
        for (secret, verified) in secrets.iter().zip(generations) {
            match check(secret, self.timestamp, self.signature, body, received_at) {
                Ok(()) => return Ok(verified),
                // Only with this reason can another secret change the result.
                Err(SignatureError::Mismatch) => {}
                // Timestamp and body are signed without a separator: a body that begins with a digit may be one whose
                // first digits were moved from the end of its timestamp, under the same MAC.
                Err(SignatureError::BodyNotAnObject) if !body.first().is_some_and(u8::is_ascii_digit) => {
                    return Err(Unverified::Unreadable("it does not begin with {"));
                }
                Err(reason) => return Err(Unverified::Refused(refusal(reason))),
            }
        }
        Err(Unverified::Refused(refusal(SignatureError::Mismatch)))
    }

    /// Parses a verified body.
    pub(super) fn parse(&self, body: &Bytes, received_at: Timestamp) -> Result<NewEvent, String> {
        // Ten digits: the check ensured that.
        parse(body, str::from_utf8(self.timestamp).unwrap_or_default(), received_at)
    }
}

/// Gives the operator the reason, and the sender a bare sentence.
fn refusal(reason: SignatureError) -> RequestRefusal {
    let (finding, seconds_behind, rejection) = match reason {
        SignatureError::NoSignature | SignatureError::NoTimestamp => {
            (Finding::Unsigned, None, Rejection::Unsigned)
        }
        SignatureError::OutsideWindow { seconds_behind } => {
            (Finding::Skewed, Some(seconds_behind), Rejection::TooOld)
        }
        SignatureError::Doubled(_) => (Finding::Ambiguous, None, Rejection::BadSignature),
        SignatureError::MalformedTimestamp { .. } => {
            (Finding::MalformedTimestamp, None, Rejection::BadSignature)
        }
        SignatureError::MalformedSignature(_) => (Finding::MalformedSignature, None, Rejection::BadSignature),
        SignatureError::Mismatch | SignatureError::BodyNotAnObject => {
            (Finding::Mismatch, None, Rejection::BadSignature)
        }
    };
    RequestRefusal {
        finding,
        sentence: format!("a webhook was refused: {reason}"),
        seconds_behind,
        rejection,
    }
}

/// Parses a verified body. `timestamp` is the header's value, `received_at` the time at which the headers were
/// complete.
///
/// # Errors
/// Why it is not an event, as a sentence for the operator.
pub fn parse(body: &Bytes, timestamp: &str, received_at: Timestamp) -> Result<NewEvent, String> {
    if !body.starts_with(b"{") {
        // The parser's error would quote what is there instead, at any length.
        return Err("not a JSON object: it does not begin with {".to_owned());
    }
    // One check for all: the parser would check each string by itself.
    let text =
        str::from_utf8(body).map_err(|_| "not a JSON object we can read: it is not UTF-8".to_owned())?;
    let held;
    let envelope: Envelope<'_> = match serde_json::from_str(text) {
        Ok(envelope) => envelope,
        Err(error) => {
            let reason = format!("not a JSON object we can read: {error}");
            held = payload::quoted(text).ok_or_else(|| reason.clone())?;
            serde_json::from_str(&held).map_err(|_| reason)?
        }
    };
    let raw = RawBody::new(body.clone());
    let own_time = envelope.timestamp.as_ref().and_then(moment);
    // Without a time in the body, equal bytes may be sent again and mean a second event.
    let dedupe = match own_time {
        Some(_) => DedupeKey::of_body(&raw),
        None => DedupeKey::of_request(timestamp, &raw),
    };
    let kind = match &envelope.event_type {
        Some(Scalar::Text(word)) => Kind::new(word),
        _ => Kind::new(Kind::UNKNOWN),
    };
    let company = envelope.company_id.unwrap_or_default();
    let company = company.text().unwrap_or_default().into_owned();
    let fields = envelope.data.unwrap_or_default();
    let sent_at = timestamp.parse().map_or(received_at, Timestamp::from_secs);
    let occurred_at = own_time.unwrap_or(sent_at);
    let subject = subject(&kind, &company, |names| fields.id(names), |names| fields.text(names));
    // A sample belongs to no customer: it uses none of their routes, names or cards.
    let (subject, company, company_name) = match envelope.sample {
        Some(Scalar::Bool(true)) => (sample_subject(&subject), "sample".to_owned(), None),
        _ => (subject, company, fields.text(&["company_name"]).map(Cow::into_owned)),
    };
    Ok(NewEvent {
        source: Source::XtSystems,
        subject,
        severity: fields.text(&Severity::NAMES).and_then(|word| Severity::from_word(&word)),
        company_name,
        kind,
        company,
        dedupe,
        cause: None,
        occurred_at,
        received_at,
        body: raw,
    })
}

/// The subject: the thing an event is about. Events of one subject belong together. `id` and `text` look up the first
/// present field among the given names. Duplicates are searched by subject: if this function changes, an event that the
/// platform sent before and sends again becomes another event.
fn subject<'a>(
    kind: &Kind,
    company: &str,
    id: impl Fn(&[&str]) -> Option<Cow<'a, str>>,
    text: impl Fn(&[&str]) -> Option<Cow<'a, str>>,
) -> String {
    let family = KindMeaning::of(Source::XtSystems, kind).family;
    let word = family.word().unwrap_or_default();
    let id = match family {
        Family::Machine => id(&["id", "asset_id"]),
        Family::Ticket => id(&["id", "seq_id"]),
        Family::Asset | Family::User | Family::Company => id(&["id"]),
        // An alert has no id: equal source, type, customer and title mean one alert.
        Family::Alert => {
            let part = |names: &[&str]| text(names).unwrap_or_default();
            let (source, alert_type, title) =
                (part(&["source"]), part(&["alert_type"]), part(&["title", "message"]));
            let print = [&*source, "\n", &*alert_type, "\n", company, "\n", &*title].map(str::as_bytes);
            return format!("{word}:{}", &signature::sha256_hex(&print)[..32]);
        }
        // A dispatch has another source.
        Family::Settings
        | Family::Server
        | Family::Sync
        | Family::System
        | Family::Support
        | Family::Node
        | Family::Billing
        | Family::Custom
        | Family::Test
        | Family::Decision
        | Family::Notice
        | Family::Other => None,
    };
    id.map(|id| model::subject(word, &id, company)).unwrap_or_default()
}

/// The valid range of a body's own time, in milliseconds: the years 2000 to 2099. Outside it the sender's clock was
/// never set, or it is no time at all (0, Go's year 1), and every event may carry that value.
const PLAUSIBLE: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;

/// Parses a time: a number of seconds or milliseconds, or RFC 3339 text; `None` for anything else.
fn moment(value: &Scalar<'_>) -> Option<Timestamp> {
    let found = match value {
        Scalar::Number(number) => {
            let number = number.as_f64().filter(|number| (0.0..1e14).contains(number))?;
            #[expect(clippy::cast_possible_truncation, reason = "below 10^14")]
            let millis = if number < 1e11 { number * 1000.0 } else { number } as i64;
            Timestamp::from_millis(millis)
        }
        Scalar::Text(text) => match Timestamp::parse_rfc3339(text) {
            Some(time) => time,
            None => moment(&Scalar::Number(text.trim().parse::<Number>().ok()?))?,
        },
        Scalar::Bool(_) | Scalar::Other => return None,
    };
    PLAUSIBLE.contains(&found.as_millis()).then_some(found)
}
