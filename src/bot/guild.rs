//! Cached guild state: names, roles and permission overwrites as plain data.
//!
//! Filled from the gateway's events (`bot/gateway/guild.rs`); read by [`permission`](super::permission).

use std::collections::{BTreeMap, BTreeSet};

use crate::clock::Timestamp;
use crate::discord::ChannelObject;
use crate::model::Snowflake;

/// Discord's type numbers of threads (Discord: "Channel Types").
const THREADS: [u8; 3] = [10, 11, 12];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Guild {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) owner: u64,
    /// By id. The role with the guild's id is `@everyone`.
    pub(super) roles: BTreeMap<u64, Role>,
    /// The bot's own roles, without `@everyone`.
    pub(super) held: BTreeSet<u64>,
    /// End of the bot's timeout in this guild.
    pub(super) timed_out_until: Option<Timestamp>,
    /// Channels and active threads.
    pub(super) channels: BTreeMap<u64, Channel>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) name: String,
    /// Permission bits.
    pub(super) grants: u64,
    /// Whether everyone may mention it.
    pub(super) mentionable: bool,
}

/// A channel or thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Channel {
    pub(super) name: String,
    /// Why no message can be posted in it, whatever the permissions: a forum, a category.
    pub(super) unfit: Option<Unfit>,
    /// Threads only: whether only moderators may write in it.
    pub(super) is_locked: bool,
    /// Channels only: the category, whose overwrites may be synced to the channel.
    pub(super) category: Option<u64>,
    /// Threads only: the parent channel, whose overwrites apply.
    pub(super) thread_of: Option<u64>,
    pub(super) overwrites: Vec<Overwrite>,
}

/// Why a channel takes no messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    /// A predicate, such as "is a category, which holds channels and no messages".
    pub(super) found: &'static str,
    /// How to fix it.
    pub(super) remedy: &'static str,
}

/// A channel's permission overwrite for a role or a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overwrite {
    pub(super) whom: Whom,
    /// Permission bits.
    pub(super) allow: u64,
    /// Permission bits.
    pub(super) deny: u64,
}

/// The target of an overwrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    Role(u64),
    Member(u64),
}

impl Channel {
    /// From a REST response. Its overwrites are not known: only a guild's channel list has those.
    pub(super) fn found(found: &ChannelObject) -> Self {
        let is_thread = THREADS.contains(&found.kind);
        Self {
            name: found.name.clone().unwrap_or_default(),
            unfit: unfit(u64::from(found.kind)),
            is_locked: found.is_locked(),
            category: found.parent_id.filter(|_| !is_thread).map(Snowflake::get),
            thread_of: found.parent_id.filter(|_| is_thread).map(Snowflake::get),
            overwrites: Vec::new(),
        }
    }
}

/// Why a channel of this type takes no messages; `None` if it does (Discord: "Channel Types").
pub(super) const fn unfit(kind: u64) -> Option<Unfit> {
    match kind {
        4 => Some(Unfit {
            found: "is a category, which holds channels and no messages",
            remedy: "Put the id of a channel in it into the map",
        }),
        14 => Some(Unfit {
            found: "is a server directory, which holds no messages",
            remedy: "Put the id of a text channel into the map",
        }),
        15 | 16 => Some(Unfit {
            found: "is a forum, which holds posts and no messages",
            remedy: "Put the id of a text channel or of a post into the map",
        }),
        _ => None,
    }
}

/// Finds the guild that contains `channel`.
pub(super) fn holding(guilds: &BTreeMap<u64, Guild>, channel: Snowflake) -> Option<(&Guild, &Channel)> {
    guilds.values().find_map(|guild| Some((guild, guild.channels.get(&channel.get())?)))
}
