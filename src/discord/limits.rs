//! What Discord's headers say about waiting. Every number is doubted: a lie must cost neither a hot loop nor a week.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// No wait is shorter than this, whatever is claimed.
const SHORTEST: Duration = Duration::from_millis(250);
/// No wait is longer than this, whatever is claimed.
const LONGEST: Duration = Duration::from_secs(3600);

/// How long a 429 (or a 503) asks to wait: the body's `retry_after` in seconds with fractions, else the header's.
/// Between 0.25 s and 1 h; `None` if neither says anything sensible.
pub(super) fn retry_after(headers: &HeaderMap, body: Option<&Value>) -> Option<Duration> {
    body.and_then(|body| body.get("retry_after"))
        .and_then(Value::as_f64)
        .and_then(seconds)
        .or_else(|| number(headers, "retry-after").and_then(seconds))
        .map(|span| span.clamp(SHORTEST, LONGEST))
}

/// How long the bucket of this answer is empty: zero if it is not, or does not say.
pub(super) fn cooldown(headers: &HeaderMap) -> Duration {
    if number(headers, "x-ratelimit-remaining") != Some(0.0) {
        return Duration::ZERO;
    }
    number(headers, "x-ratelimit-reset-after").and_then(seconds).unwrap_or_default().min(LONGEST)
}

/// Whether the limit that was hit is the account's or the address's, not the channel's.
pub(super) fn is_global(headers: &HeaderMap, body: Option<&Value>) -> bool {
    headers.contains_key("x-ratelimit-global")
        || body.and_then(|body| body.get("global")).and_then(Value::as_bool) == Some(true)
}

/// Whether the limit that was hit is shared with other applications: it does not count against us.
pub(super) fn is_shared(headers: &HeaderMap) -> bool {
    headers.get("x-ratelimit-scope").is_some_and(|scope| scope == "shared")
}

fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// A span of `number` seconds; `None` for what is negative, infinite or not a number.
fn seconds(number: f64) -> Option<Duration> {
    (number.is_finite() && number >= 0.0).then(|| Duration::from_secs_f64(number.min(1e9)))
}

#[cfg(test)]
mod tests {
    use super::*;

    // N-2
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
    #[case("Wed, 21 Oct 2015 07:28:00 GMT", None)]
    fn lies_about_waiting_are_survived(#[case] header: &str, #[case] expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", header.parse().unwrap());
        assert_eq!(retry_after(&headers, None), expected.map(Duration::from_millis));
        headers.insert("x-ratelimit-remaining", "0".parse().unwrap());
        headers.insert("x-ratelimit-reset-after", header.parse().unwrap());
        assert!(cooldown(&headers) <= LONGEST);
    }

    #[test]
    fn the_body_goes_before_the_header_and_an_empty_bucket_cools_down() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "3".parse().unwrap());
        let body = serde_json::json!({"retry_after": 1.5, "global": true});
        assert_eq!(retry_after(&headers, Some(&body)), Some(Duration::from_millis(1500)));
        assert!(is_global(&headers, Some(&body)) && !is_global(&headers, None));
        headers.insert("x-ratelimit-remaining", "0".parse().unwrap());
        headers.insert("x-ratelimit-reset-after", "4.25".parse().unwrap());
        assert_eq!(cooldown(&headers), Duration::from_millis(4250));
        headers.insert("x-ratelimit-remaining", "1".parse().unwrap());
        assert_eq!(cooldown(&headers), Duration::ZERO);
    }
}
