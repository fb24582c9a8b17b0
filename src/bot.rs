//! The Discord bot: the gateway connection and the slash commands.
//!
//! Serenity handles the connection, poise registers and parses the commands; only `bot/gateway/` names either. What
//! comes in becomes an `Interaction` of our own, and its handler answers through a `Responder`. Deliveries do not pass
//! through here: they go through `dispatch`, whether the bot is connected or not. Invariant: whatever happens to the
//! connection, the receiver keeps running, and no host but Discord's (as configured) ever receives the token.
//!
//! Buttons, menus and dialogs are in `bot/component.rs`, each command family has a file in `bot/command`, paged lists
//! are in `bot/list.rs`.

mod answer;
mod command;
mod component;
mod custom_id;
mod deps;
mod gateway;
mod guild;
mod guild_arrival;
mod guild_cache;
mod handlers;
mod identify;
mod interaction;
mod kinds;
mod lenient;
mod list;
mod mute_answer;
mod mute_question;
mod permission;
mod person;
mod portal;
mod refusal;
mod register;
mod reply;
mod responder;
mod rival;
mod router;
mod snapshot;
mod sync;
mod text;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bot::identify::{APART, Ledger};
use crate::bot::rival::Rival;
use crate::clock::Clock;
use crate::discord::{Client, DiscordFailure};
use crate::hub::{Condition, GatewayState, Hub};
use crate::model::{Snowflake, schedule};
use crate::outgoing::load_certificates;
use crate::store::Store;

pub use deps::CommandDeps;
pub use register::commands;
pub use snapshot::{ChannelState, Snapshot};
pub use sync::CommandDifferences;

/// Maximum backoff between connection attempts: when Discord is back, buttons work within seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Time that clicks in progress get to send their final reply at shutdown.
const LAST_WORD: Duration = Duration::from_secs(2);
/// Discord logins kept in reserve for people who start other programs with this token.
pub const RESERVE: u32 = 10;

const TOKEN_REFUSED: &str = "Discord refused DISCORD_TOKEN: the bot is offline and nothing is sent, everything is \
     kept. Put a valid token into .env (Developer Portal → Bot → Reset Token) and restart";

/// The bot, ready to connect.
pub struct Bot {
    shared: Arc<Shared>,
}

/// State shared by all connections of one bot.
struct Shared {
    client: Client,
    /// Guilds where commands are registered; empty means globally.
    guilds: Vec<Snowflake>,
    errands: CommandDeps,
    hub: Hub,
    clock: Clock,
    ledger: Ledger,
    /// Cancelled at shutdown: no new work begins.
    stopping: CancellationToken,
    /// Clicks that have not sent their final reply yet.
    clicks: TaskTracker,
    /// Whether command registration has begun.
    registered: AtomicBool,
    rival: Arc<Rival>,
}

/// Why a connection, or the attempt to make one, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ending {
    /// The process is stopping.
    Stopped,
    /// A retry cannot help. Holds a sentence for the operator.
    Fatal(String),
    /// A retry may help. `why` begins a sentence; `was_connected` is true if there was a connection.
    Lost { why: String, was_connected: bool },
}

impl Ending {
    fn lost(why: &str, was_connected: bool) -> Self {
        Self::Lost { why: format!("The bot's connection to Discord was lost: {why}"), was_connected }
    }
}

impl Bot {
    /// Creates a bot with `client`'s token and commands in `guilds` (empty: globally).
    #[must_use]
    pub fn new(
        client: Client,
        guilds: Vec<Snowflake>,
        errands: CommandDeps,
        store: Store,
        hub: Hub,
        clock: Clock,
    ) -> Self {
        hub.set_gateway(GatewayState::Starting);
        Self {
            shared: Arc::new(Shared {
                ledger: Ledger::new(store, clock.clone()),
                client,
                guilds,
                errands,
                hub,
                rival: Arc::new(Rival::new(clock.clone())),
                clock,
                stopping: CancellationToken::new(),
                clicks: TaskTracker::new(),
                registered: AtomicBool::new(false),
            }),
        }
    }

    /// Keeps the bot connected until `stop`, or until a retry cannot help. Returns within seven seconds of `stop`:
    /// clicks send their final reply while the connection closes.
    pub async fn run(self, stop: CancellationToken) {
        let shared = Arc::clone(&self.shared);
        let last_words = async {
            shared.stopping.cancelled().await;
            shared.clicks.close();
            let _ = shared.clock.within(LAST_WORD, shared.clicks.wait()).await;
        };
        let goodbye = async {
            self.stay(stop).await;
            shared.stopping.cancel();
        };
        tokio::join!(goodbye, last_words);
    }

