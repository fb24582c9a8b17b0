//! N-2: tests with hostile headers and bodies: no panic, no wait outside the clamp, and a success is a success.
//!
//! Control, tried by taking it away: the clamp in `limits::retry_after` (1e300 and 604800 fail).

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::discord::answer::{Answer, Creation};
use crate::discord::bucket::{BucketRoute, Buckets, Share};
use crate::discord::limits::{LONGEST, SHORTEST};
use crate::model::{Outcome, PauseScope, Snowflake};

const ROUTE: BucketRoute = BucketRoute { template: "POST /somewhere", major: Snowflake::new(1) };
const STATUSES: [u16; 14] = [200, 201, 204, 302, 400, 401, 403, 404, 408, 409, 429, 500, 502, 503];
const HEADERS: [&str; 8] = [
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-reset-after",
    "x-ratelimit-bucket",
    "x-ratelimit-scope",
    "x-ratelimit-global",
];
const VALUES: [&[u8]; 18] = [
    b"-1",
    b"-0.0",
    b"0",
    b"0.0000001",
    b"inf",
    b"-inf",
    b"nan",
    b"1e300",
    b"1e-300",
    b"99999999999999999999999999",
    b"604800",
    b"soon",
    b"1,2",
    b"Wed, 21 Oct 2015 07:28:00 GMT",
    b"1445412480",
    b"",
    b"\xff\xfe",
    b"0x10",
];

/// The proof that a message was posted.
const PROOF: &str = r#"{"id":"7","nonce":"n"}"#;

/// The other, correct headers, so that the hostile one has an effect.
fn honest() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-ratelimit-limit", "5"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset-after", "2.5"),
        ("x-ratelimit-bucket", "abc"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

fn survived(status: u16, headers: HeaderMap, body: &str, case: &str) {
    let answer = Answer::of(status, headers, body.into());
    let (channel, content) = (Snowflake::new(9), None);
    let outcome =
        answer.outcome(&Creation { channel, nonce: "n", content, is_repeat: false, is_discord: true });
    let proven = (200..300).contains(&status) && body == PROOF;
    assert_eq!(proven, matches!(outcome, Outcome::Sent(_)), "{case}: {outcome:?}");
    match &outcome {
        Outcome::Retry { after: Some(after), .. } | Outcome::Paused { scope: PauseScope::Address, after } => {
            assert!((SHORTEST..=LONGEST).contains(after), "{case}: {after:?}");
        }
        _ => {}
    }
    // The clock may have any value.
    for now in [Duration::ZERO, Duration::from_secs(1 << 40)] {
        let buckets = Buckets::default();
        let wait = buckets.take(ROUTE, now).settle(&answer.bucket_headers(), now);
        assert!(wait <= LONGEST, "{case}: {wait:?}");
        // Whatever was learned, it expires.
        assert_eq!(buckets.wait(ROUTE, Share::Full, now + LONGEST), Duration::ZERO, "{case}");
    }
}

#[test]
fn no_header_brings_us_down_or_makes_us_wait_too_long_or_send_twice() {
    let mut cases = 0;
    for status in STATUSES {
        for name in HEADERS {
            for value in VALUES {
                let value = HeaderValue::from_bytes(value).unwrap();
                let (mut alone, mut replaced, mut doubled) = (HeaderMap::new(), honest(), honest());
                alone.insert(name, value.clone());
                replaced.insert(name, value.clone());
                doubled.append(name, value.clone());
                for (how, headers) in [("alone", alone), ("replaced", replaced), ("doubled", doubled)] {
                    for body in [
                        PROOF,
                        "",
                        "<html>",
                        r#"{"retry_after":1.5}"#,
                        r#"{"message":"No","code":50035}"#,
                        "null",
                        "[]",
                    ] {
                        let case = format!("{status} {name}: {value:?} ({how}), {body:?}");
                        survived(status, headers.clone(), body, &case);
                        cases += 1;
                    }
                }
            }
            let mut absent = honest();
            absent.remove(name);
            survived(status, absent, "{}", &format!("{status} without {name}"));
        }
    }
    assert!(cases >= 60, "{cases}");
}

#[test]
fn no_body_brings_us_down_or_makes_us_wait_too_long_or_send_twice() {
    let waits = [
        json!(-1),
        json!(1e300),
        json!("5"),
        json!(null),
        json!([1]),
        json!(604_800),
        json!(u64::MAX),
        json!(0),
    ];
    for status in STATUSES {
        for wait in &waits {
            for global in [json!(true), json!(false), json!("yes"), json!(null)] {
                for code in [json!(10003), json!(-1), json!(1e20), json!("10003"), json!(null)] {
                    let body = json!({"message": "No", "retry_after": wait, "global": global, "code": code})
                        .to_string();
                    survived(status, HeaderMap::new(), &body, &format!("{status} {body}"));
                }
            }
        }
    }
}

#[test]
fn a_wait_is_honoured_whole_when_it_is_honest() {
    let mut headers = honest();
    headers.insert("retry-after", HeaderValue::from_static("1337"));
    headers.insert("x-ratelimit-scope", HeaderValue::from_static("shared"));
    let answer = Answer::of(429, headers, br#"{"retry_after":1336.57,"global":false}"#.to_vec());
    let buckets = Buckets::default();
    let wait = buckets.take(ROUTE, Duration::ZERO).settle(&answer.bucket_headers(), Duration::ZERO);
    assert_eq!(wait, Duration::from_secs_f64(1336.57), "longer than the bucket's own window");
}
