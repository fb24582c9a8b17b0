//! Tests for parsing bodies, and for refusing them.

use proptest::prelude::*;
use serde_json::Value;

use super::envelope::{DataFields, NAMES};
use super::*;
use crate::model::{Payload, payload};

fn parsed(body: &'static str) -> Result<NewEvent, String> {
    parse(&Bytes::from_static(body.as_bytes()), "1705314600", Timestamp::from_secs(1_705_314_700))
}

#[test]
fn a_documented_body_is_read() {
    let event =
        parsed(r#"{"event_type":"ticket.created","data":{"id":7},"company_id":"c","timestamp":1705314601}"#)
            .unwrap();
    assert_eq!(
        (event.kind.as_str(), event.subject.as_str(), event.company.as_str()),
        ("ticket.created", "ticket:7@c", "c")
    );
    assert_eq!(event.occurred_at, Timestamp::from_secs(1_705_314_601));
}

#[test]
fn the_same_bytes_are_the_same_event_only_if_they_say_when() {
    let key = |body: &'static str, at| {
        parse(&Bytes::from_static(body.as_bytes()), at, Timestamp::default()).unwrap().dedupe
    };
    let same = |body| key(body, "1705314600") == key(body, "1705314601");
    assert!(same(r#"{"event_type":"a","timestamp":1705314600}"#));
    let undated = r#"{"event_type":"a"}"#;
    assert!(!same(undated));
    assert_eq!(key(undated, "1705314600"), key(undated, "1705314600"));
}

// A8: a value that is not a time is equal in every event. Controls: with each value counted, or
// with the years unlimited, the second half is red.
#[rstest::rstest]
#[case("1705314600", true)]
#[case("1705314600.25", true)]
#[case("1705314600123", true)]
#[case("\"1705314600\"", true)]
#[case("\" 1705314600.25 \"", true)]
#[case("\"2024-01-15T10:30:00Z\"", true)]
#[case("\"2024-01-15T10:30:00.123456+01:00\"", true)]
#[case::as_python_writes_it("\"2024-01-15T10:30:00.123456\"", true)]
#[case("null", false)]
#[case("\"\"", false)]
#[case("\" \"", false)]
#[case("0", false)]
#[case("\"0\"", false)]
#[case("-1", false)]
#[case("1", false)]
#[case("1e400", false)]
#[case("99999999999999999999", false)]
#[case("true", false)]
#[case("false", false)]
#[case("\"soon\"", false)]
#[case("\"10:30\"", false)]
#[case("[1705314600]", false)]
#[case("{\"seconds\":1705314600}", false)]
#[case::the_epoch("\"1970-01-01T00:00:00Z\"", false)]
#[case::nothing_in_go("\"0001-01-01T00:00:00Z\"", false)]
#[case::nothing_in_c_sharp("\"9999-12-31T23:59:59Z\"", false)]
fn only_a_time_says_when(#[case] value: &str, #[case] counts: bool) {
    let body: Bytes = format!(r#"{{"event_type":"a","timestamp":{value}}}"#).into();
    let read = |at| parse(&body, at, Timestamp::default()).unwrap();
    assert_eq!(read("1705314600").dedupe == read("1705314601").dedupe, counts, "{value}");
    if !counts {
        assert_eq!(read("1705314601").occurred_at, Timestamp::from_secs(1_705_314_601), "{value}");
    }
}

/// A reason goes into the log and into quarantine: it names the position, never the content.
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
#[case(r#"{"event_type":"x","data":1e400}"#, "x")]
#[case(r#"{"event_type":"x","company_id":{"a":1e400},"timestamp":-1e400}"#, "x")]
#[case(r#"{"event_type":{"a":1},"unheard_of":[1e400,"\ud800"]}"#, "unknown")]
#[case(r#"{"\u0065vent_type":"printer.\u006aammed"}"#, "printer.jammed")]
fn whatever_can_be_read_is_an_event(#[case] body: &'static str, #[case] kind: &str) {
    assert_eq!(parsed(body).unwrap().kind.as_str(), kind);
}

// I-14
#[rstest::rstest]
#[case("[]")]
#[case(r#""x""#)]
#[case(r#"{"event_type":"a"} x"#)]
#[case(r#"{"event_type":"a","event_type":"b"}"#)]
#[case(r#"{"event_type":null,"event_type":"b"}"#)]
#[case(r#"{"data":{},"data":{}}"#)]
#[case(r#"{"data":null,"d\u0061ta":{}}"#)]
#[case(r#"{"company_id":"a","company_id":"b"}"#)]
#[case(r#"{"company_id":null,"c\u006fmpany_id":"b"}"#)]
#[case(r#"{"timestamp":1705314600,"timestamp":1705314600}"#)]
#[case(r#"{"data":1e400"#)]
#[case(r#"{"data":"\ud800"}"#)]
#[case(r#"{"data":NaN}"#)]
#[case(r#"{"event_type":["\ud800"]}"#)]
#[case(r#"{"event_type":"a","event_type":"b","data":1e400}"#)]
#[case(r#"{"timestamp":[{"\udc00":1}]}"#)]
fn what_cannot_is_not(#[case] body: &'static str) {
    assert!(parsed(body).is_err());
}

#[test]
fn the_same_alert_is_one_subject() {
    let alert = |title| {
        let data =
            serde_json::json!({"source": "SRV-DB1", "alert_type": "disk", "title": title, "details": title});
        let text = |names: &[&str]| payload::text(&data, names).map(Cow::Owned);
        subject(&Kind::new("alert.triggered"), "acme", text, text)
    };
    assert_eq!(alert("Disk full"), alert("Disk full"));
    assert_ne!(alert("Disk full"), alert("Disk fine"));
}

/// Whether the ingress accepts `data` exactly if it parses as a whole, and finds in it what all later parsers find.
fn agree(data: &str) {
    let whole = serde_json::from_str::<Value>(data);
    let whole =
        whole.or_else(|error| payload::quoted(data).map_or(Err(error), |text| serde_json::from_str(&text)));
    for kind in ["machine.registered", "ticket.created", "asset.updated", "alert.triggered"] {
        let body = format!(r#"{{"data":{data},"event_type":"{kind}","company_id":"acme"}}"#);
        let accepted = parse(&body.into(), "1705314600", Timestamp::default());
        assert_eq!(accepted.is_ok(), whole.is_ok(), "{data}: {accepted:?}");
        let (Ok(event), Ok(whole)) = (accepted, &whole) else { continue };
        let text = |names: &[&str]| payload::text(whole, names);
        assert_eq!(
            event.subject,
            subject(
                &event.kind,
                "acme",
                |names| payload::id(whole, names).map(Cow::Owned),
                |names| text(names).map(Cow::Owned)
            ),
            "{data}"
        );
        assert_eq!(
            event.severity,
            text(&Severity::NAMES).and_then(|word| Severity::from_word(&word)),
            "{data}"
        );
        assert_eq!(event.company_name, text(&["company_name"]), "{data}");
        let card = Payload::of(event.source, event.body);
        assert_eq!((card.to_string(), card.severity()), (whole.to_string(), event.severity), "{data}");
    }
    let Ok(whole) = whole else { return };
    let body = format!(r#"{{"data":{data}}}"#);
    let body = payload::quoted(&body).unwrap_or(body);
    let values: DataFields<'_> = serde_json::from_str::<Envelope<'_>>(&body).unwrap().data.unwrap();
    for name in NAMES {
        assert_eq!(
            values.text(&[name]).map(Cow::into_owned),
            payload::text(&whole, &[name]),
            "{name} of {data}"
        );
    }
}

// I-15
#[rstest::rstest]
#[case::a_later_field_counts(r#"{"id":1,"severity":"low","id":2,"severity":"high"}"#)]
#[case::even_if_it_says_nothing(r#"{"id":1,"severity":"low","id":null,"severity":{},"level":[]}"#)]
#[case::names_may_be_escaped(r#"{"id":1,"\u0069d":2,"se\u0076erity":"critical","t\u0069tle":"a"}"#)]
#[case::texts_may_be_escaped(r#"{"id":"a\u0062\n","title":"\ud83d\ude00","company_name":"A\"B"}"#)]
#[case::numbers_are_text(r#"{"id":-0,"seq_id":1.50,"asset_id":1e3,"title":18446744073709551616}"#)]
#[case::large_numbers(r#"{"id":18446744073709551615,"title":-9223372036854775808,"message":1e-400}"#)]
#[case::so_is_what_is_true(r#"{"id":true,"severity":false,"title":" x "}"#)]
#[case::blank(r#"{"id":" ","asset_id":"","seq_id":7,"severity":"\t","level":" Warn "}"#)]
#[case::only_its_own_fields(r#"{"asset":{"id":1,"severity":"high"},"list":[{"id":2}],"seq_id":3}"#)]
#[case::a_long_id(&format!(r#"{{"id":"{}"}}"#, "7".repeat(201)))]
#[case::a_list(r#"[{"id":1}]"#)]
#[case::a_text(r#""id""#)]
#[case::nothing("null")]
#[case::deep_in_what_is_let_go(r#"{"x":[{"y":"\ud800"}]}"#)]
#[case::a_name_deep_down(r#"{"x":[{"\ud800":1}]}"#)]
#[case::a_number_deep_down(r#"{"x":[{"y":-1e999}]}"#)]
#[case::a_control_character("{\"x\":[\"\n\"]}")]
#[case::no_json(r#"{"x":[1,]}"#)]
fn what_the_door_finds_everybody_finds_later(#[case] data: &str) {
    agree(data);
}

// I-14, issue 14 item 30. Control: without `quoted` it is red from 127 on.
#[test]
fn however_deep_it_is_it_can_be_read() {
    for depth in (90..200).chain([5000]) {
        let inside = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let body = format!(r#"{{"data":{inside},"company_id":"acme"}}"#);
        let event = parse(&body.into(), "1705314600", Timestamp::default()).unwrap();
        assert_eq!(event.company, "acme");
        // Too deeply nested for a tree, it is kept as text.
        let data = Payload::of(event.source, event.body);
        assert!(data.is_array(), "{depth}");
        assert_eq!(data.to_string().matches('[').count(), depth);
    }
}

/// Names with a special meaning to the JSON library have none in a customer's data.
#[rstest::rstest]
#[case(r#""{\"id\":8}""#)]
#[case("5")]
fn a_field_may_be_called_anything(#[case] value: &str) {
    let data = format!(r#"{{"$serde_json::private::RawValue":{value},"id":7}}"#);
    let body = format!(r#"{{"event_type":"ticket.created","data":{data}}}"#);
    let event = parse(&body.into(), "1705314600", Timestamp::default()).unwrap();
    assert_eq!(event.subject, "ticket:7");
    assert_eq!(Payload::of(event.source, event.body).to_string(), data);
}

/// A strategy for JSON text, and sometimes for text that only resembles it.
fn json() -> impl Strategy<Value = String> {
    let name = || {
        prop_oneof![
            4 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
            1 => prop::sample::select(&NAMES[..]).prop_map(|name| name.replace('i', "\\u0069").replace('e', "\\u0065")),
            2 => prop::sample::select(&["data", "", "ID", "x\\/y", "\\ud83d\\ude00", "x\\ud800"][..]).prop_map(str::to_owned),
        ]
    };
    let scalar = prop_oneof![
        8 => prop::sample::select(&[
            "null", "true", "false", "0", "-0", "7", "-7", "0.1", "1.50", "1E3", "123456789012345678901234567890",
            "\"\"", "\" \"", "\" 7 \"", "\"Critical\"", "\" HIGH\"", "\"warn\\u0020\"", "\"\\u0000\"", "\"\\ud83d\\ude00\"",
        ][..]),
        1 => prop::sample::select(&["1e400", "\"\\ud800\"", "\"\\udc00\\ud800\"", "NaN", "01", "\"\\x\"", "\"\t\"", "1.", ""][..]),
    ];
    scalar.prop_map(str::to_owned).prop_recursive(3, 24, 8, move |inner| {
        let field = (name(), inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            1 => prop::collection::vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(" , "))),
            3 => prop::collection::vec(field, 0..8).prop_map(|fields| format!("{{{}}}", fields.join(","))),
        ]
    })
}

proptest! {
    // I-15
    #[test]
    fn whatever_the_door_finds_everybody_finds_later(data in json()) {
        agree(&data);
    }
}
