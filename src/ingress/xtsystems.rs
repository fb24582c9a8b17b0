//! The format of XTSystems' webhooks: `{"event_type", "data", "company_id", "timestamp"}`.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::model::{DedupeKey, Kind, NewEvent, RawBody, Source, payload};
use crate::signature;

/// Reads a body whose signature holds. `timestamp` is the header's value, `received_at` when the headers had arrived.
///
/// # Errors
/// Why it is not an event, a sentence for the operator.
pub fn parse(body: &bytes::Bytes, timestamp: &str, received_at: Timestamp) -> Result<NewEvent, String> {
    if !body.starts_with(b"{") {
        // The parser would say what stands there instead, at any length.
        return Err("not a JSON object: it does not begin with {".to_owned());
    }
    // Once for all: the parser would look at each text by itself.
    let text =
        str::from_utf8(body).map_err(|_| "not a JSON object we can read: it is not UTF-8".to_owned())?;
    let envelope: Envelope =
        serde_json::from_str(text).map_err(|error| format!("not a JSON object we can read: {error}"))?;
    let raw = RawBody::new(body.clone());
    let dedupe = if envelope.timestamp.is_some() {
        DedupeKey::of_body(&raw)
    } else {
        DedupeKey::of_request(timestamp, &raw)
    };
    let kind = Kind::new(envelope.event_type.as_ref().and_then(Value::as_str).unwrap_or_default());
    let company = envelope.company_id.as_ref().and_then(payload::scalar).unwrap_or_default();
    let data = envelope.data.unwrap_or_default();
    let sent_at = timestamp.parse().map_or(received_at, Timestamp::from_secs);
    let occurred_at = envelope.timestamp.as_ref().and_then(moment).unwrap_or(sent_at);
    Ok(NewEvent {
        source: Source::XtSystems,
        subject: subject(&kind, &company, &data),
        kind,
        company,
        dedupe,
        cause: None,
        occurred_at,
        received_at,
        body: raw,
        data,
    })
}

/// The thing an event is about: events of one subject belong together.
fn subject(kind: &Kind, company: &str, data: &Value) -> String {
    let kind = kind.canonical();
    let family = kind.split('.').next().unwrap_or_default();
    let id = match family {
        "machine" => payload::text(data, &["id", "asset_id"]),
        "ticket" => payload::text(data, &["id", "seq_id"]),
        "asset" | "user" | "company" => payload::text(data, &["id"]),
        // An alert has no id: the same source, type, customer and title are the same alert.
        "alert" => {
            let part = |names: &[&str]| payload::text(data, names).unwrap_or_default();
            let print =
                [part(&["source"]), part(&["alert_type"]), company.to_owned(), part(&["title", "message"])];
            Some(signature::sha256_hex(&[print.join("\n").as_bytes()])[..32].to_owned())
        }
        _ => None,
    };
    id.filter(|id| id.len() <= 200).map(|id| format!("{family}:{id}")).unwrap_or_default()
}

/// A time as a number of seconds or milliseconds, or as RFC 3339 text.
fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => {
            let number = number.as_f64().filter(|number| (0.0..1e14).contains(number))?;
            #[expect(clippy::cast_possible_truncation, reason = "below 10^14")]
            let millis = if number < 1e11 { number * 1000.0 } else { number } as i64;
            Some(Timestamp::from_millis(millis))
        }
        Value::String(text) => Timestamp::parse_rfc3339(text).or_else(|| {
            text.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| moment(&Value::Number(text.parse().ok()?)))
                .flatten()
        }),
        _ => None,
    }
}

/// The body's top level. Keys we do not know are ignored; of those that decide what an event is, a second one is
/// refused: two readers might believe different ones.
#[derive(Default)]
struct Envelope {
    event_type: Option<Value>,
    data: Option<Value>,
    company_id: Option<Value>,
    timestamp: Option<Value>,
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Envelope;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
                let mut envelope = Envelope::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "event_type" if envelope.event_type.is_some() => {
                            return Err(A::Error::duplicate_field("event_type"));
                        }
                        "data" if envelope.data.is_some() => return Err(A::Error::duplicate_field("data")),
                        "event_type" => envelope.event_type = Some(map.next_value()?),
                        "data" => envelope.data = Some(map.next_value()?),
                        "company_id" => envelope.company_id = Some(map.next_value()?),
                        "timestamp" => envelope.timestamp = Some(map.next_value()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(envelope)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &'static str) -> Result<NewEvent, String> {
        parse(&bytes::Bytes::from_static(body.as_bytes()), "1705314600", Timestamp::from_secs(1_705_314_700))
    }

