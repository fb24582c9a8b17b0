//! A-10: bodies, whatever is in them.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Api, BOOTSTRAP, Reply, routes};

impl Api {
    async fn posts_text(&self, path: &str, content_type: &str, text: impl Into<String>) -> Reply {
        let request = self.request("POST", path).bearer_auth(BOOTSTRAP).header("content-type", content_type);
        self.send(request.body(text.into())).await
    }

    /// Says that a body of this length comes, and sends none of it.
    async fn declares(&self, method: &str, path: &str, length: usize) -> String {
        let mut wire = TcpStream::connect(self.t.address()).await.unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {BOOTSTRAP}\r\ncontent-length: {length}\r\n\r\n"
        );
        wire.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        wire.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

/// The largest body.
const MOST: usize = 1024 * 1024;

const JSON: &str = "application/json";

/// All faults at once, each with its pointer and a hint.
#[tokio::test]
async fn every_fault_of_a_body_is_told_at_once() {
    let api = Api::start().await;
    let body = json!({"nmae": "x", "role": "sendr", "company_id": 7, "expires_at": "tomorrow"});
    let reply = api.post("/v1/keys", body).await;
    assert_eq!((reply.status, reply.code().as_str()), (422, "invalid_body"), "{}", reply.text);
    assert_eq!(
        reply.faults(),
        ["/role unknown_word", "/company_id wrong_type", "/name missing", "/nmae unknown_field"]
    );
    assert!(
        reply.text.contains(r#"Did you mean \"name\"?"#)
            && reply.text.contains(r#"Did you mean \"sender\"?"#),
        "{}",
        reply.text
    );

    let values = json!({"name": "", "role": "reader", "company_id": "a\u{202e}b", "more": 1});
    assert_eq!(
        api.post("/v1/keys", values).await.faults(),
        ["/more unknown_field", "/company_id invalid", "/name invalid"]
    );
    let time = json!({"name": "x", "role": "reader", "expires_at": "tomorrow"});
    assert_eq!(api.post("/v1/keys", time).await.faults(), ["/expires_at invalid"]);
    // The hub's own check comes back in the same form.
    let past = json!({"name": "x", "role": "reader", "expires_at": "2001-01-01T00:00:00Z"});
    assert_eq!(api.post("/v1/keys", past).await.faults(), ["/expires_at invalid"]);
    assert_eq!(api.get("/v1/keys").await.json()["data"], json!([]));
    api.finish().await;
}

// A-10. Control: without the check of duplicate keys in `parse.rs`, the last row makes an admin.
#[tokio::test]
async fn hostile_bodies_make_nothing() {
    let api = Api::start().await;
    let name = |name: String| json!({"name": name, "role": "reader"}).to_string();
    let nested = |levels| format!(r#"{{"name":{}1{}}}"#, "[".repeat(levels), "]".repeat(levels));
    let rows: Vec<(&str, String, u16, &str)> = vec![
        ("a name of a megabyte less", name("x".repeat(1_000_000)), 422, "invalid_body"),
        ("deep", nested(100), 422, "invalid_body"),
        ("very deep", nested(400_000), 422, "invalid_body"),
        (
            "10,000 unknown fields",
            Value::Object((0..10_000).map(|n| (format!("f{n}"), json!(n))).collect()).to_string(),
            422,
            "invalid_body",
        ),
        ("a field of a megabyte less", json!({"x".repeat(1_000_000): 1}).to_string(), 422, "invalid_body"),
        ("NUL", name("a\0b".to_owned()), 422, "invalid_body"),
        ("a line break", name("a\nb".to_owned()), 422, "invalid_body"),
        ("right to left", name("a\u{202e}b".to_owned()), 422, "invalid_body"),
        ("zero width", name("a\u{200b}b".to_owned()), 422, "invalid_body"),
        ("no JSON", "name=x&role=admin".to_owned(), 400, "invalid_json"),
        ("cut", r#"{"name":"x","role":"#.to_owned(), 400, "invalid_json"),
        ("two", "{} {}".to_owned(), 400, "invalid_json"),
        ("a list", "[]".to_owned(), 422, "invalid_body"),
        ("null", "null".to_owned(), 422, "invalid_body"),
        ("nothing", String::new(), 422, "invalid_body"),
        ("duplicate keys", r#"{"name":"x","role":"reader","role":"admin"}"#.to_owned(), 422, "invalid_body"),
    ];
    for (what, body, status, code) in rows {
        let reply = api.posts_text("/v1/keys", JSON, body).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{what}: {:.300}", reply.text);
        assert!(reply.text.len() < 20_000, "{what}: {} bytes", reply.text.len());
    }
    // Said beforehand, it is refused before a byte of it is sent. Never said, it is read up to the limit.
    let answer = api.declares("POST", "/v1/keys", 10 * MOST).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("payload_too_large"), "{answer}");
    let pieces = (0..17).map(|_| Ok::<_, std::io::Error>(" ".repeat(64 * 1024)));
    let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let endless = api.request("POST", "/v1/keys").bearer_auth(BOOTSTRAP).body(stream);
    assert_eq!(api.send(endless).await.code(), "payload_too_large");
    assert_eq!(api.get("/v1/keys").await.json()["data"], json!([]), "none of them made a key");
    // The control: a name that only looks dangerous is one.
    api.key(json!({"name": "@everyone مرحبا", "role": "reader"})).await;
    api.finish().await;
}

#[tokio::test]
async fn a_body_is_sent_as_json_and_uncompressed() {
    let api = Api::start().await;
    let good = json!({"name": "x", "role": "reader"}).to_string();
    for (content_type, status) in [
        (JSON, 201),
        ("application/json; charset=utf-8", 201),
        ("APPLICATION/JSON", 201),
        ("application/vnd.api+json", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonp", 415),
        ("multipart/form-data; boundary=x", 415),
    ] {
        let reply = api.posts_text("/v1/keys", content_type, good.clone()).await;
        assert_eq!(reply.status, status, "{content_type}: {}", reply.text);
        if status == 415 {
            assert_eq!(reply.code(), "unsupported_media_type");
        }
    }
    let packed = api.request("POST", "/v1/keys").bearer_auth(BOOTSTRAP).header("content-encoding", "gzip");
    assert_eq!(
        api.send(packed.header("content-type", JSON).body(good)).await.code(),
        "unsupported_media_type"
    );
    api.finish().await;
}

/// Every route that has a body refuses what is no JSON, what is too large, and what it does not know.
#[tokio::test]
async fn every_body_is_read_strictly() {
    let api = Api::start().await;
    for route in routes().iter().filter(|route| route.has_body()) {
        let send = async |body: String| {
            let request = api.request(&route.method, &route.concrete()).bearer_auth(BOOTSTRAP);
            api.send(request.header("content-type", JSON).body(body)).await
        };
        let name = format!("{} {}", route.method, route.path);
        assert_eq!(send("{".to_owned()).await.code(), "invalid_json", "{name}");
        assert_eq!(send(r#"{"a":1,"a":1}"#.to_owned()).await.code(), "invalid_body", "{name}");
        let answer = api.declares(&route.method, &route.concrete(), MOST + 1).await;
        assert!(answer.contains("payload_too_large"), "{name}: {answer}");
    }
    api.finish().await;
}
