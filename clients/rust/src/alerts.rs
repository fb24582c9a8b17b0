//! Errors become alerts without holding anybody up: folded, queued, and sent by a thread of their own, which starts with
//! the first alert and ends with the last dispatcher.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt::{self, Display, Write};
use std::mem::take;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::mpsc;

use crate::call::body;
use crate::connection::Connection;
use crate::event::{AlertSeverity, Event, SystemAlert};
use crate::{Accepted, DispatchOptions};

/// The same alert is sent once in this time, then again with the number of repeats.
pub(crate) const FOLD: Duration = Duration::from_secs(15 * 60);
/// How many alerts are remembered for that.
pub(crate) const FOLDED_ALERTS: usize = 200;
/// How many wait to be sent. What comes beyond that is counted as lost.
pub(crate) const QUEUE: usize = 100;
pub(crate) const TEXT_CHARS: usize = 1000;

/// Reports alerts to nuncio.
pub(crate) struct Alerts {
    connection: Arc<Connection>,
    shared: Arc<Shared>,
    /// `None`: there was no thread to be had.
    queue: OnceLock<Option<mpsc::Sender<Alert>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    sent: Condvar,
}

#[derive(Default)]
struct State {
    /// The oldest first.
    folded: VecDeque<Folded>,
    /// Queued, or on its way.
    waiting: usize,
    /// Since the last alert that nuncio took.
    lost: u64,
}

struct Folded {
    id: String,
    since: Instant,
    repeats: u64,
}

struct Alert {
    id: String,
    title: String,
    text: String,
    _waiting: Waiting,
}

/// Counts an alert as waiting until it is dropped, wherever that is.
struct Waiting(Arc<Shared>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.state().waiting -= 1;
        self.0.sent.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(self: &Arc<Self>) -> Waiting {
        self.state().waiting += 1;
        Waiting(self.clone())
    }

    /// It did not get to nuncio: the next one must not be folded into it.
    fn lose(&self, id: &str, count: u64) {
        let mut state = self.state();
        state.lost += count;
        state.folded.retain(|folded| folded.id != id);
    }
}

impl State {
    /// The number of repeats since the last one that was sent; `None` if this is one of them.
    fn admit(&mut self, id: &str, now: Instant) -> Option<u64> {
        let mut repeats = 0;
        if let Some(at) = self.folded.iter().position(|folded| folded.id == id) {
            let last = &mut self.folded[at];
            if now.saturating_duration_since(last.since) < FOLD {
                last.repeats += 1;
                return None;
            }
            repeats = last.repeats;
            self.folded.remove(at);
        }
        if self.folded.len() == FOLDED_ALERTS {
            self.folded.pop_front();
        }
        self.folded.push_back(Folded { id: id.to_owned(), since: now, repeats: 0 });
        Some(repeats)
    }
}

impl Alerts {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection: Arc::new(connection), shared: Arc::default(), queue: OnceLock::new() }
    }

    /// Queues an alert unless one with this `id` was sent within the last 15 minutes. Never waits.
    pub(crate) fn report(&self, id: String, title: String, mut text: String) {
        let Some(repeats) = self.shared.state().admit(&id, self.connection.clock.now()) else { return };
        if repeats > 0 {
            text += &format!("\n({repeats} more since the last alert)");
        }
        let alert = Alert { id: id.clone(), title, text, _waiting: self.shared.waiting() };
        let queue = self.queue.get_or_init(|| start(self.connection.separate(), self.shared.clone()));
        let is_queued = queue.as_ref().is_some_and(|queue| queue.try_send(alert).is_ok());
        if !is_queued {
            self.shared.lose(&id, 1);
        }
    }

    /// Waits until nothing is queued or on its way. `false`: the time was over first.
    pub(crate) fn flush(&self, at_most: Duration) -> bool {
        let waited =
            self.shared.sent.wait_timeout_while(self.shared.state(), at_most, |state| state.waiting > 0);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.waiting == 0
    }
}

thread_local! {
    static SENDS_ALERTS: Cell<bool> = const { Cell::new(false) };
}

/// True in the threads that send alerts: what they log must not become another one.
#[cfg(feature = "tracing")]
pub(crate) fn in_alert_thread() -> bool {
    SENDS_ALERTS.try_with(Cell::get).unwrap_or(true)
}

fn mark_thread() {
    SENDS_ALERTS.set(true);
}

fn start(connection: Connection, shared: Arc<Shared>) -> Option<mpsc::Sender<Alert>> {
    let (sender, mut queue) = mpsc::channel::<Alert>(QUEUE);
    let work = move || {
        mark_thread();
        // The threads that look up names, too.
        let runtime =
            runtime::Builder::new_current_thread().enable_all().on_thread_start(mark_thread).build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            while let Some(alert) = queue.recv().await {
                send(&connection, &shared, alert).await;
            }
        });
    };
    thread::Builder::new().name("nuncio-alerts".to_owned()).spawn(work).ok().map(|_| sender)
}

async fn send(connection: &Connection, shared: &Shared, alert: Alert) {
    let Alert { id, title, mut text, _waiting } = alert;
    let lost = take(&mut shared.state().lost);
    if lost > 0 {
        text += &format!("\n(alerts before this one that did not reach nuncio: {lost})");
    }
    let event = SystemAlert { title, error: text, severity: AlertSeverity::Error };
    let body = body(&event, &DispatchOptions::default());
    let result: Accepted = connection.post(SystemAlert::ROUTE, false, body).await.into();
    if !result.accepted {
        shared.lose(&id, lost + 1);
    }
}

/// An error's text with its causes, if it shows them (`{:#}`), cut to so many characters.
pub(crate) fn describe(error: &dyn Display, chars: usize) -> String {
    let mut text = Bounded::new(chars);
    // An error only says that it was cut, or that the value has no more text.
    let _ = write!(text, "{error:#}");
    text.text
}

/// Text up to a number of characters.
pub(crate) struct Bounded {
    pub(crate) text: String,
    left: usize,
}

impl Bounded {
    pub(crate) fn new(chars: usize) -> Self {
        Self { text: String::new(), left: chars }
    }
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(c);
        }
        Ok(())
    }
}