    #[test]
    fn a_documented_body_is_read() {
        let event = parsed(
            r#"{"event_type":"ticket.created","data":{"id":7},"company_id":"c","timestamp":1705314601}"#,
        )
        .unwrap();
        assert_eq!(
            (event.kind.as_str(), event.subject.as_str(), event.company.as_str()),
            ("ticket.created", "ticket:7", "c")
        );
        assert_eq!(event.occurred_at, Timestamp::from_secs(1_705_314_601));
    }

    #[test]
    fn the_same_bytes_are_the_same_event_only_if_they_say_when() {
        let key = |body: &'static str, at| {
            parse(&bytes::Bytes::from_static(body.as_bytes()), at, Timestamp::default()).unwrap().dedupe
        };
        let (dated, undated) = (r#"{"event_type":"a","timestamp":1}"#, r#"{"event_type":"a"}"#);
        assert_eq!(key(dated, "1705314600"), key(dated, "1705314601"));
        assert_ne!(key(undated, "1705314600"), key(undated, "1705314601"));
        assert_eq!(key(undated, "1705314600"), key(undated, "1705314600"));
    }

    /// A reason goes into the log and into quarantine: it says where, never what.
    #[rstest::rstest]
    #[case(r#""a secret that stands where an object should""#)]
    #[case(r#"["a secret"]"#)]
    #[case(r#"{"event_type":"a secret","event_type":"a secret"}"#)]
    #[case(r#"{"a secret":"a secret"#)]
    #[case(r#"{"a secret":a secret}"#)]
    #[case(r#"{} "a secret""#)]
    fn a_reason_repeats_nothing_of_the_body(#[case] body: &'static str) {
        let why = parsed(body).unwrap_err();
        assert!(!why.contains("secret") && why.len() < 120, "{why}");
    }

    // I-14, I-15
    #[rstest::rstest]
    #[case(r#"{}"#, "unknown")]
    #[case(r#"{"event_type":null,"data":[1,2]}"#, "unknown")]
    #[case(r#"{"event_type":"a b"}"#, "unknown")]
    #[case(r#"{"event_type":"../x"}"#, "unknown")]
    #[case(r#"{"event_type":"printer.jammed","company_id":{"a":1},"timestamp":"soon"}"#, "printer.jammed")]
    #[case(r#"{"company_id":"a","company_id":"b","event_type":"x"}"#, "x")]
    fn whatever_can_be_read_is_an_event(#[case] body: &'static str, #[case] kind: &str) {
        assert_eq!(parsed(body).unwrap().kind.as_str(), kind);
    }

    // I-14
    #[rstest::rstest]
    #[case("[]")]
    #[case(r#""x""#)]
    #[case(r#"{"event_type":"a"} x"#)]
    #[case(r#"{"event_type":"a","event_type":"b"}"#)]
    #[case(r#"{"data":{},"data":{}}"#)]
    #[case(r#"{"data":1e400}"#)]
    #[case(r#"{"data":"\ud800"}"#)]
    #[case(r#"{"data":NaN}"#)]
    fn what_cannot_is_not(#[case] body: &'static str) {
        assert!(parsed(body).is_err());
    }

    #[test]
    fn the_same_alert_is_one_subject() {
        let alert = |title| {
            let data = serde_json::json!({"source": "SRV-DB1", "alert_type": "disk", "title": title, "details": title});
            subject(&Kind::new("alert.triggered"), "acme", &data)
        };
        assert_eq!(alert("Disk full"), alert("Disk full"));
        assert_ne!(alert("Disk full"), alert("Disk fine"));
    }
}
