//! I-11 to I-13: what a socket may carry that is no proper request.

use nuncio::model::Backlog;
use rstest::rstest;
use serde_json::json;

use crate::attack::sender::{Post, TICKET, a_good_one_is_accepted, assert_no_rows};
use crate::attack::wire::HttpTransport;
use crate::harness::Harness;

/// A limit that is quickly exceeded.
const LIMIT: usize = 64 * 1024;

async fn small() -> Harness {
    Harness::with(|variables| {
        variables.insert("WEBHOOK_BODY_LIMIT".into(), LIMIT.to_string());
        crate::harness::one_by_one(variables);
    })
    .await
}

/// `body` in chunks of `size` bytes.
fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(size) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

/// A signed ticket of exactly this many bytes.
fn ticket_of(length: usize) -> String {
    let frame = r#"{"event_type":"ticket.created","data":{"title":"","seq_id":7}}"#;
    frame.replace(r#""title":"""#, &format!(r#""title":"{}""#, "x".repeat(length - frame.len())))
}

// I-11: requests whose end two readers may see in different places. The connection is closed after the answer.
#[rstest]
#[case::length_and_chunks("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400)]
#[case::chunks_and_length("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400)]
#[case::two_lengths("Content-Length: 5\r\nContent-Length: 6\r\n", 400)]
#[case::the_same_length_twice("Content-Length: 5\r\nContent-Length: 5\r\n", 400)]
#[case::two_lengths_in_one("Content-Length: 5, 5\r\n", 400)]
#[case::a_signed_length("Content-Length: +5\r\n", 400)]
#[case::a_negative_length("Content-Length: -5\r\n", 400)]
#[case::another_coding("Transfer-Encoding: gzip, chunked\r\n", 400)]
#[case::chunked_twice("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400)]
#[case::chunked_and_then_not("Transfer-Encoding: chunked, identity\r\n", 400)]
#[case::a_blank_before_the_colon("Content-Length : 5\r\n", 400)]
#[case::a_folded_header("X-A: b\r\n c: d\r\nContent-Length: 5\r\n", 400)]
#[case::a_bare_line_feed("X-A: b\nContent-Length: 5\r\n", 400)]
#[case::a_bare_carriage_return("X-A: b\rX-B: c\r\nContent-Length: 5\r\n", 400)]
#[case::a_nul("X-A: b\0c\r\nContent-Length: 5\r\n", 400)]
#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused(#[case] lines: &str, #[case] status: u16) {
    let t = Harness::start().await;
    let mut wire = HttpTransport::to(&t).await;
    // Whoever took the shorter reading would find a second request here.
    wire.says(format!("POST /webhooks/xtsystems HTTP/1.1\r\nHost: x\r\n{lines}\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"))
        .await;
    assert_eq!(wire.hears_status().await, status);
    assert_eq!(wire.is_closed().await, "", "nothing after it is answered");
    assert_no_rows(&t).await;
    a_good_one_is_accepted(&t).await;
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// I-11: other protocols, other methods. 0: closed without an answer.
#[rstest]
#[case::http_0_9("GET /\r\n\r\n", &[400])]
#[case::http_2("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", &[0, 400, 505])]
#[case::http_3_0("GET / HTTP/3.0\r\nHost: x\r\n\r\n", &[400, 505])]
#[case::tls("\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03\r\n\r\n", &[0, 400])]
#[case::nonsense("\r\nhello\r\n\r\n", &[400])]
#[case::trace("TRACE /webhooks/xtsystems HTTP/1.1\r\nHost: x\r\n\r\n", &[405])]
#[case::connect("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", &[404, 405])]
#[case::delete("DELETE /webhooks/xtsystems HTTP/1.1\r\nHost: x\r\n\r\n", &[405])]
#[case::absolute("GET http://example.com/ HTTP/1.1\r\nHost: x\r\n\r\n", &[200])]
#[case::asterisk("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", &[404, 405])]
#[case::long_path("long path", &[400, 404, 414, 431])]
#[case::long_header("long header", &[400, 431])]
#[case::many_headers("many headers", &[400, 431])]
#[tokio::test]
async fn other_protocols_get_nowhere(#[case] bytes: &str, #[case] expected: &[u16]) {
    let t = Harness::start().await;
    let bytes = match bytes {
        "long path" => format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(70_000)),
        "long header" => format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(40_000)),
        "many headers" => format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(1000)),
        other => other.to_owned(),
    };
    let mut wire = HttpTransport::to(&t).await;
    wire.says(bytes).await;
    let status = wire.hears_status().await;
    assert!(expected.contains(&status), "{status}");
    assert_no_rows(&t).await;
    a_good_one_is_accepted(&t).await;
    t.channel("tickets").next_message().await;
    t.finish().await;
}

