//! The sandbox Discord: the handle used by tests, the demo and `nuncio sandbox`.
//!
//! It holds a pure [`model`] behind one lock, the checks that run before the model sees a request ([`limits`],
//! [`faults`]), and a thin HTTP layer (`rest`, `page`). Every change of the model is sent to subscribers as the
//! dispatch that Discord's gateway would send.
//!
//! The lock is never held across an await.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};
use crate::sandbox::Snowflake;
use crate::secret::Secret;

mod dialect;
pub mod faults;
pub mod gateway;
mod interaction;
mod invite;
pub mod ledger;
pub mod limits;
mod messages;
pub mod model;
mod page;
mod rest;
mod settings;
mod setup;
mod token;
pub mod validate;
mod webhook;

pub use dialect::Dialect;
pub use faults::{Fault, Faults};
pub use gateway::Gateway;
pub use ledger::{Counts, Exchange, LoggedRequest};
pub use limits::{Allowance, RateLimits};
pub use model::{Dispatch, Permission, Permissions};
pub use setup::{Person, Setup};

use gateway::Sessions;
use ledger::Ledger;
use limits::Limiter;
use model::World;
use token::Tokens;

/// Dispatches that a subscriber may lag behind before it has to reload: more than a storm of the demo produces.
const DISPATCHES_KEPT: usize = 1024;

/// An in-memory Discord. Clones share one state.
#[derive(Clone)]
pub struct Discord(Arc<Inner>);

struct Inner {
    clock: Clock,
    /// The clock of gateway heartbeats.
    pulse: Clock,
    faults: Faults,
    guild: Snowflake,
    application: Snowflake,
    bot_token: Secret,
    user_token: Secret,
    webhook: (Snowflake, Secret),
    state: Mutex<State>,
    dispatches: broadcast::Sender<Arc<Dispatch>>,
    /// Increases with each change of the state; waiters watch it.
    version: watch::Sender<u64>,
    /// Extra panels on the page, by their key in the state.
    panels: Mutex<BTreeMap<&'static str, Value>>,
}

/// Everything that one request may read and change.
struct State {
    world: World,
    tokens: Tokens,
    limiter: Limiter,
    ledger: Ledger,
    gateway: Sessions,
    dialect: Dialect,
    address: SocketAddr,
}

impl Discord {
    /// A Discord with the content of `setup` and fresh tokens. All its times and limits use `clock`.
    #[must_use]
    pub fn new(clock: Clock, setup: Setup) -> Self {
        let now = clock.now();
        let limits = setup.limits.clone();
        let gateway = Sessions::new(setup.privileged_intents);
        let place = setup.webhook.clone();
        let mut world = setup.build(now);
        let webhook = webhook::made_in(&mut world, &place, now);
        let mut tokens = Tokens::default();
        let bot_token = tokens.mint(world.bot(), token::Kind::Bot);
        let people: Vec<Secret> =
            world.people().map(|person| tokens.mint(person, token::Kind::Person)).collect();
        let user_token = people.into_iter().next().unwrap_or_else(|| Secret::new(""));
        Self(Arc::new(Inner {
            faults: Faults::new(clock.clone()),
            pulse: Clock::system(),
            guild: world.first_guild(),
            application: world.application(),
            bot_token,
            user_token,
            webhook,
            state: Mutex::new(State {
                world,
                tokens,
                limiter: Limiter::new(limits),
                ledger: Ledger::default(),
                gateway,
                dialect: Dialect::default(),
                address: SocketAddr::from(([127, 0, 0, 1], 0)),
            }),
            dispatches: broadcast::Sender::new(DISPATCHES_KEPT),
            version: watch::Sender::new(0),
            panels: Mutex::default(),
            clock,
        }))
    }

    /// All HTTP routes: the API under `/api` and `/api/v10`, the gateway at `/gateway`, the page at `/`, its data
    /// under `/sandbox`.
    pub fn router(&self) -> axum::Router {
        self.router_until(CancellationToken::new())
    }

