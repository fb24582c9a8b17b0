//! I-11: what one connection may cost in memory. Measured from outside, on a program of its own.

use std::net::SocketAddr;
use std::time::Duration;

use nuncio::hub::Finding;

use crate::attack::sender::{Post, a_good_one_is_accepted};
use crate::attack::wire::HttpTransport;
use crate::harness::{Harness, SECRET, within};
use crate::program::Program;

/// Small, because a build for tests takes some microseconds for each of the pieces.
const LIMIT: usize = 16 * 1024;
/// What a connection costs beside the body: the buffers of both directions, and the allocator's own.
const BUFFERS: usize = 128 * 1024;
const CONNECTIONS: usize = 8;

/// The most memory that the process has had so far, in bytes.
fn peak(process: u32) -> usize {
    memory(process, "VmHWM")
}

/// What the system says of the memory of a process, in bytes.
fn memory(process: u32, what: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Every connection sends as much as it may in pieces of one byte, each with as many bytes around it as are allowed,
/// and none of them ends: all are in memory at the same time.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_body_in_the_smallest_pieces_costs_no_more_than_twice_the_limit() {
    let program = Program::with_dotenv(
        "WEBHOOK_SECRET=0123456789abcdef\nWEBHOOK_PORT=0\nWEBHOOK_HOST=127.0.0.1\nWEBHOOK_BODY_LIMIT=16KiB\n",
    );
    let serving = program.serves();
    let address: SocketAddr = serving.address.parse().unwrap();
    let mut warm = HttpTransport::connect(address).await;
    warm.says("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(warm.hears_status().await, 200);
    let before = peak(serving.process());

    let head = Post::bare("")
        .without("Content-Length")
        .with("Transfer-Encoding", "chunked")
        .with("X-XTSystems-Timestamp", "1705314600")
        .with("X-XTSystems-Signature", "sha256=00")
        .head();
    let chunks = "1\r\n{\r\n".repeat(1024);
    let mut wires = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut wire = HttpTransport::connect(address).await;
        wire.says(&head).await;
        wires.push(wire);
    }
    // One after the other, a bit each: all of them grow together.
    for _ in 0..LIMIT / 1024 - 1 {
        for wire in &mut wires {
            assert!(wire.can_say(&chunks).await);
        }
    }
    // All of it has been read when the last byte of each has been answered.
    for wire in &mut wires {
        wire.says("0\r\n\r\n").await;
        assert_eq!(wire.hears_status().await, 401);
    }
    let grown = peak(serving.process()) - before;
    assert!(grown < CONNECTIONS * (2 * LIMIT + BUFFERS), "{} KiB a connection", grown / CONNECTIONS / 1024);
}

/// Item 47: many senders at once, with a megabyte each, few of them genuine. Control: with every body in the allocator's
/// memory, 170 MiB stayed. The program's own file is not counted: it is large in a build for tests.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn after_a_flood_of_large_bodies_the_system_has_its_memory_back() {
    const SENDERS: usize = 128;
    const BACK: usize = 48 * 1024 * 1024;
    let program = Program::with_dotenv(&format!(
        "WEBHOOK_SECRET={SECRET}\nWEBHOOK_PORT=0\nWEBHOOK_HOST=127.0.0.1\nRATE_LIMIT=100000/15m\n\
         DISCORD_WEBHOOK_CHANNELS={{\"default\":[]}}\n"
    ));
    let serving = program.serves();
    let address: SocketAddr = serving.address.parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let body = |sender: usize| {
        let text = "x".repeat(1_000_000);
        format!(r#"{{"event_type":"flood.came","data":{{"id":{sender},"text":"{text}"}}}}"#)
    };
    let senders = (0..SENDERS).map(|sender| {
        tokio::spawn(async move {
            let post = Post::signed_at(&now.to_string(), body(sender));
            let forged = post.clone().but("X-XTSystems-Signature", format!("sha256={}", "0".repeat(64)));
            let mut answered = Vec::new();
            for post in [&forged, &forged, if sender % 8 == 0 { &post } else { &forged }] {
                let mut wire = HttpTransport::connect(address).await;
                wire.says(post.bytes()).await;
                answered.push(wire.hears_status().await);
            }
            answered
        })
    });
    let mut answered = std::collections::BTreeMap::<u16, usize>::new();
    for sender in senders.collect::<Vec<_>>() {
        for status in within("a sender to be answered", sender).await.unwrap() {
            *answered.entry(status).or_default() += 1;
        }
    }
    assert!(answered.contains_key(&200) && answered.contains_key(&401), "{answered:?}");
    let end = std::time::Instant::now() + Duration::from_secs(60);
    let mut wire = HttpTransport::connect(address).await;
    while memory(serving.process(), "RssAnon") > BACK {
        let kept = memory(serving.process(), "RssAnon") / 1024 / 1024;
        assert!(std::time::Instant::now() < end, "{kept} MiB after a minute; {answered:?}");
        wire.says("GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!(wire.hears_status().await, 200);
    }
}

/// A large body needs room, of which all connections together have so much; a small one needs none.
#[tokio::test]
async fn many_large_bodies_at_once_are_put_off_and_small_ones_are_not() {
    let t = Harness::start().await;
    let large =
        format!(r#"{{"event_type":"ticket.created","data":{{"title":"{}"}}}}"#, "x".repeat(1_000_000));
    // Signed once: a build for tests takes its time for a megabyte.
    let post = Post::signed(&t, large.clone());
    let mut wires = Vec::new();
    // Together more than 64 MiB, none of them whole.
    for _ in 0..80 {
        let mut wire = HttpTransport::to(&t).await;
        wire.says(post.head()).await;
        wire.says(&post.body[..post.body.len() - 1]).await;
        wires.push(wire);
    }
    // How much of that has been read is not to be seen from here; that there was no room for all of it is.
    within("a body to be put off", async {
        while t.hub().refusals().iter().all(|found| found.finding != Finding::NoRoom) {
            t.looks_at("/health/live").await;
        }
    })
    .await;
    a_good_one_is_accepted(&t).await;
    // When those have run out of time, there is room again.
    t.clock.advance(Duration::from_secs(16));
    let mut put_off = 0;
    for wire in &mut wires {
        let heard = wire.hears().await;
        // Where a body was still being sent, the answer may be lost with the connection.
        let Some(heard) = heard else { continue };
        assert!(matches!(heard.status, 408 | 503), "{heard:?}");
        if heard.status == 503 {
            assert_eq!(heard.body, r#"{"error":"Temporarily unavailable"}"#);
            assert!(heard.head.contains("retry-after: "), "{}", heard.head);
            put_off += 1;
        }
    }
    assert!(put_off < wires.len());
    let heard = Post::signed(&t, large).send(&t).await.unwrap();
    assert_eq!(heard.status, 200, "{heard:?}");
    t.channel("tickets").next_messages(2).await;
    t.finish().await;
}