// I-11
#[tokio::test]
async fn h2c_is_not_spoken() {
    let t = Harness::start().await;
    let mut wire = HttpTransport::to(&t).await;
    wire.says("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n").await;
    let heard = wire.hears().await.unwrap();
    assert_eq!((heard.status, heard.body.as_str()), (200, "ok"));
    t.finish().await;
}

// I-11
#[tokio::test]
async fn the_limit_is_exact_and_what_is_beyond_is_not_read() {
    let t = small().await;
    assert_eq!(Post::signed(&t, ticket_of(LIMIT)).send(&t).await.unwrap().status, 200);
    let too_large = json!({"error": "Payload too large"});
    let heard = Post::signed(&t, ticket_of(LIMIT + 1)).send(&t).await.unwrap();
    assert_eq!((heard.status, heard.json()), (413, too_large.clone()));
    // Said beforehand: answered before a byte of it is sent, and the connection is over.
    let mut wire = HttpTransport::to(&t).await;
    wire.says(Post::signed(&t, TICKET).but("Content-Length", "10485760").head()).await;
    let heard = wire.hears().await.unwrap();
    assert_eq!((heard.status, heard.json()), (413, too_large.clone()));
    assert!(heard.head.contains("connection: close"), "{}", heard.head);
    wire.is_closed().await;
    // With "Expect", it is not asked for either.
    let mut wire = HttpTransport::to(&t).await;
    let expecting = Post::signed(&t, TICKET).but("Content-Length", "10485760").with("Expect", "100-continue");
    wire.says(expecting.head()).await;
    assert_eq!(wire.hears_status().await, 413);
    // Never said: 10 MB in chunks.
    let mut wire = HttpTransport::to(&t).await;
    let endless = Post::signed(&t, TICKET).without("Content-Length").with("Transfer-Encoding", "chunked");
    wire.says(endless.head()).await;
    let chunk = [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat();
    let mut sent = 0;
    for _ in 0..640 {
        if !wire.can_say(&chunk).await {
            break;
        }
        sent += chunk.len();
        tokio::task::yield_now().await;
    }
    // What fits into the system's buffers may have been sent; it was not read.
    let heard = wire.hears().await;
    assert!(heard.is_none_or(|heard| (heard.status, heard.json()) == (413, too_large)));
    assert!(sent <= 10 * 1024 * 1024);
    wire.is_closed().await;
    t.channel("tickets").next_message().await;
    assert_eq!(t.store().recent(10).await.unwrap().len(), 1);
    t.finish().await;
}

// I-11
#[tokio::test]
async fn chunks_are_accepted_whatever_their_size() {
    let t = small().await;
    for size in [1, 7, 40_000] {
        let body = ticket_of(20_000 + size);
        let post =
            Post::signed(&t, body.clone()).without("Content-Length").with("Transfer-Encoding", "chunked");
        let mut wire = HttpTransport::to(&t).await;
        wire.says(post.head()).await;
        wire.says(chunked(body.as_bytes(), size)).await;
        let heard = wire.hears().await.unwrap();
        assert_eq!(heard.status, 200, "{heard:?}");
        // Where a chunked body ends is hyper's word alone: nothing else is read from this connection.
        assert!(heard.head.contains("connection: close"), "{}", heard.head);
    }
    t.channel("tickets").next_messages(3).await;
    t.finish().await;
}

// I-11: chunks that are none, or mostly talk.
#[rstest]
#[case::extension(format!("1;{}\r\n{{\r\n0\r\n\r\n", "x".repeat(1_000_000)))]
#[case::extensions(format!("{}0\r\n\r\n", "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n{\r\n".repeat(10_000)))]
#[case::trailers(format!("1\r\n{{\r\n0\r\n{}\r\n", "X: y\r\n".repeat(100_000)))]
#[case::no_number("xyz\r\n{\r\n0\r\n\r\n".to_owned())]
#[case::an_endless_number(format!("{}\r\n", "f".repeat(1000)))]
#[case::a_huge_number("ffffffffffffffff\r\n{\r\n".to_owned())]
#[case::longer_than_said("1\r\n{}\r\n0\r\n\r\n".to_owned())]
#[case::a_bare_line_feed("1\n{\n0\n\n".to_owned())]
#[tokio::test]
async fn bad_chunks_are_refused(#[case] body: String) {
    let t = small().await;
    let mut wire = HttpTransport::to(&t).await;
    let post = Post::signed(&t, "{").without("Content-Length").with("Transfer-Encoding", "chunked");
    wire.says(post.head()).await;
    wire.says(body).await;
    wire.hangs_up_half().await;
    let status = wire.hears_status().await;
    assert!(matches!(status, 0 | 400 | 413), "{status}");
    wire.is_closed().await;
    assert_no_rows(&t).await;
    t.finish().await;
}

// I-11: empty, and cut off.
#[tokio::test]
async fn a_body_that_is_not_there_is_no_event() {
    let t = Harness::start().await;
    let heard = Post::signed(&t, "").send(&t).await.unwrap();
    assert_eq!((heard.status, heard.json()), (400, json!({"error": "Invalid JSON"})));
    let mut wire = HttpTransport::to(&t).await;
    let post = Post::signed(&t, TICKET);
    wire.says(post.head()).await;
    wire.says(&post.body[..10]).await;
    wire.hangs_up_half().await;
    let status = wire.hears_status().await;
    assert!(matches!(status, 0 | 400), "{status}");
    assert_eq!(t.store().recent(10).await.unwrap().len(), 0);
    assert_eq!(t.store().backlog().await.unwrap(), Backlog::default());
    t.finish().await;
}

// I-12: refused by its head alone. The body would be a gigabyte if anybody inflated it.
#[rstest]
#[case("gzip")]
#[case("br")]
#[case("deflate")]
#[case("identity")]
#[case("zstd, gzip")]
#[tokio::test]
async fn encoded_bodies_are_refused_unread(#[case] encoding: &str) {
    let t = Harness::start().await;
    let mut wire = HttpTransport::to(&t).await;
    wire.says(Post::signed(&t, TICKET).with("Content-Encoding", encoding).head()).await;
    let heard = wire.hears().await.unwrap();
    assert_eq!((heard.status, heard.json()), (415, json!({"error": "Unsupported media type"})));
    assert_no_rows(&t).await;
    t.finish().await;
}

// I-13
#[rstest]
#[case(None, 200)]
#[case(Some("application/json"), 200)]
#[case(Some("Application/JSON ; charset=utf-8"), 200)]
#[case(Some("application/json; charset=utf-16"), 200)]
#[case(Some(""), 415)]
#[case(Some("text/plain"), 415)]
#[case(Some("application/x-www-form-urlencoded"), 415)]
#[case(Some("multipart/form-data; boundary=x"), 415)]
#[case(Some("application/json-seq"), 415)]
#[case(Some("application/jsonx"), 415)]
#[case(Some("text/plain, application/json"), 415)]
#[tokio::test]
async fn json_is_what_says_so_or_says_nothing(#[case] media: Option<&str>, #[case] status: u16) {
    let t = Harness::start().await;
    let mut post = Post::signed(&t, TICKET);
    if let Some(media) = media {
        post = post.with("Content-Type", media);
    }
    let heard = post.send(&t).await.unwrap();
    assert_eq!(heard.status, status, "{heard:?}");
    if status == 200 {
        t.channel("tickets").next_message().await;
    }
    let twice =
        Post::signed(&t, TICKET).with("Content-Type", "application/json").with("Content-Type", "text/plain");
    assert_eq!(twice.send(&t).await.unwrap().status, 415);
    t.finish().await;
}

// I-16: many requests on one connection, one after the other and without waiting for answers.
#[tokio::test]
async fn a_connection_may_be_used_again_and_again() {
    let t = Harness::start().await;
    let mut wire = HttpTransport::to(&t).await;
    for _ in 0..500 {
        wire.says("GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!(wire.hears_status().await, 200);
    }
    let post = Post::signed(&t, TICKET);
    wire.says(post.bytes().repeat(10)).await;
    for _ in 0..10 {
        assert_eq!(wire.hears_status().await, 200);
    }
    t.channel("tickets").next_message().await;
    t.finish().await;
}
