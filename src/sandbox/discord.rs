//! The sandbox Discord: the handle that tests, the demo and `nuncio sandbox` hold.
//!
//! Inside is a pure [`model`] behind one lock, what decides about requests before the model sees them
//! ([`limits`], [`faults`]), and a thin HTTP face (`rest`, `page`). Every change of the model is told to
//! subscribers as the dispatch that Discord's gateway would send.
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
use crate::model::Snowflake;
use crate::secret::Secret;

mod dialect;
pub mod faults;
pub mod gateway;
mod interaction;
mod invite;
pub mod ledger;
pub mod limits;
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
pub use ledger::{Asked, Counts, Exchange};
pub use limits::{Allowance, RateLimits};
pub use model::{Dispatch, Permission, Permissions};
pub use setup::{Person, Setup};

use gateway::Sessions;
use ledger::Ledger;
use limits::Limiter;
use model::World;
use token::Tokens;

/// Dispatches a subscriber may lag behind before it has to reload: more than a storm of the demo brings.
const DISPATCHES_KEPT: usize = 1024;

/// A Discord in memory. Clones are the same Discord.
#[derive(Clone)]
pub struct Discord(Arc<Inner>);

struct Inner {
    clock: Clock,
    /// What gateway heartbeats are measured by.
    pulse: Clock,
    faults: Faults,
    guild: Snowflake,
    application: Snowflake,
    bot_token: Secret,
    user_token: Secret,
    webhook: (Snowflake, Secret),
    state: Mutex<State>,
    dispatches: broadcast::Sender<Arc<Dispatch>>,
    /// Grows with each change of the state: what waiters watch.
    version: watch::Sender<u64>,
    /// What others show on the page, by its key in the state.
    panels: Mutex<BTreeMap<&'static str, Value>>,
}

/// All that one request may look at and change.
struct State {
    world: World,
    tokens: Tokens,
    limiter: Limiter,
    ledger: Ledger,
    gateway: Sessions,
    manner: Dialect,
    address: SocketAddr,
}

