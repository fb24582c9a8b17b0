//! Tests with the vectors of the platform's own documentation, and with every kind of mistake.

use proptest::prelude::*;

use super::*;
use crate::signature::{sign, verify};

const TIMESTAMP: &[u8] = b"1705314600";
const BODY: &str = r#"{"event_type":"ticket.created","data":{"id":"ticket-uuid","title":"Ünïcode 🎫"},"company_id":"c","timestamp":1705314600}"#;
/// Computed with Python's hmac over `json.dumps` with its documented separators.
const SIGNATURE: &str = "sha256=412c497146d0e52731fa44b0df6877ec8e5eea56e7a03ed12cf7ff7dea136f00";

fn secret() -> Secret {
    Secret::new("topsecret")
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_705_314_600)
}

fn signature_check(signature: &[u8]) -> Result<(), SignatureError> {
    check(&secret(), TIMESTAMP, signature, BODY.as_bytes(), now())
}

fn timestamp_check(timestamp: &[u8]) -> Result<(), SignatureError> {
    let signature = sign(&secret(), &[timestamp, BODY.as_bytes()]);
    check(&secret(), timestamp, signature.as_bytes(), BODY.as_bytes(), now())
}

#[test]
fn the_platforms_own_signature_is_accepted() {
    assert_eq!(sign(&secret(), &[TIMESTAMP, BODY.as_bytes()]), SIGNATURE);
    assert_eq!(signature_check(SIGNATURE.as_bytes()), Ok(()));
}

#[test]
fn githubs_documented_vector() {
    let secret = Secret::new("It's a Secret to Everybody");
    let header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(sign(&secret, &[b"Hello, World!"]), header);
    assert!(verify(&secret, &[b"Hello, World!"], header.as_bytes()));
}

// I-1: hex is case-insensitive, everything else is exact.
#[test]
fn upper_case_digits_are_the_same_mac() {
    let upper = format!("sha256={}", SIGNATURE[7..].to_uppercase());
    assert_eq!(signature_check(upper.as_bytes()), Ok(()));
}

// I-1
#[rstest::rstest]
#[case::missing(String::new(), SignatureError::NoSignature)]
#[case::sha1(format!("sha1={}", &SIGNATURE[7..47]), SignatureError::MalformedSignature(SignatureFault::NoPrefix))]
#[case::no_prefix(SIGNATURE[7..].to_owned(), SignatureError::MalformedSignature(SignatureFault::NoPrefix))]
#[case::upper_case_prefix(format!("SHA256={}", &SIGNATURE[7..]), SignatureError::MalformedSignature(SignatureFault::NoPrefix))]
#[case::prefix_alone("sha256=".to_owned(), SignatureError::MalformedSignature(SignatureFault::Length(0)))]
#[case::one_short(SIGNATURE[..70].to_owned(), SignatureError::MalformedSignature(SignatureFault::Length(63)))]
#[case::two_short(SIGNATURE[..69].to_owned(), SignatureError::MalformedSignature(SignatureFault::Length(62)))]
#[case::one_long(format!("{SIGNATURE}0"), SignatureError::MalformedSignature(SignatureFault::Length(65)))]
#[case::truncated_mac(SIGNATURE[..39].to_owned(), SignatureError::MalformedSignature(SignatureFault::Length(32)))]
#[case::space(format!("{SIGNATURE} "), SignatureError::MalformedSignature(SignatureFault::Length(65)))]
#[case::line_break(format!("{SIGNATURE}\n"), SignatureError::MalformedSignature(SignatureFault::Length(65)))]
#[case::comma(format!("{SIGNATURE},"), SignatureError::MalformedSignature(SignatureFault::Length(65)))]
#[case::two_values(format!("{SIGNATURE},{SIGNATURE}"), SignatureError::MalformedSignature(SignatureFault::Length(136)))]
#[case::not_hex(format!("{}g", &SIGNATURE[..70]), SignatureError::MalformedSignature(SignatureFault::NotHex))]
#[case::not_ascii(format!("{}ü", &SIGNATURE[..69]), SignatureError::MalformedSignature(SignatureFault::NotHex))]
#[case::base64("sha256=QSxJcUbQ5Scx+kSw32h37I5e6lbnoD7RLPf/feoTbwA=".to_owned(), SignatureError::MalformedSignature(SignatureFault::Length(44)))]
#[case::another(format!("sha256={}", "0".repeat(64)), SignatureError::Mismatch)]
fn other_signatures_are_refused(#[case] signature: String, #[case] reason: SignatureError) {
    assert_eq!(signature_check(signature.as_bytes()), Err(reason));
}

