//! `nuncio sandbox`: a local Discord and XTSystems, to try nuncio against or to test any other bot.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::cli::signals;
use crate::clock::Clock;
use crate::demo::Platform;
use crate::sandbox::discord::{Permissions, Setup};
use crate::sandbox::{self, Discord};
use crate::secret::Secret;

/// Serves a fresh sandbox Discord on loopback until Ctrl-C or SIGTERM, and an XTSystems beside it. The default port is
/// a free one; the default `permissions` of the bot are the usual ones. Once both are reachable, it prints one line of
/// JSON: everything a client needs to know.
///
/// # Errors
/// If the port is not available.
pub(super) async fn run(port: Option<u16>, permissions: Option<u64>) -> anyhow::Result<ExitCode> {
    let port = port.unwrap_or(0);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.with_context(|| {
        format!("cannot listen on 127.0.0.1:{port}; try another --port, or none for a free one")
    })?;
    let clock = Clock::system();
    let mut setup = Setup::default();
    setup.permissions = permissions.map_or(setup.permissions, Permissions::from_bits);
    let discord = Discord::new(clock.clone(), setup);
    let platform = Platform::new(Secret::new(hex::encode(rand::random::<[u8; 16]>())), clock);
    let api = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen on 127.0.0.1")?;
    let mut introduction = introduction(&discord, listener.local_addr()?);
    introduction["xtsystems"] =
        json!({"api": Platform::url(api.local_addr()?), "api_key": platform.key().expose()});
    super::print(&introduction.to_string());
    // Without that line no client knows the address.
    super::output::written()?;
    let stop = signals::for_terminal()?;
    let serving = tokio::spawn(platform.serve(api, stop.clone()));
    sandbox::serve(discord, listener, stop).await?;
    serving.await??;
    Ok(ExitCode::SUCCESS)
}

/// Everything a client needs to know about a Discord served at `address`.
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
