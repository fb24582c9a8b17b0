//! Large bodies and the memory they share: nobody who cannot sign crowds out somebody who can.

use nuncio::hub::Finding;

use crate::attack::sender::Post;
use crate::attack::wire::HttpTransport;
use crate::harness::{Harness, within};

/// More than there is room for.
const CROWD: usize = 80;

fn large() -> String {
    format!(r#"{{"event_type":"ticket.created","data":{{"id":7,"title":"{}"}}}}"#, "x".repeat(1_000_000))
}

/// As it would have to look to be read: a good time, and a signature of the right form.
fn forged(t: &Harness, body: &str) -> Post {
    let now = t.clock.now().as_secs().to_string();
    Post::bare(body)
        .with("X-XTSystems-Timestamp", now)
        .with("X-XTSystems-Signature", format!("sha256={}", "0".repeat(64)))
}

/// Opens a crowd of connections, each with all of a large body but its last byte, until there is no room for all.
async fn crowd(t: &Harness, post: &Post) -> Vec<HttpTransport> {
    let mut wires = Vec::new();
    for _ in 0..CROWD {
        let mut wire = HttpTransport::to(t).await;
        wire.says(post.head()).await;
        wire.says(&post.body[..post.body.len() - 1]).await;
        wires.push(wire);
    }
    within("the room to be used up", async {
        while t.hub().refusals().iter().all(|found| found.finding != Finding::NoRoom) {
            t.looks_at("/health/live").await;
        }
    })
    .await;
    wires
}

// Item 20. Control: with the room given to whoever comes first, a signed body is put off with 503.
#[tokio::test]
async fn unsigned_bodies_do_not_crowd_out_a_signed_one_that_comes_later() {
    let t = Harness::start().await;
    let body = large();
    let _crowd = crowd(&t, &forged(&t, &body)).await;
    for _ in 0..3 {
        let heard = Post::signed(&t, body.clone()).send(&t).await.unwrap();
        assert_eq!(heard.status, 200, "{heard:?}");
    }
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// Item 20. Control: by age alone, the slow one of another address is the oldest, and is put off.
#[tokio::test]
async fn nor_a_slow_one_from_another_address() {
    let t = Harness::with(|variables| {
        variables.insert("TRUSTED_PROXIES".into(), "127.0.0.0/8".into());
    })
    .await;
    let body = large();
    let good = Post::signed(&t, body.clone()).with("X-Forwarded-For", "192.0.2.1");
    let mut slow = HttpTransport::to(&t).await;
    slow.says(good.head()).await;
    slow.says(&good.body[..500_000]).await;
    let _crowd = crowd(&t, &forged(&t, &body).with("X-Forwarded-For", "198.51.100.1")).await;
    slow.says(&good.body[500_000..]).await;
    let heard = slow.hears().await.unwrap();
    assert_eq!(heard.status, 200, "{heard:?}");
    t.channel("tickets").next_message().await;
    t.finish().await;
}
