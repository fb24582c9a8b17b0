//! Connection state: what a connection is waiting for, its deadline, and a stream wrapper that observes its bytes.
//!
//! Deadlines run on our clock: [`HEAD`] for a request's head and [`REQUEST`] for the whole request, both from
//! its first byte, and [`IDLE`] between requests. Our own work (responding) has no deadline here. Knows no HTTP
//! beyond the [`Framing`].

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::ingress::framing::{Framing, FramingResult};

/// Deadline for the head of a request, from its first byte.
pub(super) const HEAD: Duration = Duration::from_secs(10);
/// Deadline for a whole request, from its first byte.
pub(super) const REQUEST: Duration = Duration::from_secs(15);
/// Maximum idle time between requests.
pub(super) const IDLE: Duration = Duration::from_secs(60);
/// The body's reader responds to an expired [`REQUEST`] itself; only if there is no reader, the connection is cut.
const MARGIN: Duration = Duration::from_secs(2);

/// The state of one connection.
#[derive(Debug)]
pub(super) struct HttpConnection {
    clock: Clock,
    state: Mutex<State>,
    /// Notified when the deadline moves closer than the one being awaited.
    nearer: Notify,
    evicted: CancellationToken,
}

#[derive(Debug)]
struct State {
    framing: Framing,
    /// Number of requests handed on.
    requests: u64,
    is_answering: bool,
    /// When the current wait began: for a request, or for the rest of one. By [`Clock::elapsed`].
    since: Duration,
    /// When the task that waits in `must_end` wakes next.
    wakes_at: Duration,
}

/// What a connection waits for from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AwaitedPart {
    Request,
    Head,
    Body,
}

/// A request that is being handed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// Whether it may be answered.
    pub(super) framing: FramingResult,
    /// Deadline for the whole request, by [`Clock::elapsed`].
    pub(super) whole_by: Duration,
}

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// No request within [`IDLE`].
    Idle,
    /// A request did not arrive in time.
    Slow,
    /// Another connection needs its slot.
    Evicted,
}

impl State {
    fn waits_for(&self) -> Option<AwaitedPart> {
        let framing = &self.framing;
        match (self.is_answering, framing.is_between_requests(), framing.is_in_head()) {
            // The next, pipelined request may wait until the current one is answered.
            (true, true, _) | (true, _, true) => None,
            (_, true, _) => Some(AwaitedPart::Request),
            (_, _, true) => Some(AwaitedPart::Head),
            _ => Some(AwaitedPart::Body),
        }
    }

    fn deadline(&self) -> Option<Duration> {
        let span = match self.waits_for()? {
            AwaitedPart::Request => IDLE,
            AwaitedPart::Head => HEAD,
            AwaitedPart::Body => REQUEST + MARGIN,
        };
        Some(self.since + span)
    }
}

impl HttpConnection {
    pub(super) fn new(clock: Clock) -> Self {
        let now = clock.elapsed();
        let state = State {
            framing: Framing::default(),
            requests: 0,
            is_answering: false,
            since: now,
            wakes_at: now + IDLE,
        };
        Self { clock, state: Mutex::new(state), nearer: Notify::new(), evicted: CancellationToken::new() }
    }

    /// Marks the start of a request: its head is complete, and it is handed on.
    pub(super) fn begin(&self) -> Arrival {
        let mut state = self.lock();
        let framing = state.framing.result(state.requests);
        state.requests += 1;
        state.is_answering = true;
        Arrival { framing, whole_by: state.since + REQUEST }
    }

    /// Marks the request as answered.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.is_answering = false;
        state.since = self.clock.elapsed();
        self.notify_if_nearer(&mut state);
    }

    /// Since when we have been waiting for the client; `None` while the client waits for us.
    pub(super) fn waiting_since(&self) -> Option<Duration> {
        let state = self.lock();
        state.waits_for().map(|_| state.since)
    }

    /// Closes the connection, because another one needs its slot.
    pub(super) fn evict(&self) {
        self.evicted.cancel();
    }

    /// Waits until the connection must be closed.
    pub(super) async fn must_end(&self) -> CloseReason {
        loop {
            let wakes_at = {
                let mut state = self.lock();
                let now = self.clock.elapsed();
                match state.deadline() {
                    Some(deadline) if deadline <= now => {
                        let is_idle = state.waits_for() == Some(AwaitedPart::Request);
                        return if is_idle { CloseReason::Idle } else { CloseReason::Slow };
                    }
                    deadline => state.wakes_at = deadline.unwrap_or(now + IDLE),
                }
                state.wakes_at
            };
            tokio::select! {
                biased;
                () = self.evicted.cancelled() => return CloseReason::Evicted,
                () = self.nearer.notified() => {}
                () = self.clock.sleep_until_elapsed(wakes_at) => {}
            }
        }
    }

    fn received(&self, bytes: &[u8]) {
        let mut state = self.lock();
        let waited_for = state.waits_for();
        let was_between = state.framing.is_between_requests();
        state.framing.feed(bytes);
        // A request's deadline counts from its first byte; if that came while another request was being answered,
        // from that answer on.
        if was_between && waited_for.is_some() && !state.framing.is_between_requests() {
            state.since = self.clock.elapsed();
        }
        self.notify_if_nearer(&mut state);
    }

    fn notify_if_nearer(&self, state: &mut State) {
        if let Some(deadline) = state.deadline().filter(|deadline| *deadline < state.wakes_at) {
            state.wakes_at = deadline;
            self.nearer.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that shows its incoming bytes to its [`HttpConnection`].
pub(super) struct Watched<S> {
    pub(super) stream: S,
    pub(super) connection: std::sync::Arc<HttpConnection>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.connection.received(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