impl Discord {
    /// A Discord that holds what `setup` says, with fresh tokens. All its times and limits are `clock`'s.
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
                manner: Dialect::default(),
                address: SocketAddr::from(([127, 0, 0, 1], 0)),
            }),
            dispatches: broadcast::Sender::new(DISPATCHES_KEPT),
            version: watch::Sender::new(0),
            panels: Mutex::default(),
            clock,
        }))
    }

    /// The whole HTTP face: the API under `/api` and `/api/v10`, the gateway at `/gateway`, the page at `/`, its data
    /// under `/sandbox`.
    pub fn router(&self) -> axum::Router {
        self.router_until(CancellationToken::new())
    }

    /// [`Discord::router`], whose event streams and hanging answers end when `stop` is cancelled.
    pub fn router_until(&self, stop: CancellationToken) -> axum::Router {
        let face = Face { discord: self.clone(), stop };
        rest::router().merge(gateway::router()).merge(page::router()).with_state(face)
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The bot's token, without `Bot ` before it.
    #[must_use]
    pub fn bot_token(&self) -> &Secret {
        &self.0.bot_token
    }

    /// The token of the first person (alice), as she would send it: without any prefix.
    #[must_use]
    pub fn user_token(&self) -> &Secret {
        &self.0.user_token
    }

    /// The token of the person with this user name.
    #[must_use]
    pub fn token_of(&self, username: &str) -> Option<Secret> {
        let state = self.state();
        let person = state.world.user_named(username)?;
        state.tokens.of(person)
    }

    /// The bot's application. Its bot user has the same id.
    #[must_use]
    pub fn application_id(&self) -> Snowflake {
        self.0.application
    }

    /// The first guild.
    #[must_use]
    pub fn guild_id(&self) -> Snowflake {
        self.0.guild
    }

    /// The channel of this name (without `#`), if it is there.
    #[must_use]
    pub fn channel_id(&self, name: &str) -> Option<Snowflake> {
        self.state().world.channel_named(name)
    }

    /// The person (or bot) of this user name.
    #[must_use]
    pub fn user_id(&self, username: &str) -> Option<Snowflake> {
        self.state().world.user_named(username)
    }

    /// The role of this name in the first guild.
    #[must_use]
    pub fn role_id(&self, name: &str) -> Option<Snowflake> {
        let state = self.state();
        let guild = state.world.guilds().next()?;
        guild.roles.iter().find(|role| role.name == name).map(|role| role.id)
    }

    /// Names and ids of all channels, in the order they are shown.
    #[must_use]
    pub fn channels(&self) -> Vec<(String, Snowflake)> {
        self.state().world.channels().map(|channel| (channel.name.clone(), channel.id)).collect()
    }

    /// The messages of a channel as Discord's message objects, oldest first; none if it is unknown.
    #[must_use]
    pub fn messages(&self, channel: Snowflake) -> Vec<Value> {
        self.state().world.history(channel, usize::MAX)
    }

    /// Waits until the channel holds at least `at_least` messages and returns all of them, oldest first.
    pub async fn wait_for_messages(&self, channel: Snowflake, at_least: usize) -> Vec<Value> {
        self.wait_until(|discord| Some(discord.messages(channel)).filter(|found| found.len() >= at_least))
            .await
    }

    /// Waits until `seen` returns something, asking it again after each request and each change. It never sleeps:
    /// put a time limit around it.
    pub async fn wait_until<T>(&self, mut seen: impl FnMut(&Self) -> Option<T>) -> T {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            if let Some(found) = seen(self) {
                return found;
            }
            // Our own handle keeps the sender alive: this cannot fail while we wait.
            let _ = changes.changed().await;
        }
    }

    /// A counter that grows with each request and each change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// What happens from now on, as the gateway would dispatch it.
    #[must_use]
    pub fn dispatches(&self) -> broadcast::Receiver<Arc<Dispatch>> {
        self.0.dispatches.subscribe()
    }

    /// What was asked of the API lately and what was answered, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Asked> {
        self.state().ledger.asked()
    }

    /// Keeps every exchange whole from now on, until [`Discord::take_exchanges`] takes them.
    pub fn keep_exchanges(&self) {
        self.state().ledger.keep_exchanges();
    }

    /// The exchanges since they were taken last, oldest first. Those that a fault touched are not among them.
    #[must_use]
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        self.state().ledger.take_exchanges()
    }

    /// How many requests were answered how, and how many messages were made.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state().ledger.counts()
    }

    /// Misbehaviour on demand.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Sets the limits and forgets all that was counted against the old ones.
    pub fn set_rate_limits(&self, limits: RateLimits) {
        self.state().limiter = Limiter::new(limits);
    }

    /// How long a nonce is remembered; 120 s unless set.
    pub fn set_nonce_window(&self, window: Duration) {
        self.state().world.nonces.set_window(window);
    }

    /// Adds a text channel to the first guild.
    pub fn add_channel(&self, name: &str) -> Snowflake {
        self.change(|world, now| world.add_channel(self.0.guild, name, "", now))
    }

    /// Posts `body` as a user or the bot, past the API and its limits. Whether it was allowed.
    pub fn post_as(&self, author: Snowflake, channel: Snowflake, body: &Value) -> bool {
        let Ok(draft) = validate::draft(body) else { return false };
        self.change(|world, now| world.post(author, channel, draft, now).is_ok())
    }

    /// Deletes a channel with its messages, as somebody with the right to would. Whether it was there.
    pub fn delete_channel(&self, channel: Snowflake) -> bool {
        self.change(|world, _| world.delete_channel(channel).is_ok())
    }

    /// Makes the bot's token invalid from now on: every request with it is answered 401, its sessions are closed.
    pub fn revoke_token(&self) {
        self.with(|state, now| {
            state.tokens.revoke(&self.0.bot_token);
            state.gateway.expel(self.0.application, now);
        });
    }

    /// Bans the address of everybody who asks, as Discord's edge does after too many wrong requests.
    pub fn ban_for(&self, span: Duration) {
        let now = self.clock().elapsed();
        self.with(|state, _| state.limiter.ban(span, now));
    }

    /// Makes a revoked bot token valid again.
    pub fn restore_token(&self) {
        self.state().tokens.restore(&self.0.bot_token, self.0.application);
        self.bump();
    }

    /// Gives a member these roles, and takes away the others.
    pub fn set_roles(&self, username: &str, roles: &[&str]) {
        let (Some(user), guild) = (self.user_id(username), self.guild_id()) else { return };
        let roles = roles.iter().filter_map(|role| self.role_id(role)).collect();
        self.change(|world, now| {
            world.add_member(guild, user, roles, now);
            world.tell_member(guild, user);
        });
    }

    /// Lets everybody mention a role, or only those who may mention all.
    pub fn set_mentionable(&self, role: &str, mentionable: bool) {
        let (Some(role), guild) = (self.role_id(role), self.guild_id()) else { return };
        self.change(|world, _| world.set_mentionable(guild, role, mentionable));
    }

    /// From now on the application is told of interactions with these changes: a member of a field is left out if it is
    /// null, else put in its place. `None`: as they are. What an interaction leads to stays the same.
    pub fn distort_interactions(&self, changes: Option<Value>) {
        self.change(|world, _| world.distort(changes));
    }

    /// Denies the bot `permission` in `channel` by an overwrite for the bot's own member.
    pub fn deny(&self, channel: Snowflake, permission: Permission) {
        self.change(|world, _| world.deny(channel, world.bot(), permission));
    }

    /// Takes back what [`Discord::deny`] did.
    pub fn allow(&self, channel: Snowflake, permission: Permission) {
        self.change(|world, _| world.undeny(channel, world.bot(), permission));
    }

    /// Where it is served, so that the addresses it hands out (the gateway's) lead back to it.
    pub fn stands_at(&self, address: SocketAddr) {
        self.state().address = address;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in another request must not take this Discord down: its model changes in single steps.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the model and tells everybody what happened.
    fn change<T>(&self, change: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        self.with(|state, now| change(&mut state.world, now))
    }

    /// Does one thing with the whole state and tells everybody what happened.
    fn with<T>(&self, act: impl FnOnce(&mut State, Timestamp) -> T) -> T {
        let now = self.0.clock.now();
        let mut guard = self.state();
        let state = &mut *guard;
        state.world.end_timeouts(now);
        let done = act(state, now);
        // Sent under the lock: subscribers see changes in the order they were made.
        for dispatch in state.world.take_dispatches() {
            let dispatch = Arc::new(dispatch);
            state.gateway.hear(&dispatch, &state.world, now);
            // Nobody listening is no fault.
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

/// What the HTTP face is served with.
#[derive(Clone)]
struct Face {
    discord: Discord,
    stop: CancellationToken,
}