// I-3
#[rstest::rstest]
#[case("")]
#[case("topsecre")]
#[case("topsecret ")]
#[case("another")]
fn other_secrets_are_refused(#[case] other: &str) {
    let signature = sign(&Secret::new(other), &[TIMESTAMP, BODY.as_bytes()]);
    assert_eq!(signature_check(signature.as_bytes()), Err(SignatureError::Mismatch));
}

// I-5: each signature is valid, so only the timestamp's form can be the reason for a refusal.
#[rstest::rstest]
#[case::missing("", SignatureError::NoTimestamp)]
#[case::plus("+1705314600", SignatureError::MalformedTimestamp { digits: None, looks_like_millis: false })]
#[case::plus_of_ten("+170531460", SignatureError::MalformedTimestamp { digits: None, looks_like_millis: false })]
#[case::minus("-1", SignatureError::MalformedTimestamp { digits: None, looks_like_millis: false })]
#[case::space(" 1705314600", SignatureError::MalformedTimestamp { digits: None, looks_like_millis: false })]
#[case::fraction("1705314600.0", SignatureError::MalformedTimestamp { digits: None, looks_like_millis: false })]
#[case::exponent("1.705314e9", SignatureError::MalformedTimestamp { digits: None, looks_like_millis: false })]
#[case::hex("0x65a50a28", SignatureError::MalformedTimestamp { digits: None, looks_like_millis: false })]
#[case::full_width("１７０５３１４６００", SignatureError::MalformedTimestamp { digits: None, looks_like_millis: false })]
#[case::nan("NaN", SignatureError::MalformedTimestamp { digits: None, looks_like_millis: false })]
#[case::two("1705314600,1705314600", SignatureError::MalformedTimestamp { digits: None, looks_like_millis: false })]
#[case::nine("170531460", SignatureError::MalformedTimestamp { digits: Some(9), looks_like_millis: false })]
#[case::eleven("01705314600", SignatureError::MalformedTimestamp { digits: Some(11), looks_like_millis: false })]
#[case::millis("1705314600000", SignatureError::MalformedTimestamp { digits: Some(13), looks_like_millis: true })]
#[case::two_to_63("9223372036854775808", SignatureError::MalformedTimestamp { digits: Some(19), looks_like_millis: false })]
#[case::huge("100000000000000000000000000000", SignatureError::MalformedTimestamp { digits: Some(30), looks_like_millis: false })]
fn other_timestamps_are_refused(#[case] timestamp: &str, #[case] reason: SignatureError) {
    assert_eq!(timestamp_check(timestamp.as_bytes()), Err(reason));
}

// I-6
#[rstest::rstest]
#[case(300, Ok(()))]
#[case(-300, Ok(()))]
#[case(301, Err(SignatureError::OutsideWindow { seconds_behind: 301 }))]
#[case(-301, Err(SignatureError::OutsideWindow { seconds_behind: -301 }))]
fn the_window_is_300_seconds_either_way(#[case] behind: i64, #[case] expected: Result<(), SignatureError>) {
    let at = (now().as_secs() - behind).to_string();
    assert_eq!(timestamp_check(at.as_bytes()), expected);
}

// I-7
#[test]
fn the_border_between_timestamp_and_body_cannot_be_moved() {
    let whole = [TIMESTAMP, BODY.as_bytes()].concat();
    for border in (0..=30).filter(|border| *border != TIMESTAMP.len()) {
        let (timestamp, body) = whole.split_at(border);
        assert!(
            verify(&secret(), &[timestamp, body], SIGNATURE.as_bytes()),
            "the MAC alone would not notice"
        );
        assert!(check(&secret(), timestamp, SIGNATURE.as_bytes(), body, now()).is_err(), "{border}");
    }
}

