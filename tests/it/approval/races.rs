//! Many clicks, late clicks, clicks told twice, and a database that does not listen.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use tracing::Level;

use super::{GRACE, Stage};
use crate::database::Database;
use crate::harness::{Answering, Message, within};

fn is_late(whisper: &Value) -> bool {
    whisper["content"].as_str().is_some_and(|content| content.contains("was already"))
}

/// What was said to all but one of those whose click was acknowledged in time: on a busy machine, and with a hundred at
/// once, Discord's three seconds are over for some.
async fn whispers_to_the_others(s: &Stage) -> Vec<Value> {
    let in_time = s.t.discord.requests().into_iter().filter(|asked| {
        asked.path.ends_with("/callback")
            && asked.status == Some(204)
            && asked.body.as_ref().is_some_and(|body| body["type"] == 6)
    });
    // Those may even be all. That one click alone is acknowledged in time, [`Stage::clicks`] sees to.
    let others = in_time.count().saturating_sub(1);
    if others > 0 {
        s.t.whisper(others).await;
    }
    s.t.whispers()
}

// D-6. Control: without `verdict = 'open'` in the UPDATE there are a hundred winners.
#[tokio::test]
async fn a_hundred_clicks_at_once_are_one_decision_and_one_call() {
    let s = Stage::start().await;
    let card = s.asks().await;
    let clicks = (0..100).map(|n| {
        let person = s.t.person(if n % 2 == 0 { "alice" } else { "bob" });
        let click = person.click("machines", &card, "Approve");
        async move { person.acts(&click).await }
    });
    join_all(clicks).await;
    s.audited(100).await;
    s.says(&card, "⏳ DESKTOP-001: approved by @").await;
    s.t.clock.advance(GRACE);
    s.says(&card, "✅").await;
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), 1, "one call");
    let audit = s.audit().await;
    assert_eq!(audit.iter().filter(|line| line.ends_with("approve done")).count(), 1, "one winner");
    assert_eq!(audit.iter().filter(|line| line.ends_with("approve refused")).count(), 99);
    let whispers = whispers_to_the_others(&s).await;
    assert!(whispers.iter().all(is_late), "{whispers:#?}");
    assert!(whispers.iter().all(|whisper| whisper["flags"] == 64), "seen by nobody else");
    s.finish().await;
}

// D-6
#[tokio::test]
async fn approve_and_deny_at_once_are_one_of_them() {
    for _ in 0..5 {
        let s = Stage::start().await;
        let card = s.asks().await;
        let opened = s.t.person("bob").clicks("machines", &card, "Deny").await;
        let bob = s.t.person("bob");
        tokio::join!(s.clicks("alice", &card, "Approve"), bob.submits("machines", &opened, "not ours"));
        let whisper = s.t.whisper(1).await;
        assert!(is_late(&whisper), "{whisper:#}");
        s.t.clock.advance(GRACE);
        s.t.settle().await;
        assert_eq!(s.platform.recorded_requests().len(), 1);
        let won = s.t.channel("machines").now(card.id());
        let verdict = s.platform.recorded_requests()[0].body["decision"].as_str().unwrap().to_owned();
        assert!(won.title().ends_with(&verdict), "{} and {verdict}", won.title());
        let audit = s.audit().await;
        assert_eq!(audit.iter().filter(|line| line.ends_with("done")).count(), 1, "{audit:#?}");
        s.finish().await;
    }
}

// D-8. Control: without the look into the audit log the second telling is answered with "was already approved".
#[tokio::test]
async fn a_click_that_the_gateway_tells_twice_counts_once() {
    let s = Stage::start().await;
    let card = s.asks().await;
    s.clicks("alice", &card, "Approve").await;
    s.says(&card, "⏳").await;
    let answers = s.t.discord.requests().len();
    assert!(s.t.discord.gateway().replay_last_interaction());
    let refused = s.t.discord.wait_until(|discord| {
        let asked = discord.requests().into_iter().skip(answers);
        asked.into_iter().find(|asked| asked.path.contains("/interactions/") && asked.code == Some(40060))
    });
    within("the second answer", refused).await;
    s.t.clock.advance(GRACE);
    s.says(&card, "✅").await;
    s.t.settle().await;
    assert_eq!(s.platform.recorded_requests().len(), 1);
    assert!(s.t.whispers().is_empty(), "{:#?}", s.t.whispers());
    assert_eq!(s.audit().await, ["Alice decision.approve done"]);
    s.finish().await;
}

