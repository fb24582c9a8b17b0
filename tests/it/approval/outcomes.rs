//! What the platform answers to a call, and what the card says then.

use std::time::Duration;

use nuncio::render;
use rstest::rstest;
use tracing::Level;

use super::{GRACE, Stage};
use crate::harness::{Answering, Message};

/// The longest wait between two tries.
const BACKOFF: Duration = Duration::from_secs(300);

impl Stage {
    async fn approved(&self) -> Message {
        let card = self.asks().await;
        self.clicks("alice", &card, "Approve").await;
        self.says(&card, "⏳").await;
        self.t.clock.advance(GRACE);
        card
    }
}

// Control: without `404 | 405` in `next_step` it is refused for good, with nothing said of the variable.
#[rstest]
#[case(404)]
#[case(405)]
#[tokio::test]
async fn a_call_that_is_not_there_is_held_until_somebody_sets_it(#[case] status: u16) {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::With(status, r#"{"detail":"Not Found"}"#));
    let card = s.approved().await;
    let held = s.says(&card, "⚠️ DESKTOP-001: approved here, **not** in XTSystems").await;
    let sentence = format!(
        "XTSystems has no POST /v1/machines/…/approve ({status}: Not Found): set XTSYSTEMS\\_APPROVE, restart, then press Try again"
    );
    assert!(held.description().contains(&sentence), "{}", held.description());
    assert_eq!(held.buttons(), ["Try again", "Details"]);
    s.t.settle().await;
    s.t.clock.advance(BACKOFF);
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), 1, "it is held");
    s.t.log.expect(Level::ERROR, "set XTSYSTEMS_APPROVE");

    s.clicks("bob", &held, "Try again").await;
    s.says(&card, "✅ DESKTOP-001 approved").await;
    let told = s.platform.recorded_requests();
    assert_eq!(told[0].idempotency_key, told[1].idempotency_key);
    assert_eq!(told.len(), 2);
    s.finish().await;
}

#[rstest]
#[case(400)]
#[case(409)]
#[case(422)]
#[tokio::test]
async fn a_refusal_is_final_and_shown(#[case] status: u16) {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::With(status, r#"{"detail":"the licence is used up"}"#));
    let card = s.approved().await;
    let refused = s.says(&card, "**not** in XTSystems").await;
    assert!(
        refused.description().contains("XTSystems said: the licence is used up"),
        "{}",
        refused.description()
    );
    s.t.settle().await;
    s.t.clock.advance(BACKOFF);
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), 1);
    s.clicks("alice", &refused, "Try again").await;
    s.says(&card, "✅").await;
    s.finish().await;
}

