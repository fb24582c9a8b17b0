//! The accept loop: HTTP/1.1 connections with deadlines and a maximum number.
//!
//! `axum::serve` never drops a slow client; this does, by the deadlines of [`HttpConnection`]. At the maximum, the
//! connection whose client has kept us waiting longest is evicted. HTTP/2 is not supported. Shutdown finishes the
//! answers in progress first.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::{Service as _, service_fn};

use crate::hub::Finding;
use crate::ingress::connection::{CloseReason, HttpConnection, Watched};
use crate::ingress::framing::{FramingResult, HEAD_BYTES};
use crate::ingress::rejection::Rejection;
use crate::ingress::throttle::Throttled;
use crate::ingress::{InboundRequest, IngressState, probe};
use crate::model::{ClientAddress, ClientScheme};

/// Maximum number of open connections.
const CONNECTIONS: usize = 1024;
/// File descriptors reserved for everything else: the database, the logs, Discord.
const SPARE: usize = 128;
/// Maximum number of connections if that leaves none.
const FEW: usize = 64;
/// Maximum number of headers per request.
const HEADERS: usize = 64;
/// Time that answers in progress get at shutdown.
const GRACE: Duration = Duration::from_secs(5);
/// Pause after the system has run out of file descriptors.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListenerRole {
    /// Webhooks, health, and whatever has no listener of its own.
    Public,
    /// Operators and the API: no webhooks, and no probes.
    Admin,
}

/// The open connections.
struct Connections {
    slots: Arc<Semaphore>,
    open: Arc<Mutex<OpenConnections>>,
    graceful: GracefulShutdown,
}

#[derive(Default)]
struct OpenConnections {
    next: u64,
    connections: HashMap<u64, Arc<HttpConnection>>,
}

/// A connection's slot, released on drop.
struct ConnectionSlot {
    _permit: OwnedSemaphorePermit,
    open: Arc<Mutex<OpenConnections>>,
    number: u64,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        lock(&self.open).connections.remove(&self.number);
    }
}

fn lock(open: &Mutex<OpenConnections>) -> MutexGuard<'_, OpenConnections> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connections {
    fn new(most: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(most)),
            open: Arc::default(),
            graceful: GracefulShutdown::new(),
        }
    }

    /// Reserves a slot for `connection`. If none is free, the client that has kept us waiting longest is evicted.
    async fn reserve_slot(&self, connection: Arc<HttpConnection>) -> Option<ConnectionSlot> {
        let slots = Arc::clone(&self.slots);
        let permit = match Arc::clone(&slots).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                self.evict_one();
                slots.acquire_owned().await.ok()?
            }
        };
        let mut open = lock(&self.open);
        let number = open.next;
        open.next += 1;
        open.connections.insert(number, connection);
        Some(ConnectionSlot { _permit: permit, open: Arc::clone(&self.open), number })
    }

    fn evict_one(&self) {
        let open = lock(&self.open);
        let waiting = open.connections.values().filter_map(|one| Some((one.waiting_since()?, one)));
        // If every client is waiting for us, the next answer frees a slot.
        if let Some((_, longest)) = waiting.min_by_key(|(since, _)| *since) {
            longest.evict();
        }
    }
}

/// The maximum number of connections under this process's file limit: where that is only a thousand, as is usual,
/// connections must not use them all.
pub(super) fn most_connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files")?.split_ascii_whitespace().next()?.parse().ok());
    files.map_or(CONNECTIONS, |files: usize| files.saturating_sub(SPARE).clamp(FEW, CONNECTIONS))
}

/// How the connections are shared with a second listener: its own, and the rest.
pub(super) fn shared_connections(most: usize) -> (usize, usize) {
    let few = (most / 4).clamp(1, FEW);
    (few, most.saturating_sub(few).max(1))
}

/// Serves `router` on `listener` until `stop`, then finishes the answers in progress.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    ingress: &IngressState,
    role: ListenerRole,
    most: usize,
    stop: CancellationToken,
) {
    let clock = &ingress.0.clock;
    let connections = Connections::new(most);
    loop {
        let next = async {
            let (stream, peer) = listener.accept().await?;
            let connection = Arc::new(HttpConnection::new(clock.clone()));
            let slot = connections.reserve_slot(Arc::clone(&connection)).await;
            Ok::<_, std::io::Error>((stream, peer, connection, slot))
        };
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = next => accepted,
        };
        match accepted {
            Ok((stream, peer, connection, slot)) => {
                let serving = serve_connection(
                    &connections.graceful,
                    stream,
                    peer,
                    router.clone(),
                    connection,
                    ingress.clone(),
                    role,
                );
                tokio::spawn(async move {
                    serving.await;
                    drop(slot);
                });
            }
            Err(error) => {
                // Most likely there are no file descriptors left: evicting an idle connection frees one.
                connections.evict_one();
                ingress.report(
                    Finding::NotAccepted,
                    &format!("a connection could not be accepted: {error}"),
                    listener.local_addr().map_or(IpAddr::from([0; 4]), |address| address.ip()),
                );
                clock.sleep(RETRY_PAUSE).await;
            }
        }
    }
    drop(listener);
    if clock.within(GRACE, connections.graceful.shutdown()).await.is_none() {
        tracing::warn!(
            "nuncio stopped before it had answered every request, and closed those connections without an answer. A \
             sender that tries again loses nothing: an event that was already stored counts as a duplicate"
        );
    }
}

