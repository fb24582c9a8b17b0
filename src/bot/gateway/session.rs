//! A gateway session, from connect to close.
//!
//! Serenity reconnects by itself: it resumes within milliseconds and logs in anew within five seconds. A session ends
//! when nuncio stops, when Discord closes it with a fatal code, when it logs in more often than allowed, or when it
//! hangs.

use std::sync::Arc;
use std::time::Duration;

use serenity::all::{
    Client, ClientBuilder, ConnectionStage, GatewayIntents, OnlineStatus, ShardManager, ShardRunnerMessage,
};
use serenity::gateway::GatewayError;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::bot::gateway::forward::Commands;
use crate::bot::gateway::listener::Listener;
use crate::bot::gateway::watch::Watch;
use crate::bot::gateway::{command, http};
use crate::bot::guild_cache::GuildCache;
use crate::bot::handlers::Handlers;
use crate::bot::{Ending, Shared, TOKEN_REFUSED};

/// How long serenity may take to close the connection.
const GOODBYE: Duration = Duration::from_secs(6);

/// Connects to `address` and stays connected until the session ends.
pub(in crate::bot) async fn run(shared: &Arc<Shared>, address: &str, stop: &CancellationToken) -> Ending {
    let closed = CancellationToken::new();
    let _closed = closed.clone().drop_guard();
    let guilds = GuildCache::default();
    let (watch, mut endings) = Watch::new(Arc::clone(shared), guilds.clone(), closed.clone());
    let handlers = Handlers::new(Arc::clone(shared), guilds);
    let mut client = match build(handlers, address, &watch, closed.clone()).await {
        Ok(client) => client,
        Err(why) => return Ending::lost(&why, false),
    };
    let (manager, gateway) = (Arc::clone(&client.shard_manager), Arc::clone(&client.ws_url));
    let ending = tokio::select! {
        biased;
        () = stop.cancelled() => Ending::Stopped,
        Some(why) = endings.recv() => Ending::lost(&why, watch.was_connected()),
        () = watch.draw() => Ending::Stopped,
        () = watch.guard(&manager, &gateway) => Ending::Stopped,
        ended = client.start() => classify(ended, watch.was_connected()),
    };
    if ending == Ending::Stopped {
        shared.stopping.cancel();
    }
    closed.cancel();
    hang_up(shared, manager, gateway, ending == Ending::Stopped).await;
    ending
}

/// Builds a client that can only connect to `address`. While building, serenity asks for the gateway itself and falls
/// back to the real one if that fails; it connects in `start` only, and by then our address has replaced that one.
async fn build(
    handlers: Handlers,
    address: &str,
    watch: &Watch,
    closed: CancellationToken,
) -> Result<Client, String> {
    let http = http::serenity(&handlers.shared.client).map_err(|failure| failure.to_string())?;
    let listener = Listener::new(handlers.clone(), closed.clone());
    let (commands, hearing) = Commands::around(command::framework(handlers, closed), listener.clone());
    watch.heard_by(hearing);
    let client = ClientBuilder::new_with_http(http, GatewayIntents::GUILDS)
        .framework(commands)
        .event_handler(listener)
        .event_handler(watch.clone())
        .raw_event_handler(watch.clone())
        .await
        .map_err(|error| http::sentence(&error))?;
    address.clone_into(&mut *client.ws_url.lock().await);
    Ok(client)
}

/// Classifies the error that serenity ended with.
fn classify(ended: serenity::Result<()>, was_connected: bool) -> Ending {
    let portal = |switch: &str| {
        Ending::Fatal(format!(
            "Discord closed the gateway for good ({switch}). The bot stays offline until nuncio is restarted; \
             messages are still sent"
        ))
    };
    match ended {
        Ok(()) => Ending::lost("Discord ended it", was_connected),
        Err(serenity::Error::Gateway(GatewayError::InvalidAuthentication)) => {
            Ending::Fatal(TOKEN_REFUSED.to_owned())
        }
        Err(serenity::Error::Gateway(GatewayError::DisallowedGatewayIntents)) => portal(
            "4014, disallowed intents: nuncio asks for none that need permission, so look at Developer Portal → Bot \
             → Privileged Gateway Intents and at what else uses this token",
        ),
        Err(serenity::Error::Gateway(GatewayError::InvalidGatewayIntents)) => {
            portal("4013, invalid intents: this version of nuncio is too old for Discord, update it")
        }
        Err(error) => Ending::lost(&http::sentence(&error), was_connected),
    }
}

