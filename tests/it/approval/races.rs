//! Many clicks, late clicks, clicks told twice, and a database that does not listen.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tracing::Level;

use super::{GRACE, Stage};
use crate::harness::{Message, within};

fn is_late(whisper: &Value) -> bool {
    whisper["content"].as_str().is_some_and(|content| content.contains("was already"))
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
    assert_eq!(s.platform.told().len(), 1, "one call");
    let audit = s.audit().await;
    assert_eq!(audit.iter().filter(|line| line.ends_with("approve done")).count(), 1, "one winner");
    assert_eq!(audit.iter().filter(|line| line.ends_with("approve refused")).count(), 99);
    let whispers = s.t.whispers();
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
        assert_eq!(s.platform.told().len(), 1);
        let won = s.t.channel("machines").now(card.id());
        let verdict = s.platform.told()[0].body["decision"].as_str().unwrap().to_owned();
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
    assert_eq!(s.platform.told().len(), 1);
    assert!(s.t.whispers().is_empty(), "{:#?}", s.t.whispers());
    assert_eq!(s.audit().await, ["Alice decision.approve done"]);
    s.finish().await;
}

// D-7. Control: with the database asked before the answer, this takes five seconds and more.
#[tokio::test]
async fn a_locked_database_delays_no_answer_and_loses_no_click() {
    let s = Stage::start().await;
    let card = s.asks().await;
    s.t.settle().await;
    let mut other = SqliteConnectOptions::new().filename(s.t.store().path()).connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let began = Instant::now();
    s.clicks("alice", &card, "Approve").await;
    let opened = s.t.person("bob").clicks("machines", &card, "Deny").await;
    assert_eq!(opened["type"], 9);
    let carol = s.t.person("carol").clicks("machines", &card, "Approve").await;
    assert_eq!(carol["type"], 4);
    assert!(began.elapsed() < Duration::from_secs(4), "three answers took {:?}", began.elapsed());
    // The database has been asked for as long as it waits, and has said no: the click goes on asking.
    within("the database to refuse", s.t.log.seen(Level::WARN, "a click waits for the database")).await;
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    s.says(&card, "⏳ DESKTOP-001: approved by @Alice").await;
    s.t.clock.advance(GRACE);
    s.says(&card, "✅").await;
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