/// Serves HTTP on one connection until it closes.
fn serve_connection(
    graceful: &GracefulShutdown,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    connection: Arc<HttpConnection>,
    ingress: IngressState,
    role: ListenerRole,
) -> impl Future<Output = ()> + use<> {
    // Responses are small and awaited: Nagle's algorithm would delay them.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn({
        let (connection, ingress) = (Arc::clone(&connection), ingress.clone());
        move |request| answer(request, peer, router.clone(), Arc::clone(&connection), ingress.clone(), role)
    });
    let watched = Watched { stream, connection: Arc::clone(&connection) };
    let http = http1::Builder::new()
        // `HttpConnection` has its own deadlines, on our clock.
        .header_read_timeout(None)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(watched), service);
    let http = graceful.watch(http);
    async move {
        let end = tokio::select! {
            biased;
            end = connection.must_end() => end,
            done = http => {
                // Other errors are clients that disconnected: no one is left to receive a response.
                if done.is_err_and(|error| error.is_parse()) {
                    ingress.report(Finding::Malformed, "a request was refused: it is not HTTP/1.1", peer.ip());
                }
                return;
            }
        };
        if end == CloseReason::Slow {
            ingress.report(Finding::TooSlow, "a request was dropped: it did not arrive in time", peer.ip());
        }
    }
}

/// Handles one request, if its framing is trustworthy.
async fn answer(
    mut request: hyper::Request<Incoming>,
    peer: SocketAddr,
    router: Router,
    connection: Arc<HttpConnection>,
    ingress: IngressState,
    role: ListenerRole,
) -> Result<Response, std::convert::Infallible> {
    let arrival = connection.begin();
    let live = ingress.live();
    let client = ClientAddress::of(peer.ip(), request.headers(), &live.proxies);
    let mut response = match arrival.framing {
        FramingResult::Ambiguous(flaw) => {
            ingress.report(Finding::Malformed, &format!("a request was refused: {flaw}"), client.0);
            Rejection::Malformed.into_response()
        }
        FramingResult::Valid | FramingResult::ValidThenClose => {
            request.extensions_mut().insert(client);
            let scheme = ClientScheme::of(peer.ip(), request.headers(), &live.proxies);
            request.extensions_mut().insert(scheme);
            let route =
                |request| route(request, peer, client, router.clone(), ingress.clone(), arrival.whole_by);
            if role == ListenerRole::Admin {
                hand_on(request, peer, router).await?
            } else if live.counts(request.uri().path()) || probe::question_of(request.uri()).is_some() {
                live.throttle.before(service_fn(route)).call(request).await?
            } else {
                route(request).await?
            }
        }
    };
    if response.extensions().get::<Throttled>().is_some() {
        let sentence = "an address sends more requests than RATE_LIMIT allows";
        ingress.report(Finding::RateLimited, sentence, client.0);
    }
    if arrival.framing != FramingResult::Valid {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    connection.end();
    Ok(response)
}

/// Routes a request that passed the framing and throttle checks.
async fn route(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    client: ClientAddress,
    router: Router,
    ingress: IngressState,
    whole_by: Duration,
) -> Result<Response, std::convert::Infallible> {
    let live = ingress.live();
    if probe::question_of(request.uri()).is_some() {
        let left = whole_by.saturating_sub(ingress.0.clock.elapsed());
        let answered = ingress.0.clock.within(left, ingress.answer_probe(request, peer.ip(), client)).await;
        return Ok(match answered {
            Some(answered) => answered.unwrap_or_else(|| Rejection::NotFound.into_response()),
            None => Rejection::TooSlow.into_response(),
        });
    }
    if let Some(route) = live.route(request.method(), request.uri().path()) {
        let (head, body) = request.into_parts();
        return Ok(ingress.receive(route, InboundRequest { head, body, client, whole_by }).await);
    }
    hand_on(request, peer, router).await
}

/// Hands a request on to `router`.
async fn hand_on(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    mut router: Router,
) -> Result<Response, std::convert::Infallible> {
    let mut request: Request = request.map(axum::body::Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    router.call(request).await
}