// I-7
#[test]
fn a_body_that_is_no_object_is_refused_even_if_signed() {
    for body in ["", "[1]", "5{\"a\":1}", " {}", "\u{feff}{}"] {
        let signature = sign(&secret(), &[TIMESTAMP, body.as_bytes()]);
        let result = check(&secret(), TIMESTAMP, signature.as_bytes(), body.as_bytes(), now());
        assert_eq!(result, Err(SignatureError::BodyNotAnObject), "{body:?}");
    }
}

#[rstest::rstest]
#[case::line_break(sign(&secret(), &[TIMESTAMP, BODY.as_bytes()]), format!("{BODY}\n"), Some(Mistake::LineBreakAdded))]
#[case::windows_line_break(sign(&secret(), &[TIMESTAMP, BODY.as_bytes()]), format!("{BODY}\r\n"), Some(Mistake::LineBreakAdded))]
#[case::body_alone(sign(&secret(), &[BODY.as_bytes()]), BODY.to_owned(), Some(Mistake::TimestampLeftOut))]
#[case::dot(sign(&secret(), &[TIMESTAMP, b".", BODY.as_bytes()]), BODY.to_owned(), Some(Mistake::DotBetween))]
#[case::none(format!("sha256={}", "0".repeat(64)), BODY.to_owned(), None)]
fn usual_mistakes_are_named(
    #[case] signature: String,
    #[case] body: String,
    #[case] expected: Option<Mistake>,
) {
    assert_eq!(mistake(&secret(), TIMESTAMP, signature.as_bytes(), body.as_bytes()), expected);
}

#[test]
fn reasons_are_sentences_for_the_operator() {
    let millis = SignatureError::MalformedTimestamp { digits: Some(13), looks_like_millis: true };
    assert_eq!(millis.to_string(), "timestamp has 13 digits: milliseconds, seconds are expected");
    let skewed = SignatureError::OutsideWindow { seconds_behind: 412 };
    assert_eq!(skewed.to_string(), "6 min 52 s behind our clock: check NTP on both machines");
    assert_eq!(
        SignatureError::OutsideWindow { seconds_behind: -412 }.to_string(),
        "6 min 52 s ahead of our clock: check NTP on both machines"
    );
    assert_eq!(
        SignatureError::Mismatch.to_string(),
        "signature does not match (another secret, or a proxy changed the body)"
    );
    assert_eq!(SignatureError::Doubled(SIGNATURE_HEADER).to_string(), "X-XTSystems-Signature was sent twice");
    assert!(SignatureError::BodyNotAnObject.to_string().ends_with("begin with {"));
}

proptest! {
    // I-7: one MAC has one reading, wherever the boundary between timestamp and body is put.
    #[test]
    fn no_other_split_of_what_was_signed_passes(
        digits in "[0-9]{0,12}",
        rest in prop_oneof![Just("{".to_owned()), "[0-9{]{0,20}", "\\PC{0,40}"],
        split in 0_usize..60,
    ) {
        let body = format!("{digits}{{{rest}");
        let signature = sign(&secret(), &[TIMESTAMP, body.as_bytes()]);
        let whole = [TIMESTAMP, body.as_bytes()].concat();
        let (timestamp, body) = whole.split_at(split.min(whole.len()));
        let passes = check(&secret(), timestamp, signature.as_bytes(), body, now()).is_ok();
        prop_assert_eq!(passes, split == 10 && digits.is_empty());
    }

    #[test]
    fn no_bytes_make_it_panic_and_none_pass_unsigned(
        timestamp in prop::collection::vec(any::<u8>(), 0..20),
        signature in prop::collection::vec(any::<u8>(), 0..80),
        body in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        prop_assert!(check(&secret(), &timestamp, &signature, &body, now()).is_err());
    }

    #[test]
    fn what_is_signed_now_is_accepted_and_one_changed_byte_is_not(rest in "[a-z ]{1,60}", at in 0_usize..60) {
        let mut body = format!("{{{rest}").into_bytes();
        let signature = sign(&secret(), &[TIMESTAMP, &body]);
        prop_assert_eq!(check(&secret(), TIMESTAMP, signature.as_bytes(), &body, now()), Ok(()));
        let at = at % body.len();
        body[at] ^= 1;
        prop_assert_eq!(check(&secret(), TIMESTAMP, signature.as_bytes(), &body, now()), Err(SignatureError::Mismatch));
    }
}
