//! The platform's API as a recorder: what it was told, and what it is to answer.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::within;

/// One call, as it came.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    pub line: String,
    pub authorization: String,
    pub idempotency_key: String,
    pub body: Value,
}

/// What the platform does next.
#[derive(Clone, Debug)]
pub enum Answering {
    With(u16, &'static str),
    /// Takes the call and never answers.
    Never,
}

#[derive(Clone)]
pub struct Receiver(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    told: Mutex<Vec<RecordedRequest>>,
    next: Mutex<VecDeque<Answering>>,
    changed: watch::Sender<u64>,
    is_there: AtomicBool,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self(Arc::new(Inner {
            address: listener.local_addr().unwrap(),
            told: Mutex::default(),
            next: Mutex::default(),
            changed: watch::Sender::new(0),
            is_there: AtomicBool::new(true),
        }));
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// The next `n` calls are answered like this; later ones with 200.
    pub fn next(&self, n: usize, answer: &Answering) {
        self.0.next.lock().unwrap().extend(std::iter::repeat_n(answer.clone(), n));
    }

    /// From now on, what nuncio only reads is answered and recorded like every other call.
    pub fn answers_reads_in_turn(&self) {
        self.0.is_there.store(false, Ordering::Relaxed);
    }

    /// All calls so far.
    pub fn recorded_requests(&self) -> Vec<RecordedRequest> {
        self.0.told.lock().unwrap().clone()
    }

    /// Waits for the `n`th call.
    pub async fn call(&self, n: usize) -> RecordedRequest {
        let mut changed = self.0.changed.subscribe();
        let waiting = async {
            while self.recorded_requests().len() < n {
                changed.changed().await.unwrap();
            }
        };
        within(&format!("call {n} to XTSystems"), waiting).await;
        self.recorded_requests()[n - 1].clone()
    }
}

async fn take(
    State(receiver): State<Receiver>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let told = RecordedRequest {
        line: format!("{method} {uri}"),
        authorization: header("authorization"),
        idempotency_key: header("idempotency-key"),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    // nuncio looks whether the platform is there: that tells it nothing.
    if method == Method::GET && receiver.0.is_there.load(Ordering::Relaxed) {
        return (StatusCode::OK, "[]").into_response();
    }
    let answer = receiver.0.next.lock().unwrap().pop_front();
    receiver.0.told.lock().unwrap().push(told);
    receiver.0.changed.send_modify(|count| *count += 1);
    match answer {
        Some(Answering::Never) => std::future::pending().await,
        Some(Answering::With(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        None => (StatusCode::OK, "{}").into_response(),
    }
}