// D-6: both answers, by three people, from dialogs that were opened before a restart.
#[tokio::test]
async fn a_hundred_answers_of_both_kinds_around_a_restart_are_one() {
    let mut s = Stage::start().await;
    s.t.discord.set_roles("carol", &["Approvers"]);
    let card = s.asks().await;
    let who = |n: usize| ["alice", "bob", "carol"][n % 3];
    let mut dialogs = Vec::new();
    for n in 0..50 {
        dialogs.push(s.t.person(who(n)).clicks("machines", &card, "Deny").await);
    }
    s.t.restart().await;
    s.t.online().await;
    let denials = dialogs.iter().enumerate().map(|(n, opened)| {
        let person = s.t.person(who(n));
        let dialog = person.dialog("machines", opened, "not ours");
        async move { person.acts(&dialog).await }
    });
    let approvals = (0..50).map(|n| {
        let person = s.t.person(who(n));
        let click = person.click("machines", &card, "Approve");
        async move { person.acts(&click).await }
    });
    tokio::join!(join_all(denials), join_all(approvals));
    s.audited(100).await;
    s.says(&card, "⏳ DESKTOP-001: ").await;
    s.t.clock.advance(GRACE);
    s.t.settle().await;
    let told = s.platform.recorded_requests();
    assert_eq!(told.len(), 1, "one call");
    let verdict = told[0].body["decision"].as_str().unwrap();
    assert!(s.t.channel("machines").now(card.id()).title().ends_with(verdict));
    let audit = s.audit().await;
    assert_eq!(audit.iter().filter(|line| line.ends_with("done")).count(), 1, "one winner: {audit:#?}");
    let whispers = whispers_to_the_others(&s).await;
    assert!(whispers.iter().all(is_late), "{whispers:#?}");
    s.finish().await;
}

// D-8: also of a refusal, and also after a restart.
#[tokio::test]
async fn a_click_that_is_told_again_after_a_restart_counts_once() {
    let mut s = Stage::start().await;
    let card = s.asks().await;
    s.t.person("carol").clicks("machines", &card, "Approve").await;
    s.audited(1).await;
    assert!(s.t.discord.gateway().replay_last_interaction());
    s.clicks("alice", &card, "Approve").await;
    s.says(&card, "⏳").await;
    s.t.restart().await;
    s.t.online().await;
    let asked = s.t.discord.requests().len();
    assert!(s.t.discord.gateway().replay_last_interaction());
    let again = s.t.discord.wait_until(|discord| {
        let mut later = discord.requests().into_iter().skip(asked);
        later.any(|asked| asked.path.contains("/interactions/")).then_some(())
    });
    within("the second answer", again).await;
    s.t.clock.advance(GRACE);
    s.says(&card, "✅").await;
    s.t.settle().await;
    assert_eq!(s.audit().await, ["Carol decision.approve refused", "Alice decision.approve done"]);
    assert!(s.t.whispers().is_empty(), "{:#?}", s.t.whispers());
    assert_eq!(s.platform.recorded_requests().len(), 1);
    s.finish().await;
}

