//! The sandbox: an in-memory Discord for `nuncio sandbox`, `nuncio demo` and the tests.
//!
//! It serves a network address, so callers use the same code as for the real Discord. It is an independent model: of
//! nuncio it knows only the clock and the type of secrets. If it shared more, it would share mistakes too.
//!
//! It listens on loopback only. Nothing here is safe for the open network.

use std::future::IntoFuture;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub mod discord;
mod snowflake;

pub use discord::Discord;
pub use snowflake::{InvalidSnowflake, Snowflake};

/// How long running requests may take to finish after serving is cancelled.
const GRACE: Duration = Duration::from_secs(2);

/// Serves `discord` (its API, its page) on `listener` until `stop` is cancelled, which also ends event streams and
/// hanging requests. The model stays in the handle and may be served again on another listener.
///
/// # Errors
/// If the listener fails.
pub async fn serve(discord: Discord, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
    serve_with(discord, Router::new(), listener, stop).await
}

/// [`serve`], with the routes of `more` next to the API and the page.
///
/// # Errors
/// If the listener fails.
pub async fn serve_with(
    discord: Discord,
    more: Router,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    if let Ok(address) = listener.local_addr() {
        discord.set_address(address);
    }
    let clock = discord.clock().clone();
    let router = more.merge(discord.router_until(stop.clone()));
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        served = serving.into_future() => served,
        () = async { stop.cancelled().await; clock.sleep(GRACE).await } => Ok(()),
    }
}
