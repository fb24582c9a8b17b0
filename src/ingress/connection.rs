//! One connection: what it is doing, how long it may go on doing it, and the bytes that pass through.
//!
//! Its deadlines run on our clock: [`HEAD`] for the head of a request, [`REQUEST`] for the whole of it, both from
//! its first byte, and [`IDLE`] between requests. What we do ourselves (answering) has none here. Knows no HTTP
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
use crate::ingress::framing::{Framing, Verdict};

/// How long the head of a request may take to arrive, from its first byte.
pub(super) const HEAD: Duration = Duration::from_secs(10);
/// How long a whole request may take to arrive, from its first byte.
pub(super) const REQUEST: Duration = Duration::from_secs(15);
/// How long a connection may wait for its next request.
pub(super) const IDLE: Duration = Duration::from_secs(60);
/// Whoever reads a body answers [`REQUEST`] being over itself; only if nobody does, the connection is cut.
const MARGIN: Duration = Duration::from_secs(2);

/// What one connection is doing.
#[derive(Debug)]
pub(super) struct Connection {
    clock: Clock,
    state: Mutex<State>,
    /// The deadline has come nearer than the one that is waited for.
    nearer: Notify,
    evicted: CancellationToken,
}

#[derive(Debug)]
struct State {
    framing: Framing,
    /// How many requests have been handed on.
    requests: u64,
    is_answering: bool,
    /// When the present wait began: for a request, or for the rest of one. By [`Clock::elapsed`].
    since: Duration,
    /// When the watch will look again.
    looks_at: Duration,
}

/// What a connection waits for the client to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Request,
    Head,
    Body,
}

/// A request that is being handed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// What may be done with it.
    pub(super) verdict: Verdict,
    /// By when it must be whole, by [`Clock::elapsed`].
    pub(super) whole_by: Duration,
}

/// Why a connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing has come for [`IDLE`].
    Idle,
    /// A request has not arrived in time.
    Slow,
    /// Its place is needed.
    Evicted,
}

impl State {
    fn waits_for(&self) -> Option<Waiting> {
        let framing = &self.framing;
        match (self.is_answering, framing.is_between_requests(), framing.is_in_head()) {
            // What follows the present request may wait until that is answered.
            (true, true, _) | (true, _, true) => None,
            (_, true, _) => Some(Waiting::Request),
            (_, _, true) => Some(Waiting::Head),
            _ => Some(Waiting::Body),
        }
    }

    fn deadline(&self) -> Option<Duration> {
        let span = match self.waits_for()? {
            Waiting::Request => IDLE,
            Waiting::Head => HEAD,
            Waiting::Body => REQUEST + MARGIN,
        };
        Some(self.since + span)
    }
}

impl Connection {
    pub(super) fn new(clock: Clock) -> Self {
        let now = clock.elapsed();
        let state = State {
            framing: Framing::default(),
            requests: 0,
            is_answering: false,
            since: now,
            looks_at: now + IDLE,
        };
        Self { clock, state: Mutex::new(state), nearer: Notify::new(), evicted: CancellationToken::new() }
    }

    /// A request's head is whole, and it is handed on.
    pub(super) fn begin(&self) -> Arrival {
        let mut state = self.lock();
        let verdict = state.framing.verdict(state.requests);
        state.requests += 1;
        state.is_answering = true;
        Arrival { verdict, whole_by: state.since + REQUEST }
    }

    /// It is answered.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.is_answering = false;
        state.since = self.clock.elapsed();
        self.tell_if_nearer(&mut state);
    }

    /// Since when the client has kept us waiting; `None` while we keep it waiting.
    pub(super) fn waiting_since(&self) -> Option<Duration> {
        let state = self.lock();
        state.waits_for().map(|_| state.since)
    }

    /// Ends it: its place is needed.
    pub(super) fn evict(&self) {
        self.evicted.cancel();
    }

    /// Waits until it must be closed.
    pub(super) async fn must_end(&self) -> End {
        loop {
            let looks_at = {
                let mut state = self.lock();
                let now = self.clock.elapsed();
                match state.deadline() {
                    Some(deadline) if deadline <= now => {
                        let is_idle = state.waits_for() == Some(Waiting::Request);
                        return if is_idle { End::Idle } else { End::Slow };
                    }
                    deadline => state.looks_at = deadline.unwrap_or(now + IDLE),
                }
                state.looks_at
            };
            tokio::select! {
                biased;
                () = self.evicted.cancelled() => return End::Evicted,
                () = self.nearer.notified() => {}
                () = self.clock.sleep_until_elapsed(looks_at) => {}
            }
        }
    }

    fn received(&self, bytes: &[u8]) {
        let mut state = self.lock();
        let waited_for = state.waits_for();
        let was_between = state.framing.is_between_requests();
        state.framing.feed(bytes);
        // The time of a request counts from its first byte. While another one is answered, from that answer on.
        if was_between && waited_for.is_some() && !state.framing.is_between_requests() {
            state.since = self.clock.elapsed();
        }
        self.tell_if_nearer(&mut state);
    }

    fn tell_if_nearer(&self, state: &mut State) {
        if let Some(deadline) = state.deadline().filter(|deadline| *deadline < state.looks_at) {
            state.looks_at = deadline;
            self.nearer.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose incoming bytes are shown to its [`Connection`].
pub(super) struct Watched<S> {
    pub(super) stream: S,
    pub(super) connection: std::sync::Arc<Connection>,
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
