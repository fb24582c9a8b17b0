//! Threads: channels within channels, opened from a message, without one, or as posts of a forum.

use serde_json::{Value, json};

use super::{Draft, iso};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// Discord's type number of a public thread.
pub const PUBLIC_THREAD: u8 = 11;
/// Discord's type number of a private thread, which only its members see.
pub const PRIVATE_THREAD: u8 = 12;

/// The data that threads have in addition to other channels.
#[derive(Clone, Debug)]
pub struct Thread {
    /// The user who opened it.
    pub owner: Snowflake,
    /// When it was opened.
    pub opened: Timestamp,
    /// Whether it is archived. A message unarchives it.
    pub archived: bool,
    /// When `archived` last changed.
    pub archived_at: Timestamp,
    /// Whether only moderators may unarchive it.
    pub locked: bool,
    /// Minutes of inactivity before it is archived (the sandbox never does so by itself).
    pub auto_archive: i64,
    /// Whether every member may invite others to a private thread.
    pub invitable: bool,
    /// The ids of a forum post's tags.
    pub tags: Vec<Snowflake>,
    /// The user ids of its members.
    pub members: Vec<Snowflake>,
}

/// A tag of a forum, for its posts.
#[derive(Clone, Debug)]
pub struct Tag {
    /// Unique in the forum.
    pub id: Snowflake,
    /// The label.
    pub name: String,
}

impl Tag {
    /// Discord's forum tag object.
    #[must_use]
    pub fn object(&self) -> Value {
        json!({"id": self.id, "name": self.name, "moderated": false, "emoji_id": null, "emoji_name": null})
    }
}

/// A validated request to open a thread.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// The name of the thread.
    pub name: String,
    /// Discord's channel type number, if given.
    pub kind: Option<u8>,
    /// Minutes of inactivity before it is archived.
    pub auto_archive: i64,
    /// Whether every member may invite others.
    pub invitable: bool,
    /// The ids of a forum post's tags.
    pub tags: Vec<Snowflake>,
    /// The first message of a forum post.
    pub message: Option<Draft>,
}

impl Thread {
    pub(super) fn new(owner: Snowflake, opening: &Opening, now: Timestamp) -> Self {
        Self {
            owner,
            opened: now,
            archived: false,
            archived_at: now,
            locked: false,
            auto_archive: opening.auto_archive,
            invitable: opening.invitable,
            tags: opening.tags.clone(),
            members: vec![owner],
        }
    }

    /// The fields of a thread's channel object that other channels do not have.
    pub(super) fn facts(&self, messages: usize) -> Value {
        json!({
            "owner_id": self.owner,
            "thread_metadata": {
                "archived": self.archived, "archive_timestamp": iso(self.archived_at),
                "auto_archive_duration": self.auto_archive, "locked": self.locked,
                "create_timestamp": iso(self.opened), "invitable": self.invitable,
            },
            "message_count": messages, "member_count": self.members.len(), "total_message_sent": messages,
            "applied_tags": self.tags,
        })
    }
}
