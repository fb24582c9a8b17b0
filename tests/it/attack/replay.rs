//! I-8: the same signed request, again and again.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::attack::sender::{Post, TICKET};
use crate::harness::Harness;

#[tokio::test]
async fn a_hundred_copies_in_parallel_are_one_event_also_after_restarts() {
    let mut t = Harness::start().await;
    let post = Post::signed(&t, TICKET);
    let answers = join_all((0..100).map(|_| post.send(&t))).await;
    let answers: Vec<_> = answers.into_iter().map(Option::unwrap).collect();
    assert!(answers.iter().all(|heard| heard.status == 200), "{answers:?}");
    let ids: BTreeSet<_> = answers.iter().map(|heard| heard.json()["event_id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    let first = answers.iter().filter(|heard| heard.json()["duplicate"] == json!(false)).count();
    assert_eq!(first, 1);
    t.channel("tickets").next_message().await;
    for _ in 0..3 {
        t.restart().await;
        for heard in join_all((0..10).map(|_| post.send(&t))).await {
            let answer = heard.unwrap().json();
            assert_eq!(answer["duplicate"], json!(true));
            assert!(ids.contains(&answer["event_id"].to_string()));
        }
    }
    // After the window it is not even looked at.
    t.clock.advance(Duration::from_secs(302));
    let heard = post.send(&t).await.unwrap();
    assert_eq!((heard.status, heard.json()), (401, json!({"error": "Timestamp too old"})));
    assert_eq!(t.store().recent(10).await.unwrap().len(), 1);
    t.finish().await;
}

/// The key of a body that carries its own time outlives the window: a platform's retry, signed anew, a day later.
#[tokio::test]
async fn a_retry_signed_anew_a_day_later_is_the_same_event() {
    let t = Harness::start().await;
    let body = r#"{"event_type":"ticket.created","data":{"seq_id":7},"timestamp":1705314600}"#;
    let first = Post::signed(&t, body).send(&t).await.unwrap().json();
    t.channel("tickets").next_message().await;
    t.clock.advance(Duration::from_secs(24 * 3600 + 600));
    let again = Post::signed(&t, body).send(&t).await.unwrap().json();
    assert_eq!((&again["duplicate"], &again["event_id"]), (&json!(true), &first["event_id"]));
    t.finish().await;
}

/// A8. Control: with everything under `timestamp` counted as a time, the second alert is a "duplicate".
#[tokio::test]
async fn the_same_alert_a_day_later_is_another_one_where_the_body_holds_no_time() {
    let t = Harness::start().await;
    for time in ["null", "\"\"", "0", "false", "\"soon\"", "\"0001-01-01T00:00:00Z\""] {
        let body = format!(
            r#"{{"event_type":"alert.triggered","data":{{"title":"Disk {}"}},"timestamp":{time}}}"#,
            time.replace('"', "")
        );
        let post = Post::signed(&t, body.clone());
        let first = post.send(&t).await.unwrap().json();
        let repeated = post.send(&t).await.unwrap().json();
        assert_eq!(repeated["duplicate"], json!(true), "{time}: the same signed request");
        t.channel("alerts").next_message().await;
        t.clock.advance(Duration::from_secs(24 * 3600));
        let again = Post::signed(&t, body).send(&t).await.unwrap().json();
        assert_eq!(again["duplicate"], json!(false), "{time}");
        assert_ne!(again["event_id"], first["event_id"], "{time}");
        t.channel("alerts").next_message().await;
    }
    t.finish().await;
}
