//! Two thousand and more bad requests, made from seeds by rules that always make the same ones: no wrong answer, no
//! panic, no row.

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::attack::sender::{Post, TICKET, a_good_one_is_accepted, assert_no_rows};
use crate::attack::wire::HttpTransport;
use crate::harness::Harness;

const SEEDS: u64 = 2400;
/// What an unsigned or broken request may be answered with; 0: the connection is closed.
const ALLOWED: [u16; 10] = [0, 400, 401, 404, 405, 408, 413, 414, 415, 431];

/// One bad request. Whatever is done to it, it is not a signed one: its signature is of other bytes.
fn bad(t: &Harness, seed: u64) -> Vec<u8> {
    let mut random = SmallRng::seed_from_u64(seed);
    let other = format!(r#"{{"event_type":"ticket.created","data":{{"id":{seed}}}}}"#);
    let mut post = Post::signed(t, other);
    post.body = TICKET.as_bytes().to_vec();
    let mut post = post.but("Content-Length", TICKET.len().to_string());
    for _ in 0..random.random_range(0..4) {
        post = spoilt(post, &mut random);
    }
    let mut bytes = post.bytes();
    for _ in 0..random.random_range(0..4) {
        mangle(&mut bytes, &mut random);
    }
    bytes
}

/// Spoils a request where it is still a request.
fn spoilt(post: Post, random: &mut SmallRng) -> Post {
    let names = ["X-XTSystems-Signature", "X-XTSystems-Timestamp", "Content-Length", "Content-Type", "Host"];
    let name = names[random.random_range(0..names.len())];
    let values: [&[u8]; 12] = [
        b"",
        b"0",
        b"-1",
        b"sha256=",
        b"1705314600",
        b"\xff",
        b"application/json",
        b"99999999999999999999",
        b"chunked",
        b"a,b",
        b"NaN",
        b"sha256=0000000000000000000000000000000000000000000000000000000000000000",
    ];
    let value = values[random.random_range(0..values.len())];
    match random.random_range(0..7) {
        0 => post.without(name),
        1 => post.with(name, value),
        2 => post.but(name, value),
        3 => post.with("Transfer-Encoding", value),
        4 => post.with("Content-Encoding", "gzip"),
        5 => {
            post.at_path(["/webhooks/other", "/", "//", "/webhooks/%00", "*", ""][random.random_range(0..6)])
        }
        _ => post.with(&"X".repeat(random.random_range(1..3000)), value),
    }
}

/// Spoils its bytes.
fn mangle(bytes: &mut Vec<u8>, random: &mut SmallRng) {
    if bytes.is_empty() {
        return;
    }
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..6) {
        0 => bytes[at] = random.random(),
        1 => drop(bytes.remove(at)),
        2 => bytes.insert(at, random.random()),
        3 => bytes.truncate(at),
        4 => bytes.insert(at, b"\r\n\0 :{"[random.random_range(0..6)]),
        _ => {
            let piece = bytes[at..(at + 40).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
    }
}

#[tokio::test]
async fn thousands_of_bad_requests_leave_nothing() {
    let t = Harness::with(|variables| {
        // Each shall be answered for what it is.
        variables.insert("RATE_LIMIT".into(), "1000000/1h".into());
    })
    .await;
    let mut answers = std::collections::BTreeMap::<u16, u32>::new();
    for seed in 0..SEEDS {
        let mut wire = HttpTransport::to(&t).await;
        wire.says(bad(&t, seed)).await;
        wire.hangs_up_half().await;
        let status = wire.hears_status().await;
        assert!(ALLOWED.contains(&status), "seed {seed}: {status}");
        *answers.entry(status).or_default() += 1;
    }
    assert_no_rows(&t).await;
    // They are bad in different ways.
    assert!(answers.len() >= 5 && answers[&401] > 500, "{answers:?}");
    a_good_one_is_accepted(&t).await;
    t.channel("tickets").next_message().await;
    t.finish().await;
}