    async fn stay(self, stop: CancellationToken) {
        load_certificates().await;
        let shared = self.shared;
        let mut failures = 0;
        loop {
            let approached = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                approached = await_login(&shared) => approached,
            };
            let ending = match approached {
                Ok(address) => gateway::session::run(&shared, &address, &stop).await,
                Err(ending) => ending,
            };
            match ending {
                Ending::Stopped => return,
                Ending::Fatal(sentence) => return give_up(&shared, &sentence),
                Ending::Lost { why, was_connected } => {
                    failures = if was_connected { 1 } else { failures + 1 };
                    lose(&shared, &why);
                }
            }
            let pause = schedule::backoff(failures, rand::random()).min(LONGEST_WAIT);
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = shared.clock.sleep(pause) => {}
            }
        }
    }
}

/// Looks up the gateway's URL and waits until a login is allowed.
async fn await_login(shared: &Shared) -> Result<String, Ending> {
    if shared.hub.conditions().holds(Condition::TokenRefused) {
        return Err(Ending::Fatal(TOKEN_REFUSED.to_owned()));
    }
    let gateway = match shared.client.gateway().await {
        Ok(gateway) => gateway,
        Err(failure) if failure.status == Some(401) => return Err(Ending::Fatal(TOKEN_REFUSED.to_owned())),
        Err(failure) => {
            return Err(Ending::Lost { why: unreachable(shared, &failure), was_connected: false });
        }
    };
    if !shared.client.base().may_lead_to(&gateway.url) {
        return Err(Ending::Fatal(format!(
            "DISCORD_API_URL returned {:?} as the gateway. That address is not encrypted, or DISCORD_API_URL is on \
             this machine and it is not. nuncio does not send the token there: the bot stays offline, commands and \
             buttons do not work. Set DISCORD_API_URL to Discord, or to a proxy whose gateway is encrypted",
            gateway.url
        )));
    }
    if gateway.shards > 1 {
        tracing::warn!(
            "Discord recommends {} connections for this bot, nuncio makes one: beyond 2500 servers Discord refuses that",
            gateway.shards
        );
    }
    let limit = gateway.session_start_limit;
    let (mut pause, lately) = shared.ledger.wait().await;
    if limit.remaining <= RESERVE {
        pause = pause.max(limit.resets_after());
    }
    if pause > APART {
        let sentence = format!(
            "The bot has logged in {lately} times within the last hour, restarts included ({} logins are left at Discord). \
             The next login waits {} s: Discord resets the token of a bot that logs in too often. Buttons and commands \
             work after that",
            limit.remaining,
            pause.as_secs() + 1
        );
        if shared.hub.conditions().raise(Condition::GatewayDown, sentence.clone()) {
            tracing::warn!("{sentence}");
        }
    }
    shared.clock.sleep(pause).await;
    shared.ledger.record().await;
    Ok(gateway.url)
}

/// Why the gateway lookup failed, as the beginning of a sentence.
fn unreachable(shared: &Shared, failure: &DiscordFailure) -> String {
    let host = shared.client.base().host();
    match failure.status {
        None => format!("Discord ({host}) cannot be reached: {failure}. Events are kept and sent later"),
        Some(status) => format!("Discord ({host}) answered {status} when nuncio asked for its gateway"),
    }
}

/// Reports that the bot is offline for now.
fn lose(shared: &Shared, why: &str) {
    if let GatewayState::Connected { .. } = shared.hub.gateway() {
        shared.hub.set_gateway(GatewayState::Lost { since: shared.clock.now() });
    }
    let sentence = format!(
        "{why}. Commands and buttons do not work until the bot is connected again; nuncio keeps trying"
    );
    if shared.hub.conditions().raise(Condition::GatewayDown, sentence.clone()) {
        tracing::warn!("{sentence}");
    }
}

/// Reports that the bot stays offline. The receiver keeps running.
fn give_up(shared: &Shared, sentence: &str) {
    let conditions = shared.hub.conditions();
    conditions.clear(Condition::GatewayDown);
    // Whichever component first noticed the refused token has already logged it.
    let is_told = conditions.holds(Condition::TokenRefused);
    if sentence == TOKEN_REFUSED {
        conditions.raise(Condition::TokenRefused, sentence);
    } else {
        conditions.raise(Condition::GatewayDown, sentence);
    }
    if !is_told {
        tracing::error!("{sentence}");
    }
    shared.hub.set_gateway(GatewayState::Stopped);
}
