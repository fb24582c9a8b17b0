//! I-14, I-15: what was signed rightly and is odd. Never a 5xx, never a panic; what is JSON is an event.

use std::time::Duration;

use proptest::prelude::{Strategy, any};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::attack::sender::Post;
use crate::attack::wire::HttpTransport;
use crate::harness::Harness;

fn deep(depth: usize) -> Vec<u8> {
    format!(r#"{{"event_type":"a.b","data":{}{}}}"#, "[".repeat(depth), "]".repeat(depth)).into_bytes()
}

fn with(data: &[u8]) -> Vec<u8> {
    [br#"{"event_type":"a.b","data":"#.as_slice(), data, b"}"].concat()
}

/// The case, the body, and whether it is an event.
fn odd() -> Vec<(&'static str, Vec<u8>, bool)> {
    let keys: Vec<String> = (0..100_000).map(|n| format!("\"{n}\":1")).collect();
    vec![
        ("I-14 invalid UTF-8", with(b"\"\xff\xfe\""), false),
        ("I-14 a truncated character", with(b"\"\xe2\x82\""), false),
        ("I-14 a BOM", [b"\xef\xbb\xbf".as_slice(), &with(b"1")].concat(), false),
        ("I-14 UTF-16", "{\"event_type\":\"a\"}".encode_utf16().flat_map(u16::to_le_bytes).collect(), false),
        ("I-14 a raw NUL", with(b"\"\0\""), false),
        ("I-14 an escaped NUL", with(br#""\u0000""#), true),
        ("I-14 a lone surrogate", with(br#""\ud800""#), false),
        ("I-14 a pair of surrogates", with(br#""\ud83d\ude00""#), true),
        ("I-14 120 deep", deep(120), true),
        ("I-14 128 deep", deep(128), true),
        ("I-14 100,000 deep", deep(100_000), true),
        ("I-14 100,000 deep, not closed", deep(100_000)[..150_000].to_vec(), false),
        ("I-14 event_type twice", br#"{"event_type":"a","event_type":"a"}"#.to_vec(), false),
        ("I-14 data twice", br#"{"data":{},"event_type":"a","data":{}}"#.to_vec(), false),
        ("I-14 data twice, escaped", br#"{"data":{},"d\u0061ta":{}}"#.to_vec(), false),
        ("issue 14 item 41: company_id twice", br#"{"company_id":"a","company_id":"b"}"#.to_vec(), false),
        (
            "issue 14 item 41: timestamp twice",
            br#"{"timestamp":1705314600,"timest\u0061mp":1705314600}"#.to_vec(),
            false,
        ),
        ("I-14 another key twice", br#"{"event_type":"a.b","x":1,"x":2}"#.to_vec(), true),
        ("I-14 1e400", with(b"1e400"), true),
        ("I-14 1e400 that is no JSON", with(b"01e400"), false),
        ("I-14 30 digits", with(b"123456789012345678901234567890"), true),
        ("I-14 NaN", with(b"NaN"), false),
        ("I-14 -Infinity", with(b"-Infinity"), false),
        ("I-14 an array", b"[1,2]".to_vec(), false),
        ("I-14 a text", b"\"text\"".to_vec(), false),
        ("I-14 null", b"null".to_vec(), false),
        ("I-14 a blank in front", b" {\"event_type\":\"a.b\"}".to_vec(), false),
        ("I-14 garbage behind", b"{\"event_type\":\"a.b\"}x".to_vec(), false),
        ("I-14 two objects", b"{}{}".to_vec(), false),
        ("I-14 blanks behind", b"{\"event_type\":\"a.b\"} \r\n\t".to_vec(), true),
        ("I-14 a comma too many", b"{\"event_type\":\"a.b\",}".to_vec(), false),
        ("I-14 single quotes", b"{'event_type':'a.b'}".to_vec(), false),
        ("I-14 100,000 keys", with(format!("{{{}}}", keys.join(",")).as_bytes()), true),
        ("I-14 900 kB of text", with(format!("\"{}\"", "@everyone ".repeat(90_000)).as_bytes()), true),
        ("I-15 nothing", b"{}".to_vec(), true),
        ("I-15 unknown", br#"{"event_type":"printer.jammed","data":{"a":1}}"#.to_vec(), true),
        ("I-15 empty", br#"{"event_type":"","data":{"a":1}}"#.to_vec(), true),
        ("I-15 10 kB", format!(r#"{{"event_type":"{}"}}"#, "a".repeat(10_240)).into_bytes(), true),
        ("I-15 a line break", br#"{"event_type":"a\nb"}"#.to_vec(), true),
        ("I-15 a path", br#"{"event_type":"../../etc/passwd"}"#.to_vec(), true),
        ("I-15 SQL", br#"{"event_type":"a'; DROP TABLE events; --"}"#.to_vec(), true),
        ("I-15 HTML", br#"{"event_type":"<script>alert(1)</script>"}"#.to_vec(), true),
        ("I-15 a number", br#"{"event_type":7,"data":"x","company_id":[],"timestamp":{}}"#.to_vec(), true),
        (
            "I-15 nulls",
            br#"{"event_type":null,"data":null,"company_id":null,"timestamp":null}"#.to_vec(),
            true,
        ),
        (
            "I-15 wrong types",
            br#"{"event_type":"ticket.created","data":{"title":{},"seq_id":[],"priority":1,"notes":"x"}}"#
                .to_vec(),
            true,
        ),
        (
            "I-15 times beyond all",
            br#"{"event_type":"a.b","timestamp":1e300,"data":{"created_at":"9999999-01-01"}}"#.to_vec(),
            true,
        ),
    ]
}

#[tokio::test]
async fn whatever_was_signed_is_an_event_or_in_quarantine() {
    let t = Harness::plain().await;
    let (mut events, mut quarantined) = (0, 0);
    for (case, body, is_event) in odd() {
        let heard = Post::signed(&t, body).send(&t).await.unwrap();
        if is_event {
            assert_eq!(heard.status, 200, "{case}: {heard:?}");
            events += 1;
        } else {
            assert_eq!((heard.status, heard.json()), (400, json!({"error": "Invalid JSON"})), "{case}");
            quarantined += 1;
        }
    }
    assert_eq!(t.store().quarantined().await.unwrap(), quarantined);
    let recent = t.store().recent(1000).await.unwrap();
    assert_eq!(recent.len(), events);
    for event in recent.into_iter().flatten() {
        let kind = event.kind.as_str();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
        assert!((1..=128).contains(&kind.len()) && kind.bytes().all(is_plain), "{kind}");
    }
    for body in t.store().quarantine_list(1000).await.unwrap() {
        assert!(body.head.len() <= 2048 && !body.reason.is_empty() && body.sha256.len() == 64);
    }
    // Four in five seconds: nobody waits for the rest in real time.
    t.settle_in_steps(Duration::from_millis(100)).await;
    t.channel("general").next_messages(events - 1).await;
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// Issue 14 item 30. Control: without `quoted` both are refused.
#[tokio::test]
async fn what_no_parser_holds_is_shown_as_it_was_written() {
    let t = Harness::plain().await;
    let body = format!(
        r#"{{"event_type":"printer.jammed","data":{{"pages":1e400,"tree":{}{}}}}}"#,
        "[".repeat(130),
        "]".repeat(130)
    );
    let heard = Post::signed(&t, body).send(&t).await.unwrap();
    assert_eq!(heard.status, 200, "{heard:?}");
    let card = t.channel("general").next_message().await;
    assert!(card.0["embeds"].to_string().contains("1e400"), "{:#}", card.0);
    assert_eq!(t.store().quarantined().await.unwrap(), 0);
    t.finish().await;
}

/// Any bytes at all as the body of a signed request: 200 or 400, and the connection goes on.
#[tokio::test]
async fn any_bytes_are_an_event_or_in_quarantine() {
    let t = Harness::with(|variables| {
        variables.insert("DISCORD_WEBHOOK_CHANNELS".into(), r#"{"default":[]}"#.into());
        // A digit in front is a 401, and there may be many.
        variables.insert("RATE_LIMIT".into(), "1000/1h".into());
    })
    .await;
    let mut runner = TestRunner::deterministic();
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    let text = r#"\{"event_type":"[a-z.]{0,9}","data":[\PC]{0,40}\}"#.prop_map(String::into_bytes);
    let strategy = proptest::prop_oneof![bytes, text, ".{0,200}".prop_map(String::into_bytes)];
    let mut wire = HttpTransport::to(&t).await;
    let mut events = std::collections::HashSet::new();
    for _ in 0..300 {
        let body = strategy.new_tree(&mut runner).unwrap().current();
        let heard = Post::signed(&t, body.clone()).send_on(&mut wire).await.unwrap();
        match heard.status {
            200 => drop(events.insert(heard.json()["event_id"].to_string())),
            // A body that begins with a digit may belong to another timestamp: not even worth a quarantine.
            401 => assert!(body[0].is_ascii_digit(), "{body:?}"),
            400 => assert_eq!(heard.json(), json!({"error": "Invalid JSON"})),
            other => panic!("{other}: {body:?}"),
        }
    }
    assert_eq!(t.store().recent(1000).await.unwrap().len(), events.len());
    t.finish().await;
}
