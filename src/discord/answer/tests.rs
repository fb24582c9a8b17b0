//! Tests of the outcome of each response.
//!
//! Controls: without `is_of`, five cases of `only_what_was_asked_for_is_a_success` are red; with `is_discords` true of
//! every error, `what_is_not_discords_own_error_…` and a proxy's 403 of `every_answer_has_its_outcome`; with `Age`
//! ignored, `an_answer_is_dated_…::from_a_cache`.

use reqwest::header::HeaderMap;

use super::*;
use crate::model::{Outcome, WebhookUrl};

const CHANNEL: Snowflake = Snowflake::new(9);
const SENT: Creation<'_> =
    Creation { channel: CHANNEL, nonce: "n", content: Some("hi"), is_repeat: false, is_discord: true };

fn of(status: u16, body: &str) -> Answer {
    Answer::of(status, HeaderMap::new(), body.into())
}

/// An error object of Discord's shape.
fn error(code: u64) -> String {
    serde_json::json!({"message": "No", "code": code}).to_string()
}

fn posted(status: u16, body: &str) -> &'static str {
    of(status, body).outcome(&SENT).class()
}

// N-5
#[rstest::rstest]
#[case(400, 50035, "refused")]
#[case(400, 50006, "refused")]
#[case(413, 40005, "refused")]
#[case(401, 0, "paused")]
#[case(401, 50027, "closed")]
#[case(403, 50013, "denied")]
#[case(403, 50001, "denied")]
#[case(403, 99999, "denied")]
#[case(400, 160_006, "denied")]
#[case(403, 40333, "paused")]
#[case(404, 10003, "closed")]
#[case(404, 10004, "closed")]
#[case(404, 10015, "closed")]
#[case(400, 50008, "closed")]
#[case(400, 50024, "closed")]
#[case(400, 40058, "closed")]
#[case(400, 220_001, "closed")]
#[case(400, 50083, "closed")]
#[case(403, 160_005, "closed")]
#[case(404, 0, "retry")]
#[case(403, 20016, "retry")]
#[case(503, 130_000, "ambiguous")]
#[case(500, 0, "ambiguous")]
fn every_error_of_discords_has_its_outcome(#[case] status: u16, #[case] code: u64, #[case] class: &str) {
    assert_eq!(posted(status, &error(code)), class);
}

// N-3, N-9
#[rstest::rstest]
#[case(429, r#"{"retry_after":1}"#, "retry")]
#[case(429, r#"{"retry_after":1,"code":20028}"#, "retry")]
#[case(429, r#"{"retry_after":1,"code":30046}"#, "retry")]
#[case(429, r#"{"retry_after":1,"global":true}"#, "paused")]
#[case(429, "error code: 1015", "paused")]
#[case(403, "<html>banned</html>", "paused")]
#[case(403, r#"{"error":"blocked by policy"}"#, "retry")]
#[case(408, "", "ambiguous")]
#[case(500, "", "ambiguous")]
#[case(502, "<html>", "ambiguous")]
#[case(302, "", "retry")]
fn every_answer_has_its_outcome(#[case] status: u16, #[case] body: &str, #[case] class: &str) {
    assert_eq!(posted(status, body), class);
}

// N-9
#[test]
fn what_is_not_discords_own_error_is_tried_again_and_nothing_more() {
    let bodies = [
        "<html>a proxy's page</html>",
        "",
        "{}",
        "null",
        "[]",
        r#"{"error":"no"}"#,
        r#"{"code":50035}"#,
        r#"{"code":10003}"#,
        r#"{"message":"Unauthorized"}"#,
        r#"{"code":"0","message":"no"}"#,
    ];
    let url = url();
    for status in [300, 302, 307, 400, 401, 402, 404, 405, 407, 409, 410, 411, 413, 418, 421, 431, 451] {
        for body in bodies {
            let answer = of(status, body);
            let expected = Outcome::Retry { after: None, arrived: crate::model::Arrived::No };
            assert_eq!(answer.outcome(&SENT), expected, "{status} {body}");
            assert_eq!(answer.edit_outcome(CHANNEL, Snowflake::new(7)), expected, "{status} {body}");
            assert_eq!(answer.webhook_outcome(&url, true), expected, "{status} {body}");
            assert_eq!(answer.webhook_edit_outcome(&url, Snowflake::new(7)), expected, "{status} {body}");
        }
    }
}

