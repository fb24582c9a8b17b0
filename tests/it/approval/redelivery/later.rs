//! What happens to a call after its time: overtaken by XTSystems, by a later round, or removed by retention.

use std::time::Duration;

use nuncio::model::{DeliveryFilter, Sink};
use serde_json::json;

use super::{BACKOFF, BOTH, EXPIRY, KEY, Stage, State};
use crate::approval::GRACE;
use crate::harness::{Answering, at_shell, within};

// D-13: the button of an earlier round, after the machine has asked again under its other id.
#[tokio::test]
async fn try_again_knows_a_machine_by_either_of_its_ids() {
    let s = Stage::start().await;
    let card = s.reaches(State::OtherId).await;
    s.t.settle().await;
    let old = s.t.channel("machines").now(card.id());
    s.clicks("bob", &old, "Try again").await;
    let said = s.t.whisper(1).await;
    assert!(said["content"].as_str().unwrap().contains("use the buttons on its newest card"), "{said:#}");
    s.t.settle().await;
    let lines: Vec<_> = s.platform.recorded_requests().into_iter().map(|call| call.line).collect();
    assert_eq!(lines, ["POST /v1/machines/m-1/approve", "POST /v1/machines/a-1/deny"]);
    s.finish().await;
}

// D-13: XTSystems approves the machine by itself while our call is under way; the machine asks again and is denied.
#[tokio::test]
async fn a_call_that_was_overtaken_is_not_made_again() {
    let s = Stage::start().await;
    s.platform.next(1, &Answering::Never);
    let card = s.registers(json!({"id": "m-1", "asset_id": "a-1", "hostname": "LAB-7"})).await;
    s.approves(&card).await;
    s.t.clock.advance(GRACE);
    s.platform.call(1).await;
    s.platform_approves().await;
    s.says(&card, "✅").await;
    // No answer comes: it may or may not have arrived, and need not any more.
    let over = async {
        while s.first_call().await.status != nuncio::model::Status::Cancelled {
            s.t.clock.advance(Duration::from_secs(5));
            tokio::task::yield_now().await;
        }
    };
    within("the call to be given up", over).await;
    s.is_denied_now(json!({"id": "m-1", "asset_id": "a-1", "hostname": "LAB-7", "n": 2})).await;
    s.t.clock.advance(BACKOFF);
    s.t.settle().await;
    let lines: Vec<_> = s.platform.recorded_requests().into_iter().map(|call| call.line).collect();
    assert_eq!(lines, ["POST /v1/machines/m-1/approve", "POST /v1/machines/m-1/deny"]);
    s.finish().await;
}

// D-13: killed while it was on its way, and settled by XTSystems before the next start calls it.
#[tokio::test]
async fn a_call_in_doubt_that_was_settled_meanwhile_is_not_made_again() {
    let mut s = Stage::start().await;
    s.platform.next(1, &Answering::Never);
    let card = s.registers(json!({"id": "m-1", "asset_id": "a-1", "hostname": "LAB-7"})).await;
    s.approves(&card).await;
    s.t.clock.advance(GRACE);
    s.platform.call(1).await;
    let url = s.platform.url();
    // For a while there is no key, so nothing is called.
    s.t.stop().await;
    s.t.unset("XTSYSTEMS_API_KEY");
    s.t.boot().await;
    s.t.online().await;
    s.platform_approves().await;
    s.says(&card, "✅").await;
    s.t.stop().await;
    s.t.set("XTSYSTEMS_API_KEY", KEY);
    s.t.set("XTSYSTEMS_API_URL", url);
    s.t.boot().await;
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), 1, "{:?}", s.platform.recorded_requests());
    s.finish().await;
}

// D-13: an earlier round that is redelivered posts its card, and the newest question keeps its own.
#[tokio::test]
async fn an_earlier_round_takes_no_card_from_the_newest_question() {
    let s = Stage::start().await;
    let first = s.reaches(State::Refused).await;
    let event = s.t.hub().shown_in(first.id().parse().unwrap()).await.unwrap()[0].1;
    let newest = s.registers(json!({"id": "m-1", "asset_id": "a-1", "hostname": "LAB-7", "n": 2})).await;
    s.t.hub().redeliver_event(event, &at_shell()).await.unwrap();
    let again = s.t.channel("machines").next_message().await;
    assert!(again.title().contains("**not** in XTSystems"), "{}", again.title());
    s.t.settle().await;
    s.approves(&newest).await;
    s.t.clock.advance(GRACE);
    s.says(&newest, "✅ LAB-7 approved").await;
    s.finish().await;
}

// The class of D-13: Try again on a call that retention removed must not wait for ever.
#[tokio::test]
async fn after_retention_try_again_still_calls() {
    let s = Stage::start().await;
    let card = s.reaches(State::Held).await;
    s.t.settle().await;
    s.t.clock.advance(Duration::from_secs(3600));
    s.t.hub().run_retention(s.t.clock.now()).await.unwrap();
    let letters = s.t.store().delivery_details_of(DeliveryFilter::All, 100).await.unwrap();
    assert!(letters.iter().all(|letter| letter.sink != Some(Sink::XtSystems)), "it is removed");
    let old = s.t.channel("machines").now(card.id());
    s.clicks("bob", &old, "Try again").await;
    s.platform.call(2).await;
    s.t.settle().await;
    s.reads_all().await;
    s.finish().await;
}

// D-13: a question that nobody answered in time has no call: what is redelivered is its card, as it stands.
#[tokio::test]
async fn an_expired_question_is_shown_again_and_tells_nobody() {
    let s = Stage::commanding(BOTH).await;
    let card = s.registers(json!({"id": "m-1", "asset_id": "a-1", "hostname": "LAB-7"})).await;
    s.t.clock.advance(EXPIRY);
    s.says(&card, "⌛").await;
    s.t.settle().await;
    let event = s.t.hub().shown_in(card.id().parse().unwrap()).await.unwrap()[0].1;
    let ran = s.t.runs(&["redeliver", &event.to_string()]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let by_shell = s.t.channel("machines").next_message().await;
    s.t.settle().await;
    let menu = json!({"name": "Redeliver", "type": 3, "target_id": by_shell.id()});
    s.commands("machines", menu).await;
    let by_menu = s.t.channel("machines").next_message().await;
    for again in [by_shell, by_menu] {
        assert!(again.title().contains("⌛") && again.buttons() == ["Details"], "{again:#?}");
    }
    for bulk in ["--dead", "--unrouted"] {
        let ran = s.t.runs(&["redeliver", bulk]).await;
        assert!(ran.code == 0 && !ran.stderr.contains("Try again"), "{}", ran.stderr);
    }
    s.t.settle().await;
    assert!(s.platform.recorded_requests().is_empty(), "{:?}", s.platform.recorded_requests());
    s.finish().await;
}
