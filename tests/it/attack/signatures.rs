//! I-1 to I-7, I-13, I-18: what is not signed, doubled, shifted, of another secret, or at another address.

use rstest::rstest;
use serde_json::json;

use crate::attack::sender::{Post, TICKET, a_good_one_is_accepted, assert_no_rows, sign};
use crate::harness::{Harness, SECRET};

const SIGNATURE: &str = "X-XTSystems-Signature";
const TIMESTAMP: &str = "X-XTSystems-Timestamp";
const MISSING: &str = "Missing signature or timestamp";
const INVALID: &str = "Invalid signature";
const TOO_OLD: &str = "Timestamp too old";

/// The number of the case, the request made of a good one, and what its sender is told.
type Case = (&'static str, fn(Post, &str) -> Post, &'static str);

/// Everything that is no signature of this request. The second argument is the right signature.
const UNSIGNED: &[Case] = &[
    ("I-1 missing", |p, _| p.without(SIGNATURE), MISSING),
    ("I-1 empty", |p, _| p.but(SIGNATURE, ""), MISSING),
    ("I-1 only blanks", |p, _| p.but(SIGNATURE, "   "), MISSING),
    ("I-1 sha1", |p, s| p.but(SIGNATURE, s.replace("sha256", "sha1")), INVALID),
    ("I-1 no prefix", |p, s| p.but(SIGNATURE, &s[7..]), INVALID),
    ("I-1 prefix in capitals", |p, s| p.but(SIGNATURE, s.replace("sha256", "SHA256")), INVALID),
    ("I-1 63 digits", |p, s| p.but(SIGNATURE, &s[..70]), INVALID),
    ("I-1 65 digits", |p, s| p.but(SIGNATURE, format!("{s}0")), INVALID),
    ("I-1 62 digits", |p, s| p.but(SIGNATURE, &s[..69]), INVALID),
    ("I-1 truncated MAC", |p, s| p.but(SIGNATURE, &s[..39]), INVALID),
    ("I-1 no hex", |p, s| p.but(SIGNATURE, format!("{}g", &s[..70])), INVALID),
    ("I-1 a comma", |p, s| p.but(SIGNATURE, format!("{s},")), INVALID),
    ("I-1 two in one", |p, s| p.but(SIGNATURE, format!("{s},{s}")), INVALID),
    ("I-1 two in one, spaced", |p, s| p.but(SIGNATURE, format!("{s} {s}")), INVALID),
    ("I-1 not ASCII", |p, s| p.but(SIGNATURE, [s.as_bytes(), b"\xff\xfe"].concat()), INVALID),
    ("I-1 base64", |p, _| p.but(SIGNATURE, "sha256=q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="), INVALID),
    ("I-1 another", |p, s| p.but(SIGNATURE, s.replace(&s[7..9], "00")), INVALID),
    ("I-2 signature twice", |p, s| p.with(SIGNATURE, s), INVALID),
    (
        "I-2 timestamp twice",
        |p, _| {
            let at = p.timestamp();
            p.with(TIMESTAMP, at)
        },
        INVALID,
    ),
    ("I-2 an empty one first", |p, s| p.but(SIGNATURE, "").with(SIGNATURE, s), INVALID),
    ("I-3 the empty secret", |p, _| p.signed_with(""), INVALID),
    ("I-3 another secret", |p, _| p.signed_with("another secret, long enough"), INVALID),
    ("I-5 missing", |p, _| p.without(TIMESTAMP), MISSING),
    ("I-5 empty", |p, _| p.but(TIMESTAMP, ""), MISSING),
    ("I-5 a plus", |p, _| p.at("+1700000000"), INVALID),
    ("I-5 nine digits and a plus", |p, _| p.at("+170000000"), INVALID),
    ("I-5 a minus", |p, _| p.at("-1"), INVALID),
    ("I-5 a fraction", |p, _| p.at("1700000000.0"), INVALID),
    ("I-5 scientific", |p, _| p.at("1.7e9"), INVALID),
    ("I-5 hexadecimal", |p, _| p.at("0x65536f00"), INVALID),
    ("I-5 full-width digits", |p, _| p.at("\u{ff11}\u{ff17}00000000"), INVALID),
    ("I-5 9 digits", |p, _| p.at("170000000"), INVALID),
    ("I-5 11 digits", |p, _| p.at("17000000000"), INVALID),
    (
        "I-5 milliseconds",
        |p, _| {
            let at = p.timestamp();
            p.at(&format!("{at}000"))
        },
        INVALID,
    ),
    ("I-5 2^63", |p, _| p.at("9223372036854775808"), INVALID),
    ("I-5 10^30", |p, _| p.at(&format!("1{}", "0".repeat(30))), INVALID),
    ("I-5 NaN", |p, _| p.at("NaN"), INVALID),
    (
        "I-5 two values",
        |p, _| {
            let at = p.timestamp();
            p.at(&format!("{at},{at}"))
        },
        INVALID,
    ),
    ("I-6 long ago", |p, _| p.at("1000000000"), TOO_OLD),
    ("I-6 far ahead", |p, _| p.at("9999999999"), TOO_OLD),
];

impl Post {
    fn timestamp(&self) -> String {
        let found = self.headers.iter().find(|(name, _)| name == TIMESTAMP).unwrap();
        String::from_utf8(found.1.clone()).unwrap()
    }

    /// With another timestamp, signed rightly for it.
    fn at(self, timestamp: &str) -> Self {
        let signature = sign(SECRET, timestamp, &self.body);
        self.but(TIMESTAMP, timestamp).but(SIGNATURE, signature)
    }

    fn signed_with(self, secret: &str) -> Self {
        let signature = sign(secret, &self.timestamp(), &self.body);
        self.but(SIGNATURE, signature)
    }
}

