//! The accept loop: HTTP/1.1 connections, none of them for ever.
//!
//! `axum::serve` never drops a slow client; this does. A connection has a deadline for its request headers (which
//! also ends idle ones), there is a highest number of connections, and at the end those that are answering are
//! finished first.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use crate::clock::Clock;

/// How long the headers of a request may take to arrive; also how long a connection may be idle.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// How many connections there may be at once; further ones wait in the system's queue.
const CONNECTIONS: usize = 1024;
/// How many bytes of headers a request may have, and how many headers.
const HEADER_BYTES: usize = 32 * 1024;
const HEADERS: usize = 64;
/// How long answers that are under way at the end may take.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait when the system has no file descriptors left.
const BREATH: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until `stop`, then finishes what is being answered.
pub async fn serve(listener: TcpListener, router: Router, clock: &Clock, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = GracefulShutdown::new();
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = connections.watch(connection(stream, peer, router.clone()));
                tokio::spawn(async move {
                    // An error here is a client that broke off or spoke no HTTP: nobody is left to be told.
                    let _ = connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted just now");
                clock.sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    if clock.within(GRACE, connections.shutdown()).await.is_none() {
        tracing::warn!("some requests were not answered in time and were dropped");
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    // Answers are small and awaited: none of them shall wait for a second packet.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service)
}