#[tokio::test]
async fn the_button_of_an_earlier_round_decides_nothing() {
    let day = Duration::from_secs(24 * 3600);
    let s =
        Stage::with(|variables| drop(variables.insert("DECISION_EXPIRY".to_owned(), "24h".to_owned()))).await;
    let first = s.asks().await;
    s.t.clock.advance(day);
    s.says(&first, "⌛").await;
    // Control: `even_expired` for everybody lets it through.
    assert!(late(&s, "Nobody decided on DESKTOP-001 in time", &first).await);
    let again = json!({"event_type": "machine.registered", "data": {"asset_id": "asset-uuid", "hostname": "DESKTOP-001"}});
    s.t.sends_body(again).await;
    let second = s.t.channel("machines").next_message().await;
    assert!(late(&s, "Nobody decided on DESKTOP-001 in time", &first).await);
    assert_eq!(s.t.channel("machines").now(second.id()).buttons(), ["Approve", "Deny", "Details"]);
    // Not by a command either, which may answer what has expired.
    let typed = super::permission::command(&s, &first);
    assert!(matches!(s.t.hub().click(&typed).await, Err(nuncio::hub::Error::Conflict(_))));
    assert_eq!(s.t.channel("machines").now(second.id()).buttons(), ["Approve", "Deny", "Details"]);
    s.finish().await;
}

/// Whether an old Approve on `card`, pressed by what it was, is answered so.
async fn late(s: &Stage, sentence: &str, card: &Message) -> bool {
    let before = s.t.whispers().len();
    let now = s.t.channel("machines").now(card.id());
    let old = json!({"data": {"custom_id": card.custom_id("Approve")}});
    s.t.discord.distort_interactions(Some(old));
    s.t.person("alice").clicks("machines", &now, "Details").await;
    s.t.discord.distort_interactions(None);
    s.t.whisper(before + 1).await["content"].as_str().unwrap().contains(sentence)
}

// Control: without `attempts = 0` in the UPDATE, what may have reached the platform is taken back here.
#[tokio::test]
async fn what_the_platform_may_have_heard_cannot_be_undone() {
    let s = Stage::start().await;
    let card = s.asks().await;
    s.clicks("alice", &card, "Approve").await;
    let deciding = s.says(&card, "⏳").await;
    s.platform.next(1, &Answering::With(503, "{}"));
    s.t.clock.advance(GRACE);
    s.platform.call(1).await;
    s.t.channel("machines")
        .becomes(card.id(), "waiting", |now| now.description().contains("Attempt 1"))
        .await;
    let undo = s.t.person("alice").click("machines", &deciding, "Undo");
    let now = s.t.channel("machines").now(card.id());
    assert!(now.buttons().is_empty());
    // From a client that has not seen the edit yet.
    let clicked =
        s.t.hub()
            .click(&super::permission::undo(&s, &card, undo["data"]["custom_id"].as_str().unwrap()))
            .await;
    assert!(matches!(clicked, Err(nuncio::hub::Error::Conflict(_))), "{clicked:?}");
    s.t.clock.advance(Duration::from_secs(300));
    s.says(&card, "✅").await;
    assert_eq!(s.platform.recorded_requests().len(), 2);
    s.finish().await;
}

#[tokio::test]
async fn a_word_that_discord_has_no_time_for_is_said_a_moment_later() {
    let s = Stage::start().await;
    let card = s.asks().await;
    s.clicks("alice", &card, "Approve").await;
    s.says(&card, "⏳").await;
    let limited = nuncio::sandbox::discord::Fault::rate_limited(Duration::from_secs(1), "user");
    s.t.discord.faults().next_on("POST /api/v10/webhooks/", 1, limited);
    let late = json!({"data": {"custom_id": card.custom_id("Approve")}});
    s.t.discord.distort_interactions(Some(late));
    let now = s.t.channel("machines").now(card.id());
    s.clicks("bob", &now, "Undo").await;
    s.t.discord.distort_interactions(None);
    let refused = s
        .t
        .discord
        .wait_until(|discord| discord.requests().iter().any(|asked| asked.status == Some(429)).then_some(()));
    within("the refusal", refused).await;
    s.t.clock.advance(Duration::from_secs(1));
    assert!(is_late(&s.t.whisper(1).await));
    s.t.clock.advance(GRACE);
    s.says(&card, "✅").await;
    s.finish().await;
}

