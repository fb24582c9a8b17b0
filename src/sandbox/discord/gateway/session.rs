//! A gateway session: the events for one client, in order, also across several connections.
//!
//! Events get their sequence number when they happen and are kept for a while after they were sent, so that a client
//! that was cut off gets each of them exactly once, in order, or learns that it cannot.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};

use super::intents::{Intent, Intents};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;
use crate::sandbox::discord::model::{Dispatch, Refusal, World};
use crate::sandbox::discord::token::random_text;

/// How many events are kept for replay; a client that missed more must start a new session.
const KEPT: usize = 4096;
/// How many events a connected client may lag before it is disconnected (it may resume).
const LAG: u64 = 2048;

/// One session of one bot.
pub(super) struct Session {
    id: String,
    user: Snowflake,
    intents: Intents,
    shard: Option<(u32, u32)>,
    /// Whether single payloads may be compressed.
    pub(super) compress: bool,
    /// The connection it is on, if any.
    pub(super) link: Option<u64>,
    /// When it was last disconnected.
    pub(super) left: Timestamp,
    /// The sequence number of the latest event.
    seq: u64,
    kept: VecDeque<(u64, Arc<Dispatch>)>,
    /// The highest sequence number that is no longer kept.
    lost: u64,
    /// The sequence number of the event to send next.
    next: u64,
    /// The latest sequence number at the last resume: what it missed until then does not count as lag.
    caught_up: u64,
}

/// Why a session cannot resume from a sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// An event after it is no longer kept.
    Lost,
    /// The session has not reached it.
    Ahead,
}

impl Session {
    /// A new session without events.
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

    /// The session id, which RESUME sends.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn user(&self) -> Snowflake {
        self.user
    }

    pub(super) fn intents(&self) -> Intents {
        self.intents
    }

    /// The shard id and the number of shards, if the client sent them.
    pub(super) fn shard(&self) -> Option<(u32, u32)> {
        self.shard
    }

    /// Whether its shard serves this guild; events outside of guilds belong to shard 0 (Discord: "Sharding").
    pub(super) fn serves(&self, guild: Option<Snowflake>) -> bool {
        let (shard, count) = self.shard.unwrap_or((0, 1));
        guild.map_or(0, |guild| (guild.get() >> 22) % u64::from(count.max(1))) == u64::from(shard)
    }

    /// The event as this session may see it; `None` if it may not.
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

    /// Adds an event. Returns whether the client keeps up.
    pub(super) fn push(&mut self, dispatch: Arc<Dispatch>) -> bool {
        self.seq += 1;
        self.kept.push_back((self.seq, dispatch));
        if self.kept.len() > KEPT
            && let Some((seq, _)) = self.kept.pop_front()
        {
            self.lost = seq;
        }
        self.link.is_none() || self.seq - self.caught_up.max(self.next - 1) <= LAG
    }

    /// The payload of the next event to send.
    pub(super) fn next(&mut self) -> Option<Value> {
        let at = self.kept.partition_point(|(seq, _)| *seq < self.next);
        let (seq, dispatch) = self.kept.get(at)?;
        self.next = seq + 1;
        Some(json!({"t": dispatch.t, "s": seq, "op": 0, "d": dispatch.d}))
    }

    /// Rewinds to just after `seq`, the last event that the client received.
    pub(super) fn rewind(&mut self, seq: u64) -> Result<(), Gap> {
        if seq > self.seq {
            return Err(Gap::Ahead);
        }
        if seq < self.lost {
            return Err(Gap::Lost);
        }
        // The RESUMED of an earlier resume is not an event to replay.
        self.kept.retain(|(_, dispatch)| dispatch.t != "RESUMED");
        self.next = seq + 1;
        self.caught_up = self.seq;
        Ok(())
    }

    /// Whether it receives all events of the guild's channels and roles.
    pub(super) fn knows_guilds(&self) -> bool {
        self.intents.has(Intent::Guilds)
    }
}
