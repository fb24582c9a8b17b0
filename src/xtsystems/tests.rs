//! Tests of the client against a listener with canned responses.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::*;
use crate::config::{Config, Variables};
use crate::model::{Arrived, Endpoint, Method};

const KEY: &str = "canary-xtsystems-key";

/// A client of a platform that sends `answer` on each connection, and the requests that it received.
async fn platform(answer: &'static str) -> (XtSystemsClient, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap()));
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let asking = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 65536];
            let length = stream.read(&mut request).await.unwrap_or(0);
            asking.lock().await.push(String::from_utf8_lossy(&request[..length]).into_owned());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (client, asked)
}

fn client(base: &str) -> XtSystemsClient {
    let variables = Variables::from_map([
        ("WEBHOOK_SECRET", "0123456789abcdef"),
        ("XTSYSTEMS_API_URL", base),
        ("XTSYSTEMS_API_KEY", KEY),
    ]);
    XtSystemsClient::new(&Config::from_variables(&variables).unwrap().xtsystems, Clock::system()).unwrap()
}

fn endpoint() -> Endpoint {
    Endpoint { method: Method::Post, path: "/v1/machines/a/approve".to_owned() }
}

#[tokio::test]
async fn a_call_carries_key_idempotency_key_and_body() {
    let (client, asked) =
        platform("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await;
    let body = serde_json::json!({"decision": "approved"});
    let reply = client.approve("a/b", "dec_1", &body).await.unwrap();
    assert!(reply.is_success());
    let asked = asked.lock().await;
    let request = asked[0].to_ascii_lowercase();
    assert!(request.starts_with("post /v1/machines/a%2fb/approve http/1.1"), "{request}");
    assert!(request.contains(&format!("authorization: bearer {KEY}")));
    assert!(request.contains("idempotency-key: dec_1"));
    assert!(request.contains("content-type: application/json\r\n"));
    assert!(request.ends_with(r#"{"decision":"approved"}"#));
    assert!(client.approve("..", "dec_1", &body).await.is_none());
}

#[rstest::rstest]
#[case(
    "HTTP/1.1 409 No\r\ncontent-length: 27\r\n\r\n{\"detail\":\"already denied\"}",
    Some(409),
    Arrived::No,
    "already denied"
)]
#[case("HTTP/1.1 404 No\r\ncontent-length: 4\r\n\r\n<x>\n", Some(404), Arrived::No, "<x> ")]
#[case(
    "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    Some(302),
    Arrived::No,
    ""
)]
#[case("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n", Some(500), Arrived::Maybe, "")]
#[case("HTTP/1.1 408 Slow\r\ncontent-length: 0\r\n\r\n", Some(408), Arrived::Maybe, "")]
// A 200 whose body breaks off is still a 200.
#[case(
    "HTTP/1.1 200 OK\r\ncontent-length: 900\r\nconnection: close\r\n\r\nhalf",
    Some(200),
    Arrived::Maybe,
    "half"
)]
#[case("garbage", None, Arrived::Maybe, "the connection broke before it answered")]
#[tokio::test]
async fn what_is_answered_is_told_apart(
    #[case] answer: &'static str,
    #[case] status: Option<u16>,
    #[case] arrived: Arrived,
    #[case] excerpt: &str,
) {
    let (client, asked) = platform(answer).await;
    let reply = client.call(&endpoint(), None, None).await;
    assert_eq!((reply.status, reply.arrived, reply.excerpt().as_str()), (status, arrived, excerpt));
    assert_eq!(asked.lock().await.len(), 1, "a redirect was followed, or a call repeated");
}

#[tokio::test]
async fn nobody_there_means_that_nothing_arrived() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = client(&format!("http://{address}"));
    let reply = client.call(&endpoint(), None, None).await;
    assert_eq!((reply.status, reply.arrived), (None, Arrived::No));
    let failure = client.webhooks().await.unwrap_err();
    assert!(failure.to_string().contains("Check XTSYSTEMS_API_URL"), "{failure}");
    assert!(!failure.to_string().contains(&address.to_string()));
}

// S-1
#[tokio::test]
async fn the_key_is_in_nothing_that_comes_out() {
    let echo = concat!(
        "HTTP/1.1 400 No\r\ncontent-length: 64\r\n\r\n",
        r#"{"detail":"you sent Authorization: Bearer canary-xtsystems-key"}"#
    );
    let (client, _) = platform(echo).await;
    let reply = client.call(&endpoint(), None, None).await;
    let failure = client.webhooks().await.unwrap_err();
    for text in [
        format!("{reply:?}"),
        reply.excerpt(),
        String::from_utf8_lossy(&reply.body).into_owned(),
        format!("{failure} {failure:?} {client:?}"),
    ] {
        assert!(!text.contains(KEY), "{text}");
    }
}

// A-7
#[tokio::test]
async fn an_endless_answer_is_read_to_a_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
        let _ = stream.write_all(head).await;
        while stream.write_all(&[b'x'; 65536]).await.is_ok() {}
    });
    let reply = client.call(&endpoint(), None, None).await;
    assert_eq!((reply.status, reply.body.len()), (Some(200), 1024 * 1024));
    assert_eq!(reply.excerpt().len(), 500);
}

#[tokio::test]
async fn the_wait_that_is_asked_for_is_believed_up_to_an_hour() {
    for (header, wait) in [("7", Some(7)), ("99999999", Some(3600)), ("-1", None), ("soon", None)] {
        let answer = format!("HTTP/1.1 429 Slow\r\nretry-after: {header}\r\ncontent-length: 0\r\n\r\n");
        let (client, _) = platform(answer.leak()).await;
        let reply = client.call(&endpoint(), None, None).await;
        assert_eq!(reply.retry_after, wait.map(Duration::from_secs), "{header}");
    }
}

#[tokio::test]
async fn ids_and_numbers_of_every_platform_are_read() {
    let body = concat!(
        "HTTP/1.1 200 OK\r\ncontent-length: 84\r\n\r\n",
        r#"[{"id":7,"name":"a","url":"http://x","events":["*"],"new":1},{"id":"b","name":null}]"#
    );
    let (client, _) = platform(body).await;
    let webhooks = client.webhooks().await.unwrap();
    assert_eq!((webhooks[0].id.as_str(), webhooks[0].active), ("7", true));
    assert_eq!((webhooks[1].id.as_str(), webhooks[1].url.as_str()), ("b", ""));
}

#[tokio::test]
async fn an_answer_of_another_kind_is_a_failure_that_says_so() {
    let (client, _) = platform("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>").await;
    let failure = client.webhooks().await.unwrap_err();
    assert!(failure.to_string().ends_with("is XTSYSTEMS_API_URL its API?"), "{failure}");
}