    /// [`Discord::router`] whose event streams and hanging answers end when `stop` is cancelled.
    pub fn router_until(&self, stop: CancellationToken) -> axum::Router {
        let face = Face { discord: self.clone(), stop };
        rest::router().merge(gateway::router()).merge(page::router()).with_state(face)
    }

    /// The clock that all times and limits use.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The bot's token, without the `Bot ` prefix.
    #[must_use]
    pub fn bot_token(&self) -> &Secret {
        &self.0.bot_token
    }

    /// The token of the first person (alice), as she sends it: without a prefix.
    #[must_use]
    pub fn user_token(&self) -> &Secret {
        &self.0.user_token
    }

    /// The token of the user with this user name.
    #[must_use]
    pub fn token_of(&self, username: &str) -> Option<Secret> {
        let state = self.state();
        let person = state.world.user_named(username)?;
        state.tokens.of(person)
    }

    /// The id of the bot's application; its bot user has this id too.
    #[must_use]
    pub fn application_id(&self) -> Snowflake {
        self.0.application
    }

    /// The id of the first guild.
    #[must_use]
    pub fn guild_id(&self) -> Snowflake {
        self.0.guild
    }

    /// The id of the channel with this name (without `#`), if it exists.
    #[must_use]
    pub fn channel_id(&self, name: &str) -> Option<Snowflake> {
        self.state().world.channel_named(name)
    }

    /// The id of the person or bot with this user name.
    #[must_use]
    pub fn user_id(&self, username: &str) -> Option<Snowflake> {
        self.state().world.user_named(username)
    }

    /// The id of the role with this name in the first guild.
    #[must_use]
    pub fn role_id(&self, name: &str) -> Option<Snowflake> {
        let state = self.state();
        let guild = state.world.guilds().next()?;
        guild.roles.iter().find(|role| role.name == name).map(|role| role.id)
    }

    /// Names and ids of all channels, in display order.
    #[must_use]
    pub fn channels(&self) -> Vec<(String, Snowflake)> {
        self.state().world.channels().map(|channel| (channel.name.clone(), channel.id)).collect()
    }

