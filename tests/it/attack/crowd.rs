//! I-16: more connections than there may be. On a program of its own, with few enough files that few connections are
//! many.

use std::net::SocketAddr;

use nuncio::clock::Clock;

use crate::attack::sender::{Post, TICKET};
use crate::attack::wire::HttpTransport;
use crate::program::Program;

/// What is left of 192 files when the rest of the program has its own.
const MOST: usize = 64;

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_one_that_keeps_us_waiting_longest_makes_room() {
    let program = Program::with_dotenv(&format!(
        "WEBHOOK_SECRET='{}'\nWEBHOOK_PORT=0\nWEBHOOK_HOST=127.0.0.1\n",
        crate::harness::SECRET
    ));
    let serving = program.serves_with_files(192);
    let address: SocketAddr = serving.address.parse().unwrap();
    let now = || Clock::system().now().as_secs().to_string();

    let good = async || {
        let mut wire = HttpTransport::connect(address).await;
        let heard = Post::signed_at(&now(), TICKET).send_on(&mut wire).await.unwrap();
        assert_eq!(heard.status, 200, "{heard:?}");
    };

    // As many as there may be, all of them idle: they would be for a minute, which is longer than `hears` waits.
    let mut idle = Vec::new();
    for _ in 0..MOST {
        idle.push(HttpTransport::connect(address).await);
    }
    good().await;

    // Some say nothing, some begin and never end; the last one lacks only its body.
    let mut crowd = Vec::new();
    for number in 0..=MOST * 5 {
        let mut wire = HttpTransport::connect(address).await;
        match number % 3 {
            0 => {}
            1 => wire.says("POST /webhooks/xts").await,
            _ => wire.says(Post::signed_at(&now(), TICKET).head()).await,
        }
        crowd.push(wire);
        // All the while, others are served.
        if number % 20 == 0 {
            good().await;
        }
    }
    // The oldest had to go, the newest are still there.
    for wire in idle.iter_mut().chain(crowd.iter_mut().take(MOST * 3)) {
        wire.is_closed().await;
    }
    let newest = crowd.last_mut().unwrap();
    assert!(!newest.was_closed());
    newest.says(TICKET).await;
    assert_eq!(newest.hears_status().await, 200);
}
