//! A session: what one client is told, in order, also over several connections.
//!
//! Events get their sequence number when they happen and are kept for a while after they were sent, so that a client
//! that was cut off gets each of them exactly once, in order, or is told that it cannot.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};

use super::intents::{Intent, Intents};
use crate::clock::Timestamp;
use crate::model::Snowflake;
use crate::sandbox::discord::model::{Dispatch, Refusal, World};
use crate::sandbox::discord::token::random_text;

/// Events kept for replay; whoever missed more has to start anew.
const KEPT: usize = 4096;
/// Events a connected client may be behind before it is disconnected (and may resume).
const LAG: u64 = 2048;

/// One session of one bot.
pub(super) struct Session {
    id: String,
    user: Snowflake,
    intents: Intents,
    shard: Option<(u32, u32)>,
    /// Whether single payloads may be compressed.
    pub(super) compress: bool,
    /// The connection it is on.
    pub(super) link: Option<u64>,
    /// When it was cut off last.
    pub(super) left: Timestamp,
    /// The number of the latest event.
    seq: u64,
    kept: VecDeque<(u64, Arc<Dispatch>)>,
    /// The greatest number that is no longer kept.
    lost: u64,
    /// The number of the event that is sent next.
    next: u64,
    /// The number of the latest event when it came back: what it missed is not held against it.
    caught_up: u64,
}

/// Why a session cannot go on from where a client says it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Something in between is no longer kept.
    Lost,
    /// It never came so far.
    Ahead,
}

impl Session {
    /// A session that was told nothing yet.
    pub(super) fn new(user: Snowflake, intents: Intents, shard: Option<(u32, u32)>, compress: bool) -> Self {
        Self {
            id: random_text(32).to_lowercase(),
            user,
            intents,
            shard,
            compress,
            link: None,
            left: Timestamp::default(),
            seq: 0,
            kept: VecDeque::new(),
            lost: 0,
            next: 1,
            caught_up: 0,
        }
    }

    /// Its name, which RESUME tells.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Whose it is.
    pub(super) fn user(&self) -> Snowflake {
        self.user
    }

    /// What it wants to be told.
    pub(super) fn intents(&self) -> Intents {
        self.intents
    }

    /// Its shard and how many there are, if the client said.
    pub(super) fn shard(&self) -> Option<(u32, u32)> {
        self.shard
    }

    /// Whether its shard is for this guild; what happens outside of guilds is for shard 0 (Discord: "Sharding").
    pub(super) fn serves(&self, guild: Option<Snowflake>) -> bool {
        let (shard, count) = self.shard.unwrap_or((0, 1));
        guild.map_or(0, |guild| (guild.get() >> 22) % u64::from(count.max(1))) == u64::from(shard)
    }

    /// The event as this session is told of it, if it is.
    pub(super) fn view(&self, dispatch: &Arc<Dispatch>, world: &World) -> Option<Arc<Dispatch>> {
        let Dispatch { t, d } = &**dispatch;
        let id = |key: &str| d.get(key)?.as_str()?.parse::<Snowflake>().ok();
        let guild = id("guild_id").or_else(|| id("id").filter(|_| t.starts_with("GUILD_")));
        let hidden = || {
            let no_access = Err(Refusal::MissingAccess);
            let of_others = *t == "INTERACTION_CREATE" && id("application_id") != Some(self.user);
            let ephemeral = t.starts_with("MESSAGE_")
                && d.get("flags").and_then(Value::as_u64).is_some_and(|flags| flags & 1 << 6 != 0);
            let in_guild =
                guild.map(|guild| world.guild(self.user, guild).map(drop)) == Some(no_access.clone());
            let in_channel = *t != "INTERACTION_CREATE"
                && id("channel_id").map(|channel| world.channel(self.user, channel).map(drop))
                    == Some(no_access);
            of_others || ephemeral || in_guild || in_channel
        };
        if !self.serves(guild) || !self.intents.admit(t, d, self.user) || hidden() {
            return None;
        }
        let blanked = if matches!(*t, "MESSAGE_CREATE" | "MESSAGE_UPDATE") {
            self.intents.blanked(d, self.user)
        } else {
            None
        };
        Some(blanked.map_or_else(|| Arc::clone(dispatch), |d| Arc::new(Dispatch { t, d })))
    }

    /// Adds an event. Whether the client can still keep up.
    pub(super) fn tell(&mut self, dispatch: Arc<Dispatch>) -> bool {
        self.seq += 1;
        self.kept.push_back((self.seq, dispatch));
        if self.kept.len() > KEPT
            && let Some((seq, _)) = self.kept.pop_front()
        {
            self.lost = seq;
        }
        self.link.is_none() || self.seq - self.caught_up.max(self.next - 1) <= LAG
    }

    /// The payload of the next event that was not sent yet.
    pub(super) fn next(&mut self) -> Option<Value> {
        let at = self.kept.partition_point(|(seq, _)| *seq < self.next);
        let (seq, dispatch) = self.kept.get(at)?;
        self.next = seq + 1;
        Some(json!({"t": dispatch.t, "s": seq, "op": 0, "d": dispatch.d}))
    }

    /// Goes back to just after `seq`, the last event that the client has seen.
    pub(super) fn rewind(&mut self, seq: u64) -> Result<(), Gap> {
        if seq > self.seq {
            return Err(Gap::Ahead);
        }
        if seq < self.lost {
            return Err(Gap::Lost);
        }
        // How it came back earlier is no event of the world's.
        self.kept.retain(|(_, dispatch)| dispatch.t != "RESUMED");
        self.next = seq + 1;
        self.caught_up = self.seq;
        Ok(())
    }

    /// Whether it is told everything of the guild's channels and roles.
    pub(super) fn knows_guilds(&self) -> bool {
        self.intents.has(Intent::Guilds)
    }
}