    /// Waits until `seen` returns `Some`; calls it again after each request and each change. It never sleeps: put a
    /// timeout around it.
    pub async fn wait_until<T>(&self, mut seen: impl FnMut(&Self) -> Option<T>) -> T {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            if let Some(found) = seen(self) {
                return found;
            }
            // This handle keeps the sender alive, so this cannot fail while it waits.
            let _ = changes.changed().await;
        }
    }

    /// A counter that increases with each request and each change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// Subscribes to dispatches from now on, as the gateway would send them.
    #[must_use]
    pub fn dispatches(&self) -> broadcast::Receiver<Arc<Dispatch>> {
        self.0.dispatches.subscribe()
    }

    /// Recent API requests and their answers, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Arc<LoggedRequest>> {
        self.state().ledger.requests()
    }

    /// Records complete exchanges from now on, until [`Discord::take_exchanges`] takes them.
    pub fn keep_exchanges(&self) {
        self.state().ledger.keep_exchanges();
    }

    /// The exchanges since the last call, oldest first, without those that a fault affected.
    #[must_use]
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        self.state().ledger.take_exchanges()
    }

    /// Counts of requests by outcome, and of messages created.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state().ledger.counts()
    }

    /// The fault injection of the API.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Sets the rate limits and resets all counters.
    pub fn set_rate_limits(&self, limits: RateLimits) {
        self.state().limiter = Limiter::new(limits);
    }

    /// Sets how long a nonce is remembered; the default is 120 s.
    pub fn set_nonce_window(&self, window: Duration) {
        self.state().world.nonces.set_window(window);
    }

    /// Adds a text channel to the first guild.
    pub fn add_channel(&self, name: &str) -> Snowflake {
        self.change(|world, now| world.add_channel(self.0.guild, name, "", now))
    }

    /// Posts `body` as a user or the bot, bypassing the API and its limits. Returns whether it was allowed.
    pub fn post_as(&self, author: Snowflake, channel: Snowflake, body: &Value) -> bool {
        let Ok(draft) = validate::draft(body) else { return false };
        self.change(|world, now| world.post(author, channel, draft, now).is_ok())
    }

    /// Deletes a channel with its messages, as a member with the permission would. Returns whether it existed.
    pub fn delete_channel(&self, channel: Snowflake) -> bool {
        self.change(|world, _| world.delete_channel(channel).is_ok())
    }

    /// Revokes the bot's token: every request with it is answered 401, and its sessions are closed.
    pub fn revoke_token(&self) {
        self.with(|state, now| {
            state.tokens.revoke(&self.0.bot_token);
            state.gateway.expel(self.0.application, now);
        });
    }

    /// Bans every caller's address, as Discord's edge does after too many invalid requests.
    pub fn ban_for(&self, span: Duration) {
        let now = self.clock().elapsed();
        self.with(|state, _| state.limiter.ban(span, now));
    }

    /// Makes a revoked bot token valid again.
    pub fn restore_token(&self) {
        self.state().tokens.restore(&self.0.bot_token, self.0.application);
        self.bump();
    }

    /// Replaces a member's roles.
    pub fn set_roles(&self, username: &str, roles: &[&str]) {
        let (Some(user), guild) = (self.user_id(username), self.guild_id()) else { return };
        let roles = roles.iter().filter_map(|role| self.role_id(role)).collect();
        self.change(|world, now| {
            world.add_member(guild, user, roles, now);
            world.dispatch_member(guild, user);
        });
    }

    /// Sets whether everybody may mention a role, or only members who may mention all roles.
    pub fn set_mentionable(&self, role: &str, mentionable: bool) {
        let (Some(role), guild) = (self.role_id(role), self.guild_id()) else { return };
        self.change(|world, _| world.set_mentionable(guild, role, mentionable));
    }

    /// Distorts interactions from now on: in what the application receives, a field that is null in `changes` is left
    /// out, any other is replaced. `None` ends it. What an interaction leads to stays the same.
    pub fn distort_interactions(&self, changes: Option<Value>) {
        self.change(|world, _| world.distort(changes));
    }

    /// Denies the bot `permission` in `channel` with an overwrite for the bot's own member.
    pub fn deny(&self, channel: Snowflake, permission: Permission) {
        self.change(|world, _| world.deny(channel, world.bot(), permission));
    }

    /// Reverts [`Discord::deny`].
    pub fn allow(&self, channel: Snowflake, permission: Permission) {
        self.change(|world, _| world.undeny(channel, world.bot(), permission));
    }

    /// Sets the address it is served at, so that the addresses it returns (the gateway's) point to it.
    pub fn set_address(&self, address: SocketAddr) {
        self.state().address = address;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in another request must not take this Discord down: the model changes in single steps.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the model and sends the dispatches.
    fn change<T>(&self, change: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        self.with(|state, now| change(&mut state.world, now))
    }

    /// Runs `act` on the whole state and sends the dispatches.
    fn with<T>(&self, act: impl FnOnce(&mut State, Timestamp) -> T) -> T {
        let now = self.0.clock.now();
        let mut guard = self.state();
        let state = &mut *guard;
        state.world.end_timeouts(now);
        let done = act(state, now);
        // Sent under the lock, so subscribers see changes in the order they were made.
        for dispatch in state.world.take_dispatches() {
            let dispatch = Arc::new(dispatch);
            state.gateway.publish(&dispatch, &state.world, now);
            // Having no subscribers is not an error.
            let _ = self.0.dispatches.send(dispatch);
        }
        let opened = state.world.take_opened();
        drop(guard);
        for interaction in opened {
            self.watch(interaction);
        }
        self.bump();
        done
    }

    fn bump(&self) {
        self.0.version.send_modify(|version| *version += 1);
    }
}

/// The state of the HTTP handlers.
#[derive(Clone)]
struct Face {
    discord: Discord,
    stop: CancellationToken,
}