#[tokio::test]
async fn trouble_is_tried_again_and_the_card_tells() {
    let s = Stage::start().await;
    for status in [500, 503, 408, 429] {
        s.platform.next(1, &Answering::With(status, r#"{"detail":"just now not"}"#));
    }
    let card = s.approved().await;
    let answers = [
        "500 Internal Server Error",
        "503 Service Unavailable",
        "408 Request Timeout",
        "429 Too Many Requests",
    ];
    for (attempt, answer) in (1..=4).zip(answers) {
        s.platform.call(attempt).await;
        let waiting =
            s.t.channel("machines")
                .becomes(card.id(), "the attempt", |now| {
                    now.description().contains(&format!("Attempt {attempt}, next <t:"))
                })
                .await;
        let told = format!("XTSystems answered {answer}. Attempt {attempt}, next <t:");
        assert!(waiting.description().contains(&told), "{told}: {}", waiting.description());
        // What the answer held stands in Details only.
        assert!(!waiting.description().contains("just now not"), "{}", waiting.description());
        let decision = s.t.hub().decisions_about_machine("asset-uuid").await.unwrap().remove(0);
        let details =
            render::message(&[render::details(&decision, std::slice::from_ref(&decision), None)], &[]);
        assert!(details.embeds[0].fields[0].value.contains("`just now not`"), "{details:#?}");
        assert!(waiting.buttons().is_empty(), "what may have left cannot be undone");
        s.t.clock.advance(BACKOFF);
    }
    s.says(&card, "✅ DESKTOP-001 approved").await;
    let told = s.platform.recorded_requests();
    assert_eq!(told.len(), 5);
    assert!(told.iter().all(|call| call.idempotency_key == told[0].idempotency_key), "one and the same call");
    // By then nobody looks at the card any more: Discord tells nobody of an edit.
    let late = s.t.channel("machines").next_message().await;
    assert_eq!(late.content(), "✅ DESKTOP-001: approved by @Alice, and XTSystems confirmed at last");
    assert_eq!(late.0["message_reference"]["message_id"], card.id());
    s.finish().await;
}

#[rstest]
#[case(401)]
#[case(403)]
#[tokio::test]
async fn a_refused_key_pauses_everything_and_is_told(#[case] status: u16) {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::With(status, "{}"));
    let card = s.approved().await;
    s.platform.call(1).await;
    s.t.channel("machines")
        .becomes(card.id(), "the reason", |now| now.description().contains("XTSystems refused our API key"))
        .await;
    let problems = s.t.health().await["problems"].to_string();
    assert!(problems.contains("XTSystems refused our API key"), "{problems}");
    s.t.clock.advance(Duration::from_secs(60));
    assert_eq!(s.platform.recorded_requests().len(), 1, "it is left alone");
    s.t.clock.advance(BACKOFF);
    s.says(&card, "✅").await;
    assert_eq!(s.platform.recorded_requests().len(), 2);
    s.t.log.expect(Level::ERROR, "XTSystems refused our API key");
    assert!(!s.t.health().await["problems"].to_string().contains("API_KEY"));
    s.finish().await;
}

// D-14. Control: with any 2xx confirmed, the card says that XTSystems confirmed.
#[rstest]
#[case(200, "<html>Log in</html>", "a web page")]
#[case(201, "<!DOCTYPE html><title>Welcome</title>", "a web page")]
#[case(203, "it is done", "text")]
#[tokio::test]
async fn a_login_page_confirms_nothing(#[case] status: u16, #[case] body: &'static str, #[case] what: &str) {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::With(status, body));
    let card = s.approved().await;
    let held = s.says(&card, "⚠️ DESKTOP-001: approved here, **not** in XTSystems").await;
    let sentence = format!("XTSystems answered {status} with {what} instead of JSON, which confirms nothing");
    assert!(held.description().contains(&sentence), "{}", held.description());
    s.t.settle().await;
    s.t.clock.advance(BACKOFF);
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), 1, "it is held");
    s.t.log.expect(Level::ERROR, "which confirms nothing");
    s.clicks("bob", &held, "Try again").await;
    s.says(&card, "✅ DESKTOP-001 approved").await;
    s.finish().await;
}

#[rstest]
#[case(200, "")]
#[case(204, "")]
#[case(200, " {\"status\":\"approved\"}\n")]
#[case(202, "null")]
#[tokio::test]
async fn an_empty_answer_or_json_confirms(#[case] status: u16, #[case] body: &'static str) {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::With(status, body));
    let card = s.approved().await;
    s.says(&card, "✅ DESKTOP-001 approved").await;
    assert_eq!(s.platform.recorded_requests().len(), 1);
    s.finish().await;
}

// D-7. Control: with the call made within the click, the second card waits for the first for ever.
#[tokio::test]
async fn a_platform_that_hangs_delays_no_answer() {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::Never);
    let card = s.approved().await;
    s.platform.call(1).await;
    let body = serde_json::json!({"event_type": "machine.registered", "data": {"id": "m-2", "hostname": "DESKTOP-002"}});
    s.t.sends_body(body).await;
    let other = s.t.channel("machines").next_message().await;
    s.clicks("bob", &other, "Approve").await;
    s.says(&other, "⏳ DESKTOP-002: approved by @Bob").await;
    // Ended by our own deadline, which runs on real time: a restart gives it up as well.
    let mut s = s;
    s.t.restart().await;
    s.t.clock.advance(GRACE);
    s.says(&card, "✅ DESKTOP-001").await;
    s.says(&other, "✅ DESKTOP-002").await;
    s.finish().await;
}
