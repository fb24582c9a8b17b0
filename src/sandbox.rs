//! A Discord of our own: `nuncio sandbox`, the stage of `nuncio demo`, and what our tests talk to.
//!
//! It stands at a network address, so whoever talks to it uses the code that talks to the real one. It is an
//! independent model: it must not know anything of nuncio's hub, its deliveries or its Discord client, or a mistake
//! made there would be made here as well.
//!
//! It listens on loopback only; nothing here is fit for the open network.

use std::future::IntoFuture;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub mod discord;
mod platform;
mod stage;
mod storm;
pub mod story;
mod xtsystems;

pub use discord::Discord;
pub use platform::{Platform, PlatformFault, Told};
pub use stage::Stage;
pub use xtsystems::{Answer, XtSystems};

/// How long requests under way may take to finish once serving has been cancelled.
const GRACE: Duration = Duration::from_secs(2);

/// Serves `discord` (its API, its page) on `listener` until `stop` is cancelled; event streams and requests that
/// were told to hang end with it. The model lives on in the handle and may be served again, elsewhere.
///
/// # Errors
/// If the listener fails.
pub async fn serve(discord: Discord, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
    serve_with(discord, Router::new(), listener, stop).await
}

/// [`serve`], with `more` beside the API and the page.
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
        discord.stands_at(address);
    }
    let clock = discord.clock().clone();
    let router = more.merge(discord.router_until(stop.clone()));
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        served = serving.into_future() => served,
        () = async { stop.cancelled().await; clock.sleep(GRACE).await } => Ok(()),
    }
}