// Discord's older form errors have neither message nor code.
#[test]
fn an_error_of_another_shape_is_discords_where_it_came_through_its_servers() {
    let mut headers = HeaderMap::new();
    headers.insert("via", "1.1 google".parse().unwrap());
    let answer = Answer::of(400, headers, br#"{"embeds":["0"]}"#.to_vec());
    assert_eq!(answer.outcome(&SENT).class(), "refused");
}

// N-8
#[rstest::rstest]
#[case::with_its_nonce(r#"{"id":"7","nonce":"n"}"#, "sent", "sent", "sent")]
#[case::without_a_nonce(r#"{"id":"7","channel_id":"9","content":"hi"}"#, "ambiguous", "sent", "sent")]
#[case::of_another_channel(
    r#"{"id":"7","channel_id":"8","content":"hi"}"#,
    "ambiguous",
    "ambiguous",
    "ambiguous"
)]
#[case::with_other_words(
    r#"{"id":"7","channel_id":"9","content":"ho"}"#,
    "ambiguous",
    "ambiguous",
    "ambiguous"
)]
#[case::with_another_nonce(r#"{"id":"7","nonce":"m","content":"hi"}"#, "ambiguous", "ambiguous", "ambiguous")]
#[case::with_a_number(r#"{"id":"7","nonce":5}"#, "ambiguous", "ambiguous", "ambiguous")]
#[case::without_an_id(r#"{"nonce":"n"}"#, "ambiguous", "ambiguous", "ambiguous")]
#[case::html("<html>", "ambiguous", "ambiguous", "ambiguous")]
#[case::empty("", "ambiguous", "ambiguous", "ambiguous")]
#[case::an_empty_object("{}", "ambiguous", "ambiguous", "ambiguous")]
#[case::null("null", "ambiguous", "ambiguous", "ambiguous")]
#[case::a_list("[]", "ambiguous", "ambiguous", "ambiguous")]
#[case::half(r#"{"id":"7","nonce":"n""#, "ambiguous", "ambiguous", "ambiguous")]
#[case::an_error(r#"{"message":"No","code":10003}"#, "ambiguous", "ambiguous", "ambiguous")]
fn only_what_was_asked_for_is_a_success(
    #[case] body: &str,
    #[case] on_discord: &str,
    #[case] on_a_repeat: &str,
    #[case] elsewhere: &str,
) {
    for status in [200, 201, 202, 204, 206] {
        let answer = of(status, body);
        let class = |sent: Creation<'_>| answer.outcome(&sent).class();
        assert_eq!(class(SENT), on_discord);
        assert_eq!(class(Creation { is_repeat: true, ..SENT }), on_a_repeat);
        assert_eq!(class(Creation { is_discord: false, ..SENT }), elsewhere);
    }
}

#[test]
fn a_nonce_whose_message_was_deleted_is_known_only_if_it_was_sent_before() {
    let answer = of(404, &error(10008));
    assert_eq!(answer.outcome(&SENT).class(), "ambiguous");
    assert_eq!(answer.outcome(&Creation { is_repeat: true, ..SENT }).class(), "sent");
}

#[rstest::rstest]
#[case(200, r#"{"id":"7"}"#, "sent")]
#[case(200, r#"{"id":"8"}"#, "ambiguous")]
#[case(200, "{}", "ambiguous")]
#[case(200, "<html>", "ambiguous")]
#[case(204, "", "ambiguous")]
#[case(404, &error(10008), "uneditable")]
#[case(404, &error(404), "uneditable")]
#[case(403, &error(50005), "uneditable")]
#[case(429, &error(30046), "uneditable")]
#[case(400, &error(50083), "uneditable")]
#[case(400, &error(50035), "refused")]
#[case(404, &error(10003), "closed")]
#[case(429, r#"{"retry_after":1}"#, "retry")]
#[case(500, "", "ambiguous")]
fn an_edit_has_outcomes_of_its_own(#[case] status: u16, #[case] body: &str, #[case] class: &str) {
    assert_eq!(of(status, body).edit_outcome(CHANNEL, Snowflake::new(7)).class(), class);
}

