//! I-16, and the end of I-6: clients that take their time. Time is the harness's clock, which is moved by hand; a good
//! request between two steps proves that whatever was sent before has been received.

use std::time::Duration;

use crate::attack::sender::{Post, TICKET, a_good_one_is_accepted};
use crate::attack::wire::HttpTransport;
use crate::harness::Harness;

const SECOND: Duration = Duration::from_secs(1);

/// Somebody else is answered, which takes long enough for everything sent before to be read.
async fn others_are_answered(t: &Harness) {
    let mut wire = HttpTransport::to(t).await;
    wire.says("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(wire.hears_status().await, 200);
}

#[tokio::test]
async fn a_slow_head_is_cut_off_after_ten_seconds() {
    let t = Harness::start().await;
    let mut wire = HttpTransport::to(&t).await;
    let head = b"GET /health/live HTTP/1.1\r\nHost: x\r\nX: ";
    let began = t.clock.elapsed();
    // A byte a second; the machine's own time, on top of that, is not counted.
    let mut endless = head.iter().chain(std::iter::repeat(&b'y')).take(15);
    let closed = loop {
        others_are_answered(&t).await;
        if wire.was_closed() {
            break t.clock.elapsed();
        }
        wire.says([*endless.next().expect("it would wait for ever")]).await;
        others_are_answered(&t).await;
        t.clock.advance(SECOND);
    };
    assert!(closed - began >= SECOND * 10, "{:?}", closed - began);
    assert_eq!(t.hub().refusals()[0].finding.as_str(), "too_slow");
    t.finish().await;
}

#[tokio::test]
async fn a_slow_body_is_refused_after_fifteen_seconds() {
    let t = Harness::start().await;
    let mut wire = HttpTransport::to(&t).await;
    wire.says(Post::signed(&t, TICKET).head()).await;
    // The machine's own time comes on top of that.
    for _ in 0..10 {
        others_are_answered(&t).await;
        assert!(!wire.was_closed());
        t.clock.advance(SECOND);
        wire.says("{").await;
    }
    others_are_answered(&t).await;
    t.clock.advance(SECOND * 6);
    let heard = wire.hears().await.unwrap();
    assert_eq!((heard.status, heard.body.as_str()), (408, r#"{"error":"Request timeout"}"#));
    wire.is_closed().await;
    t.finish().await;
}

#[tokio::test]
async fn head_and_body_share_fifteen_seconds() {
    let t = Harness::start().await;
    let mut wire = HttpTransport::to(&t).await;
    let head = Post::signed(&t, TICKET).head();
    let (first, second) = head.split_at(20);
    wire.says(first).await;
    others_are_answered(&t).await;
    t.clock.advance(SECOND * 5);
    wire.says(second).await;
    others_are_answered(&t).await;
    t.clock.advance(SECOND * 5);
    others_are_answered(&t).await;
    assert!(!wire.was_closed());
    t.clock.advance(SECOND * 6);
    assert_eq!(wire.hears_status().await, 408);
    t.finish().await;
}

#[tokio::test]
async fn an_idle_connection_lives_for_a_minute() {
    let t = Harness::start().await;
    let (mut fresh, mut used) = (HttpTransport::to(&t).await, HttpTransport::to(&t).await);
    for _ in 0..3 {
        // Used again within the minute, it lives on: longer than a head may take, longer than a minute in all.
        used.says("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!(used.hears_status().await, 200);
        others_are_answered(&t).await;
        t.clock.advance(SECOND * 29);
    }
    fresh.is_closed().await;
    others_are_answered(&t).await;
    assert!(!used.was_closed());
    t.clock.advance(SECOND * 40);
    used.is_closed().await;
    // Nobody did anything wrong.
    assert!(t.hub().findings().is_empty(), "{:?}", t.hub().findings());
    t.finish().await;
}

// I-6
#[tokio::test]
async fn a_slow_body_does_not_stretch_the_window() {
    let t = Harness::start().await;
    let at = t.clock.now().as_secs() - 293;
    let post = Post::signed_at(&at.to_string(), TICKET);
    let mut wire = HttpTransport::to(&t).await;
    wire.says(post.head()).await;
    others_are_answered(&t).await;
    t.clock.advance(SECOND * 9);
    wire.says(&post.body).await;
    // The headers came in time.
    assert_eq!(wire.hears_status().await, 200);
    t.channel("tickets").next_message().await;

    let post = Post::signed_at(&(t.clock.now().as_secs() - 302).to_string(), TICKET);
    assert_eq!(post.send(&t).await.unwrap().status, 401);
    t.finish().await;
}

#[tokio::test]
async fn hundreds_of_slow_clients_do_not_keep_a_good_one_waiting() {
    let t = Harness::with(|variables| {
        variables.insert("DISCORD_WEBHOOK_CHANNELS".into(), r#"{"default":[]}"#.into());
    })
    .await;
    let mut slow = Vec::new();
    let (head, body) = (Post::signed(&t, TICKET).head(), "{".repeat(10));
    for number in 0..300 {
        let mut wire = HttpTransport::to(&t).await;
        match number % 4 {
            // Nothing at all, half a head, half a body, half a connection.
            0 => {}
            1 => wire.says(&head[..number % head.len()]).await,
            2 => {
                wire.says(&head).await;
                wire.says(&body).await;
            }
            _ => {
                wire.says("GET / HT").await;
                wire.hangs_up_half().await;
            }
        }
        slow.push(wire);
    }
    for _ in 0..20 {
        a_good_one_is_accepted(&t).await;
        t.clock.advance(SECOND);
    }
    // Each at another second, so each another event.
    assert_eq!(t.store().recent(100).await.unwrap().len(), 20);
    t.clock.advance(SECOND * 61);
    for mut wire in slow {
        wire.is_closed().await;
    }
    t.finish().await;
}
