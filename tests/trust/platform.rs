//! XTSystems' API as a recorder that can hang.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use nuncio::clock::Clock;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{PATIENCE, within};

/// What became of its calls. It ends when it is dropped.
pub struct Platform {
    /// Where it stands.
    pub url: String,
    calls: Calls,
    task: JoinHandle<()>,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its path.
    pub path: String,
    /// Its Idempotency-Key.
    pub key: String,
}

#[derive(Clone)]
struct Calls {
    all: Arc<Mutex<Vec<Call>>>,
    hangs: watch::Sender<Option<Duration>>,
    count: watch::Sender<usize>,
}

impl Platform {
    /// One that answers.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let calls =
            Calls { all: Arc::default(), hangs: watch::Sender::new(None), count: watch::Sender::new(0) };
        let router = Router::new().fallback(take).with_state(calls.clone());
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, calls, task })
    }

    /// From now on it takes so long to answer; `None`: it answers at once, also those that wait.
    pub fn hangs(&self, span: Option<Duration>) {
        self.calls.hangs.send_replace(span);
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.all().clone()
    }

    /// Waits for so many.
    pub async fn called(&self, count: usize) -> anyhow::Result<()> {
        let mut counts = self.calls.count.subscribe();
        within("a call to XTSystems", PATIENCE, counts.wait_for(|calls| *calls >= count)).await??;
        Ok(())
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Calls {
    fn all(&self) -> MutexGuard<'_, Vec<Call>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take(State(calls): State<Calls>, method: Method, uri: Uri, headers: HeaderMap) -> &'static str {
    // Whoever only reads tells it nothing: nuncio looks now and then whether it is there.
    if method == Method::GET {
        return "[]";
    }
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
    let mut hangs = calls.hangs.subscribe();
    let hanging = *hangs.borrow_and_update();
    calls.all().push(Call { path: uri.path().to_owned(), key: key.to_owned() });
    calls.count.send_modify(|count| *count += 1);
    if let Some(span) = hanging {
        let clock = Clock::system();
        tokio::select! {
            () = clock.sleep(span) => {}
            _ = hangs.changed() => {}
        }
    }
    "{}"
}
