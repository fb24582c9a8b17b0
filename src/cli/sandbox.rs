//! `nuncio sandbox`: a Discord of one's own, for trying nuncio and for testing any other bot.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::sandbox::discord::Setup;
use crate::sandbox::{self, Discord};

/// Serves a fresh sandbox Discord on loopback until Ctrl-C or SIGTERM; on a free port if none is given. Prints one
/// line of JSON, once it can be reached: all that a client has to know.
///
/// # Errors
/// If the port cannot be had.
pub async fn run(port: Option<u16>) -> anyhow::Result<()> {
    let port = port.unwrap_or(0);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| {
        format!("cannot listen on 127.0.0.1:{port}; try another --port, or none for a free one")
    })?;
    let discord = Discord::new(Clock::system(), Setup::default());
    let introduction = introduction(&discord, listener.local_addr()?);
    writeln!(std::io::stdout(), "{introduction}").context("cannot write to standard output")?;
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let until_told = async {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        stop.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        served = sandbox::serve(discord, listener, stop.clone()) => Ok(served?),
        () = until_told => Ok(()),
    }
}

/// All that a client has to know of a Discord served at `address`.
fn introduction(discord: &Discord, address: SocketAddr) -> Value {
    let channels: Map<String, Value> =
        discord.channels().into_iter().map(|(name, id)| (name, json!(id))).collect();
    json!({
        "api": format!("http://{address}/api"),
        "gateway": format!("ws://{address}/gateway"),
        "page": format!("http://{address}/"),
        "application_id": discord.application_id(),
        "bot_token": discord.bot_token().expose(),
        "user_token": discord.user_token().expose(),
        "guild_id": discord.guild_id(),
        "channels": channels,
        "webhook_url": discord.webhook_url(address).expose(),
    })
}