/// Closes the connection in whatever state it is.
///
/// `shutdown_all` closes properly, but after any new login it returns at once and leaves the shard running. So the
/// shard also gets direct messages: to close, and then to send something, which fails on a closed connection and ends
/// the shard without another attempt. If Discord has closed the connection already, `shutdown_all` has the shard wait
/// for its close frame forever in a busy loop, which blocks the whole process: so the shard is first asked to send
/// something, and gets no further if it cannot. The address is cleared, so that a login in progress connects nowhere.
/// Only at the end of the process is the close worth waiting for: it may take five seconds.
async fn hang_up(
    shared: &Shared,
    manager: Arc<ShardManager>,
    gateway: Arc<Mutex<String>>,
    is_farewell: bool,
) {
    let _ = shared.clock.within(Duration::from_secs(1), async { gateway.lock().await.clear() }).await;
    let (mut shards, mut is_connected) = (Vec::new(), false);
    for runner in manager.runners.lock().await.values() {
        shards.push(runner.runner_tx.clone());
        is_connected |= runner.stage == ConnectionStage::Connected;
    }
    let end = || {
        for shard in &shards {
            shard.send_to_shard(ShardRunnerMessage::Close(1000, None));
            shard.send_to_shard(ShardRunnerMessage::Message("".into()));
        }
    };
    if is_connected && is_farewell {
        for shard in &shards {
            shard.send_to_shard(ShardRunnerMessage::SetStatus(OnlineStatus::Online));
        }
        let _ = shared.clock.within(GOODBYE, manager.shutdown_all()).await;
        end();
    } else {
        end();
        tokio::spawn(async move { manager.shutdown_all().await });
    }
}

#[cfg(test)]
mod tests {

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::*;
    use crate::bot::{Bot, CommandDeps};
    use crate::clock::Clock;
    use crate::config::DiscordBase;
    use crate::discord::Access;
    use crate::hub::Hub;
    use crate::model::ping::Pings;
    use crate::model::route::RouteMap;
    use crate::secret::Secret;
    use crate::store::{HintSender, Store};
    use crate::xtsystems::Registrar;

    // Serenity, left alone, falls back to the real gateway here.
    #[tokio::test]
    async fn a_connection_can_only_lead_where_it_was_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/api", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let refusal = "HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(refusal.as_bytes()).await;
            }
        });

        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let (hints, _received) = HintSender::channel();
        let store = Store::open(&folder.path().join("nuncio.db"), clock.clone(), hints).await.unwrap();
        let hub =
            Hub::new(store.clone(), clock.clone(), RouteMap::default(), Pings::default()).await.unwrap();
        let rest = Access::new(DiscordBase::parse(&base).unwrap(), Some(Secret::new("a.b.c")), clock.clone())
            .client()
            .cloned()
            .unwrap();
        let errands = CommandDeps {
            platform: None,
            registrar: Registrar::new(None, base, Some(Secret::new("s"))),
            ticket_url: None,
        };
        let shared = Bot::new(rest, Vec::new(), errands, store, hub, clock).shared;

        let closed = CancellationToken::new();
        let guilds = GuildCache::default();
        let (watch, _endings) = Watch::new(Arc::clone(&shared), guilds.clone(), closed.clone());
        let handlers = Handlers::new(Arc::clone(&shared), guilds);
        let client = build(handlers, "ws://127.0.0.1:9/gateway", &watch, closed).await.unwrap();
        assert_eq!(*client.ws_url.lock().await, "ws://127.0.0.1:9/gateway");
        assert!(client.http.ratelimiter.is_none(), "with its rate limiter on, serenity ignores the base");
        assert_eq!(client.http.proxy, Some(shared.client.base().proxy()));
        server.abort();
    }
}