// Control: without the key's absence noticed, a click decides what nobody can tell the platform.
#[tokio::test]
async fn without_the_key_an_old_button_says_what_to_do() {
    let mut s = Stage::start().await;
    let card = s.asks().await;
    s.t.unset("XTSYSTEMS_API_KEY");
    s.t.restart().await;
    s.t.online().await;
    s.clicks("alice", &card, "Approve").await;
    let said = s.t.whisper(1).await["content"].as_str().unwrap().to_owned();
    assert!(said.contains("nuncio has no XTSYSTEMS_API_KEY any more"), "{said}");
    assert_eq!(s.audit().await, ["Alice decision.approve refused"]);
    s.finish().await;
}

// D-7. Control: with the database asked before the answer, this takes five seconds and more.
#[tokio::test]
async fn a_locked_database_delays_no_answer_and_loses_no_click() {
    let s = Stage::start().await;
    let card = s.asks().await;
    s.t.settle().await;
    let other = Database::open(s.t.store().path()).await.unwrap();
    other.execute("BEGIN IMMEDIATE", ()).await.unwrap();
    let began = Instant::now();
    s.clicks("alice", &card, "Approve").await;
    let opened = s.t.person("bob").clicks("machines", &card, "Deny").await;
    assert_eq!(opened["type"], 9);
    let carol = s.t.person("carol").clicks("machines", &card, "Approve").await;
    assert_eq!(carol["type"], 4);
    assert!(began.elapsed() < Duration::from_secs(4), "three answers took {:?}", began.elapsed());
    // The database has been asked for as long as it waits, and has said no: the click goes on asking.
    s.t.log
        .seen(Level::WARN, "a click could not be saved yet: nuncio tries again for as long as Discord waits")
        .await;
    other.execute("ROLLBACK", ()).await.unwrap();
    s.says(&card, "⏳ DESKTOP-001: approved by @Alice").await;
    s.t.clock.advance(GRACE);
    s.says(&card, "✅").await;
    s.finish().await;
}

// D-7
#[tokio::test]
async fn a_click_that_the_end_cuts_off_is_not_lost_in_silence() {
    let mut s = Stage::start().await;
    let card = s.asks().await;
    s.t.settle().await;
    let other = Database::open(s.t.store().path()).await.unwrap();
    other.execute("BEGIN IMMEDIATE", ()).await.unwrap();
    s.clicks("alice", &card, "Approve").await;
    s.t.stop().await;
    let said = s.t.whisper(1).await["content"].as_str().unwrap().to_owned();
    assert!(said.contains("look at the card in a minute, and press again if it has not changed"), "{said}");
    other.execute("ROLLBACK", ()).await.unwrap();
    s.t.boot().await;
    s.t.online().await;
    s.t.settle().await;
    let now = s.t.channel("machines").now(card.id());
    if now.buttons().contains(&"Approve") {
        s.clicks("alice", &now, "Approve").await;
    }
    s.says(&card, "⏳ DESKTOP-001: approved by @Alice").await;
    s.t.clock.advance(GRACE);
    s.says(&card, "✅").await;
    assert_eq!(s.platform.recorded_requests().len(), 1);
    s.finish().await;
}

#[tokio::test]
async fn clicks_work_after_a_restart_and_after_a_month() {
    let mut s = Stage::start().await;
    let card = s.asks().await;
    s.t.restart().await;
    s.t.clock.advance(Duration::from_secs(30 * 24 * 3600));
    s.t.online().await;
    s.clicks("alice", &card, "Approve").await;
    s.says(&card, "⏳").await;
    s.t.clock.advance(GRACE);
    s.says(&card, "✅").await;
    s.finish().await;
}

#[tokio::test]
async fn details_tell_everything_to_the_asker_alone() {
    let s = Stage::start().await;
    let card: Message = s.asks().await;
    let first = s.t.person("carol").clicks("machines", &card, "Details").await;
    assert_eq!((&first["type"], &first["data"]["flags"]), (&json!(5), &json!(64)));
    let shown = s.t.whisper(1).await;
    let embed = &shown["embeds"][0];
    assert_eq!(embed["title"], "🔎 DESKTOP-001");
    assert!(embed["description"].as_str().unwrap().contains("ip\\_address: 192.168.1.100"), "{embed:#}");
    assert_eq!(embed["fields"][0]["name"], "History");
    s.finish().await;
}