#[tokio::test]
async fn what_is_not_signed_is_refused_and_leaves_nothing() {
    let t = Harness::start().await;
    for (case, spoil, expected) in UNSIGNED {
        let good = Post::signed(&t, TICKET);
        let signature = sign(SECRET, &good.timestamp(), &good.body);
        let heard = spoil(good, &signature).send(&t).await.unwrap_or_else(|| panic!("{case}: no answer"));
        assert_eq!((heard.status, heard.json()), (401, json!({"error": expected})), "{case}");
    }
    // I-7: the original MAC, and the boundary moved by 1 to 20 bytes either way.
    let good = Post::signed(&t, format!("{}{TICKET}", "1".repeat(20)));
    let (timestamp, body) = (good.timestamp(), String::from_utf8(good.body.clone()).unwrap());
    for by in 1..=20 {
        let mut later = good.clone().but(TIMESTAMP, format!("{timestamp}{}", &body[..by]));
        later.body = body.as_bytes()[by..].to_vec();
        let mut earlier = good.clone();
        if by < 10 {
            earlier = earlier.but(TIMESTAMP, &timestamp[..10 - by]);
            earlier.body = format!("{}{body}", &timestamp[10 - by..]).into_bytes();
        }
        for shifted in [later, earlier] {
            let length = shifted.body.len().to_string();
            let heard = shifted.but("Content-Length", length).send(&t).await.unwrap();
            assert_eq!((heard.status, heard.json()), (401, json!({"error": INVALID})), "I-7 by {by}");
        }
    }
    assert_no_rows(&t).await;
    t.finish().await;
}

// I-1: blanks around a header's value do not belong to it (RFC 9110, 5.5), and hex digits have no case.
#[rstest]
#[case(|s: &str| format!("sha256={}", s[7..].to_uppercase()))]
#[case(|s: &str| format!("{s} "))]
#[case(|s: &str| format!("\t{s}"))]
#[tokio::test]
async fn the_same_signature_written_otherwise_is_accepted(#[case] write: fn(&str) -> String) {
    let t = Harness::start().await;
    let good = Post::signed(&t, TICKET);
    let signature = sign(SECRET, &good.timestamp(), &good.body);
    let heard = good.but(SIGNATURE, write(&signature)).send(&t).await.unwrap();
    assert_eq!(heard.status, 200, "{heard:?}");
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// I-3
#[tokio::test]
async fn the_previous_secret_is_accepted_while_it_is_set() {
    const OLD: &str = "the old one";
    let mut t = Harness::with(|variables| {
        variables.insert("WEBHOOK_SECRET_PREVIOUS".into(), OLD.into());
    })
    .await;
    let heard = Post::signed(&t, TICKET).signed_with(OLD).send(&t).await.unwrap();
    assert_eq!(heard.status, 200, "{heard:?}");
    let heard = Post::signed(&t, TICKET).signed_with("an even older one").send(&t).await.unwrap();
    assert_eq!((heard.status, heard.json()), (401, json!({"error": INVALID})));
    t.log.expect(tracing::Level::WARN, "matches the previous secret");
    let found: Vec<_> = t.hub().findings().iter().map(|found| found.finding.as_str()).collect();
    assert_eq!(found, ["signature_mismatch", "previous_secret"]);
    t.channel("tickets").next_message().await;
    t.settle().await;

    t.set("WEBHOOK_SECRET_PREVIOUS", "");
    t.restart().await;
    let heard = Post::signed(&t, TICKET).signed_with(OLD).send(&t).await.unwrap();
    assert_eq!(heard.status, 401);
    t.finish().await;
}

// I-6. The second itself is tried where time stands still: src/signature/xtsystems/tests.rs.
#[rstest]
#[case(-302, 401)]
#[case(-290, 200)]
#[case(290, 200)]
#[case(310, 401)]
#[tokio::test]
async fn the_window_is_five_minutes_either_way(#[case] offset: i64, #[case] expected: u16) {
    let t = Harness::start().await;
    let at = t.clock.now().as_secs() + offset;
    let heard = Post::signed_at(&at.to_string(), TICKET).send(&t).await.unwrap();
    assert_eq!(heard.status, expected, "{heard:?}");
    if expected == 200 {
        t.channel("tickets").next_message().await;
    }
    t.finish().await;
}

// I-18
#[tokio::test]
async fn other_addresses_are_one_and_the_same_404() {
    let t = Harness::start().await;
    let long = format!("/webhooks/{}", "x".repeat(8000));
    for path in [
        "/webhooks/other",
        "/webhooks/%2e%2e",
        "/webhooks/%00",
        "/webhooks/%78tsystems",
        "/webhooks/xtsystems/",
        "/webhooks//xtsystems",
        "/webhooks/XTSYSTEMS",
        "/webhooks/xtsystems%2f..",
        "/webhooks/nuncio",
        "/webhooks/",
        "/webhooks/\u{1f4a9}",
        &long,
    ] {
        let heard = Post::signed(&t, TICKET).at_path(path).send(&t).await.unwrap();
        // What is not ASCII is no path at all, and may be refused before it is looked up.
        let is_ascii = path.is_ascii();
        assert!(heard.status == 404 || !is_ascii && heard.status == 400, "{path}: {heard:?}");
        if heard.status == 404 {
            assert_eq!(heard.json(), json!({"error": "Not found"}), "{path}");
        }
    }
    assert_no_rows(&t).await;
    // One reason, however many names.
    let found: Vec<_> = t.hub().refusals().iter().map(|found| found.finding.as_str()).collect();
    assert!(found.contains(&"unknown_source") && found.len() <= 2, "{found:?}");
    a_good_one_is_accepted(&t).await;
    t.channel("tickets").next_message().await;
    t.finish().await;
}