#[test]
fn a_refusal_tells_what_discord_said() {
    let body = r#"{"code":50035,"message":"Invalid Form Body","errors":{"_errors":[{"message":"All wrong"}],
        "2":{"options":{"0":{"name":{"_errors":[{"code":"X","message":"Bad name"},{"code":"Y"}]}}}},"3":{}}}"#;
    let reason = of(400, body).reason();
    assert_eq!(
        reason.as_str(),
        "Discord answered 400 50035: Invalid Form Body All wrong; 2.options.0.name: Bad name; 2.options.0.name: no explanation"
    );
    let answer = of(400, r#"{"code":50035,"message":"Invalid Form Body","errors":{"embeds":{}}}"#);
    let Outcome::Refused(reason) = answer.outcome(&SENT) else { panic!("not refused") };
    assert_eq!(reason.as_str(), r#"Discord answered 400 50035: Invalid Form Body {"embeds":{}}"#);
}

#[rstest::rstest]
#[case::dated(&[("date", "Sun, 06 Nov 1994 08:49:37 GMT")], Some(784_111_777))]
#[case::from_a_cache(&[("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("age", "3")], None)]
#[case::no_date(&[("date", "soon")], None)]
#[case::without(&[], None)]
fn an_answer_is_dated_unless_a_cache_kept_it(
    #[case] headers: &[(&'static str, &str)],
    #[case] date: Option<i64>,
) {
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let answer = Answer::of(200, headers.collect(), b"[]".to_vec());
    assert_eq!(answer.date(), date.map(Timestamp::from_secs));
}

fn url() -> WebhookUrl {
    let token = "t".repeat(68);
    let url = format!("https://discord.com/api/webhooks/1200000000000000001/{token}");
    WebhookUrl::parse(&url, "").unwrap()
}

// N-5, N-8, D-12
#[rstest::rstest]
#[case(200, r#"{"id":"7","channel_id":"8","webhook_id":"1200000000000000001"}"#, "sent", "sent")]
#[case(200, r#"{"id":"7","channel_id":"8","webhook_id":"1200000000000000002"}"#, "ambiguous", "sent")]
#[case(200, r#"{"id":"8","webhook_id":"1200000000000000001"}"#, "sent", "ambiguous")]
#[case(200, "<html>", "ambiguous", "ambiguous")]
#[case(200, "{}", "ambiguous", "ambiguous")]
#[case(204, "", "ambiguous", "ambiguous")]
#[case(404, &error(10015), "closed", "closed")]
#[case(404, &error(10003), "closed", "closed")]
#[case(404, &error(0), "closed", "closed")]
#[case(401, &error(50027), "closed", "closed")]
#[case(401, &error(0), "closed", "closed")]
#[case(400, &error(220_001), "closed", "closed")]
#[case(404, &error(10008), "closed", "uneditable")]
#[case(400, &error(50083), "closed", "uneditable")]
#[case(403, &error(50005), "denied", "uneditable")]
#[case(403, &error(50013), "denied", "denied")]
#[case(403, "<html>", "paused", "paused")]
#[case(400, &error(50035), "refused", "refused")]
#[case(429, r#"{"retry_after":1}"#, "retry", "retry")]
#[case(500, "", "ambiguous", "ambiguous")]
fn a_webhook_has_outcomes_of_its_own(
    #[case] status: u16,
    #[case] body: &str,
    #[case] posted: &str,
    #[case] edited: &str,
) {
    let answer = of(status, body);
    assert_eq!(answer.webhook_outcome(&url(), true).class(), posted);
    assert_eq!(answer.webhook_edit_outcome(&url(), Snowflake::new(7)).class(), edited);
}

#[test]
fn servers_written_by_others_need_not_name_the_webhook() {
    let answer = of(200, r#"{"id":"7"}"#);
    assert_eq!(answer.webhook_outcome(&url(), false).class(), "sent");
    assert_eq!(answer.webhook_outcome(&url(), true).class(), "ambiguous");
}
