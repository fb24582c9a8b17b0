//! Parsing of rate-limit headers. No number is trusted: a wrong one must cost neither a hot loop nor a week.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::model::schedule;

/// Minimum wait, whatever the header.
pub(super) const SHORTEST: Duration = Duration::from_millis(250);
/// Maximum wait, whatever the header.
pub(super) const LONGEST: Duration = schedule::LONGEST_WAIT;
/// Maximum length of a bucket's name, in bytes.
const NAME: usize = 128;

/// A response's rate-limit data; each field only if its value makes sense.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BucketHeaders {
    /// The bucket's name.
    pub(super) bucket: Option<String>,
    /// How many requests the bucket allows per window.
    pub(super) limit: Option<u32>,
    /// How many requests remain in this window.
    pub(super) remaining: Option<u32>,
    /// Time until the window resets.
    pub(super) reset_after: Option<Duration>,
    /// How long the bucket accepts nothing, whatever remains.
    pub(super) blocked: Option<Duration>,
}

impl BucketHeaders {
    /// Parses `headers`, any of which may be missing, repeated or malformed.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let count = |name| {
            numbers(headers, name)
                .filter(|number| *number >= 0.0)
                // A number too large for the type is as good as no limit.
                .map(|number| number.min(f64::from(u32::MAX)))
                .reduce(f64::min)
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and u32::MAX")]
        let count = |name| count(name).map(|number| number as u32);
        let bucket = headers.get("x-ratelimit-bucket").and_then(|name| name.to_str().ok());
        Self {
            bucket: bucket.filter(|name| (1..=NAME).contains(&name.len())).map(str::to_owned),
            limit: count("x-ratelimit-limit"),
            remaining: count("x-ratelimit-remaining"),
            reset_after: spans(headers, "x-ratelimit-reset-after").max().map(|span| span.min(LONGEST)),
            blocked: None,
        }
    }
}

/// The wait that a 429 (or a 503) requests: the body's `retry_after` in seconds with fractions, else the header's.
/// Between 0.25 s and 1 h; `None` if neither has a valid value.
pub(super) fn retry_after(headers: &HeaderMap, body: Option<&Value>) -> Option<Duration> {
    body.and_then(|body| body.get("retry_after"))
        .and_then(Value::as_f64)
        .and_then(seconds)
        .or_else(|| spans(headers, "retry-after").max())
        .map(|span| span.clamp(SHORTEST, LONGEST))
}

/// Whether the limit that was hit is the account's or the address's, not the channel's. Discord's header is `true`
/// whenever it is present; any other value is ignored.
pub(super) fn is_global(headers: &HeaderMap, body: Option<&Value>) -> bool {
    let is_true = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"true");
    headers.get_all("x-ratelimit-global").iter().any(is_true)
        || body.and_then(|body| body.get("global")).and_then(Value::as_bool) == Some(true)
}

/// Whether the limit that was hit is shared with other applications: it does not count against us.
pub(super) fn is_shared(headers: &HeaderMap) -> bool {
    headers.get("x-ratelimit-scope").is_some_and(|scope| scope == "shared")
}

/// The numbers in all headers called `name`.
fn numbers<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = f64> + use<'a> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok()?.trim().parse::<f64>().ok())
        .filter(|number| number.is_finite())
}

fn spans<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = Duration> + use<'a> {
    numbers(headers, name).filter_map(seconds)
}

/// A duration of `number` seconds; `None` if it is negative, infinite or not a number.
fn seconds(number: f64) -> Option<Duration> {
    (number.is_finite() && number >= 0.0).then(|| Duration::from_secs_f64(number.min(1e9)))
}

#[cfg(test)]
mod tests {
    use super::*;

    // N-2; the whole table, through the client and with every status, is in tests/it/limits.rs.
    #[rstest::rstest]
    #[case("2", Some(2_000))]
    #[case("0.5", Some(500))]
    #[case("0", Some(250))]
    #[case("604800", Some(3_600_000))]
    #[case("1e300", Some(3_600_000))]
    #[case("-1", None)]
    #[case("inf", None)]
    #[case("nan", None)]
    #[case("soon", None)]
    #[case("", None)]
    #[case("Wed, 21 Oct 2015 07:28:00 GMT", None)]
    fn lies_about_waiting_are_survived(#[case] header: &str, #[case] expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", header.parse().unwrap());
        assert_eq!(retry_after(&headers, None), expected.map(Duration::from_millis));
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset-after"] {
            headers.insert(name, header.parse().unwrap());
        }
        assert!(BucketHeaders::read(&headers).reset_after.is_none_or(|span| span <= LONGEST));
    }

    #[test]
    fn the_body_goes_before_the_header() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "3".parse().unwrap());
        let body = serde_json::json!({"retry_after": 1.5, "global": true});
        assert_eq!(retry_after(&headers, Some(&body)), Some(Duration::from_millis(1500)));
        assert!(is_global(&headers, Some(&body)) && !is_global(&headers, None));
        let body = serde_json::json!({"retry_after": -1});
        assert_eq!(retry_after(&headers, Some(&body)), Some(Duration::from_secs(3)));
    }

    #[test]
    fn of_doubled_headers_the_more_careful_one_counts() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("retry-after", "1"),
            ("retry-after", "9"),
            ("x-ratelimit-remaining", "7"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset-after", "4.25"),
            ("x-ratelimit-reset-after", "nan"),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        assert_eq!(retry_after(&headers, None), Some(Duration::from_secs(9)));
        let bucket_headers = BucketHeaders::read(&headers);
        assert_eq!(
            (bucket_headers.remaining, bucket_headers.reset_after),
            (Some(0), Some(Duration::from_millis(4250)))
        );
    }
}
