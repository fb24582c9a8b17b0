//! A fake nuncio on loopback: gives the answers of a script, keeps the requests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::KEY;

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) text: String,
}

impl Request {
    pub(super) fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// Field of a system alert.
    #[track_caller]
    pub(super) fn error(&self) -> String {
        assert_eq!(self.path, "/v1/dispatch/system-alert");
        self.body()["error"].as_str().unwrap().to_owned()
    }
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Value>,
    requests: Vec<Request>,
    beyond: usize,
}

pub(super) struct Fake {
    pub(super) url: String,
    script: Arc<Mutex<Script>>,
    /// A permit for each request that was read.
    pub(super) asked: Arc<Notify>,
}

impl Fake {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (script, asked) = (Arc::<Mutex<Script>>::default(), Arc::<Notify>::default());
        let served = (script.clone(), asked.clone(), url.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, asked, url) = served.clone();
                tokio::spawn(async move { serve(stream, &script, &asked, &url).await });
            }
        });
        Self { url, script, asked }
    }

    /// What it answers next. Beyond these answers a request is a failure of [`requests`](Self::requests).
    pub(super) fn next(&self, answers: impl IntoIterator<Item = Value>) {
        self.script.lock().unwrap().answers.extend(answers);
    }

    /// The requests since the last look; the script must be at its end, and not beyond.
    #[track_caller]
    pub(super) fn requests(&self) -> Vec<Request> {
        let mut script = self.script.lock().unwrap();
        assert_eq!(
            (script.beyond, script.answers.len()),
            (0, 0),
            "requests beyond the script, answers not given"
        );
        std::mem::take(&mut script.requests)
    }

    /// A text of the conformance files.
    pub(super) fn filled(&self, text: &str) -> String {
        text.replace("{url}", &self.url).replace("{key}", KEY)
    }
}

async fn serve(mut stream: TcpStream, script: &Mutex<Script>, asked: &Notify, url: &str) {
    let mut bytes = Vec::new();
    while let Some(request) = read(&mut stream, &mut bytes).await {
        let answer = {
            let mut script = script.lock().unwrap();
            script.requests.push(request);
            script.answers.pop_front().unwrap_or_else(|| {
                script.beyond += 1;
                serde_json::json!({ "status": 500, "text": "beyond the script" })
            })
        };
        asked.notify_one();
        if give(&mut stream, &answer, url).await.is_none() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Request> {
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut lines = head.split("\r\n");
            let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
            let headers = lines.filter_map(|line| line.split_once(": "));
            let headers: BTreeMap<_, _> =
                headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
            let length: usize = headers["content-length"].parse().unwrap();
            if bytes.len() >= end + 4 + length {
                let text = String::from_utf8(bytes[end + 4..end + 4 + length].to_vec()).unwrap();
                bytes.drain(..end + 4 + length);
                let (method, path) = (first.next().unwrap(), first.next().unwrap());
                return Some(Request { method, path, headers, text });
            }
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// `None`: the connection is closed.
async fn give(stream: &mut TcpStream, answer: &Value, url: &str) -> Option<()> {
    match answer["fault"].as_str() {
        None => {}
        Some("reset") => return None,
        Some("half") => {
            let half = "HTTP/1.1 202 Accepted\r\ncontent-length: 40\r\n\r\n{\"event_id\":\"evt_1\",";
            stream.write_all(half.as_bytes()).await.ok()?;
            return None;
        }
        Some("endless") => {
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok()?;
            let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, " ".repeat(64 * 1024));
            loop {
                stream.write_all(chunk.as_bytes()).await.ok()?;
            }
        }
        Some("hang") => return std::future::pending().await,
        Some(other) => panic!("unknown fault {other}"),
    }
    for name in answer.as_object().unwrap().keys() {
        let known = ["status", "headers", "body", "text", "retry_after_in_s"];
        assert!(known.contains(&name.as_str()), "unknown field {name}");
    }
    let text = answer["text"].as_str().map_or_else(|| answer["body"].to_string(), str::to_owned);
    let text = text.replace("{key}", KEY).replace("{url}", url);
    let mut head = format!("HTTP/1.1 {} Status\r\n", answer["status"]);
    if answer["status"] != 204 {
        head += &format!("content-length: {}\r\n", text.len());
    }
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        head += &format!("{name}: {}\r\n", value.as_str().unwrap());
    }
    if let Some(seconds) = answer["retry_after_in_s"].as_u64() {
        let date = SystemTime::now() + Duration::from_secs(seconds);
        head += &format!("retry-after: {}\r\n", httpdate::fmt_http_date(date));
    }
    stream.write_all(format!("{head}\r\n{text}").as_bytes()).await.ok()
}
