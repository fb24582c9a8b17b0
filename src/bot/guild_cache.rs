//! The cache of the bot's guilds for one connection: what Discord reported about their channels, roles and permissions.
//!
//! Filled by the gateway (`bot/gateway/watch.rs`). It is plain data: handlers read it wherever their interaction comes
//! from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::bot::guild::{self, Channel, Guild};
use crate::bot::{permission, snapshot};
use crate::hub::{ChannelInfo, Guilds};
use crate::model::Snowflake;

/// Maximum number of unlisted channels that are fetched.
const MOST_ASKED: usize = 50;

/// The cache of one connection. Clones share it.
#[derive(Clone, Default)]
pub(super) struct GuildCache(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    /// Wakes the task that logs the route map's table.
    changed: Notify,
    bot: AtomicU64,
    application: AtomicU64,
}

#[derive(Default)]
struct State {
    guilds: BTreeMap<u64, Guild>,
    /// Guilds that READY announced and that have not arrived.
    awaited: BTreeSet<u64>,
    is_ready: bool,
    /// Channels of the route map that no guild listed, and that were fetched from Discord.
    asked: BTreeSet<Snowflake>,
}

impl GuildCache {
    /// The bot user's id; 0 until READY.
    pub(super) fn bot(&self) -> u64 {
        self.0.bot.load(Ordering::Acquire)
    }

    /// READY has come: who the bot is, and which guilds will arrive.
    pub(super) fn begin(&self, bot: u64, application: u64, announced: BTreeSet<u64>) {
        self.0.bot.store(bot, Ordering::Release);
        self.0.application.store(application, Ordering::Release);
        {
            let mut state = self.state();
            state.guilds.retain(|id, _| announced.contains(id));
            state.awaited = announced.into_iter().filter(|id| !state.guilds.contains_key(id)).collect();
            state.is_ready = true;
        }
        self.refresh();
    }

    /// Whether READY has come, and whether all guilds that it announced have arrived.
    pub(super) fn progress(&self) -> (bool, bool) {
        let state = self.state();
        (state.is_ready, state.awaited.is_empty())
    }

    /// Adds a guild that arrived, or replaces it.
    pub(super) fn put(&self, guild: Guild) {
        {
            let mut state = self.state();
            state.awaited.remove(&guild.id);
            state.guilds.insert(guild.id, guild);
        }
        self.refresh();
    }

    /// Removes a guild that the bot left.
    pub(super) fn remove(&self, guild: u64) {
        {
            let mut state = self.state();
            state.guilds.remove(&guild);
            state.awaited.remove(&guild);
        }
        self.refresh();
    }

    /// Updates a guild's state.
    pub(super) fn change(&self, guild: u64, change: impl FnOnce(&mut Guild)) {
        if let Some(guild) = self.state().guilds.get_mut(&guild) {
            change(guild);
        }
        self.refresh();
    }

    /// Those of `channels` that no guild listed, each once per connection: no list contains archived threads.
    pub(super) fn take_unlisted(&self, channels: impl IntoIterator<Item = Snowflake>) -> Vec<Snowflake> {
        let mut state = self.state();
        let mut unlisted: Vec<_> =
            channels.into_iter().filter(|id| guild::holding(&state.guilds, *id).is_none()).collect();
        unlisted.retain(|id| state.asked.len() < MOST_ASKED && state.asked.insert(*id));
        unlisted
    }

    /// Adds a channel that was fetched. Nothing is refreshed: the caller does that anyway.
    pub(super) fn put_channel(&self, guild: Snowflake, id: Snowflake, channel: Channel) {
        if let Some(guild) = self.state().guilds.get_mut(&guild.get()) {
            guild.channels.insert(id.get(), channel);
        }
    }

    /// Those of `channels` that are known.
    pub(super) fn places(
        &self,
        channels: impl IntoIterator<Item = Snowflake>,
    ) -> BTreeMap<Snowflake, ChannelInfo> {
        channels.into_iter().filter_map(|id| Some((id, self.place(id)?))).collect()
    }

    /// The bot's guilds, and those that contain a channel of the environment's map.
    pub(super) fn guilds(&self, channels: &BTreeSet<Snowflake>) -> Guilds {
        let state = self.state();
        let mut guilds = snapshot::servers(&state.guilds, channels, self.bot());
        for id in &state.awaited {
            guilds.all.entry(Snowflake::new(*id)).or_insert(None);
        }
        let application = Some(self.0.application.load(Ordering::Acquire)).filter(|id| *id != 0);
        guilds.application = application.map(Snowflake::new);
        guilds
    }

    /// A channel as the gateway shows it now; `None` if the bot does not see it.
    pub(super) fn place(&self, id: Snowflake) -> Option<ChannelInfo> {
        let bot = self.bot();
        let state = self.state();
        let (guild, channel) = guild::holding(&state.guilds, id)?;
        let missing = permission::missing(guild, channel, bot);
        let unfit = permission::unfit(guild, channel, bot);
        let problems = unfit.into_iter().chain(missing.iter().map(permission::Missing::obstacle)).collect();
        let roles = guild.roles.keys().map(|role| Snowflake::new(*role)).collect();
        Some(ChannelInfo {
            guild_id: Some(Snowflake::new(guild.id)),
            guild: guild.name.clone(),
            roles,
            channel: channel.name.clone(),
            problems,
        })
    }

    /// Refreshes the route map's table, after its channels changed.
    pub(super) fn refresh(&self) {
        self.0.changed.notify_one();
    }

    /// Resolves after a change.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
