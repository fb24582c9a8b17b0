//! Threads: channels within channels, opened from a message, by themselves, or as the posts of a forum.

use serde_json::{Value, json};

use super::{Draft, iso};
use crate::clock::Timestamp;
use crate::model::Snowflake;

/// Discord's type number of a thread that everybody sees.
pub const PUBLIC_THREAD: u8 = 11;
/// Discord's type number of a thread that only its members see.
pub const PRIVATE_THREAD: u8 = 12;

/// What a thread has beyond other channels.
#[derive(Clone, Debug)]
pub struct Thread {
    /// Who opened it.
    pub owner: Snowflake,
    /// When.
    pub opened: Timestamp,
    /// Whether it is put away. A message brings it back.
    pub archived: bool,
    /// When that changed last.
    pub archived_at: Timestamp,
    /// Whether only moderators may bring it back.
    pub locked: bool,
    /// Minutes of silence after which it is put away (the sandbox never does it by itself).
    pub auto_archive: i64,
    /// Whether everybody may invite to a private one.
    pub invitable: bool,
    /// A forum post's tags.
    pub tags: Vec<Snowflake>,
    /// Who is in it.
    pub members: Vec<Snowflake>,
}

/// What a forum's posts can be marked with.
#[derive(Clone, Debug)]
pub struct Tag {
    /// The id.
    pub id: Snowflake,
    /// The name.
    pub name: String,
}

impl Tag {
    /// Discord's forum tag object.
    #[must_use]
    pub fn object(&self) -> Value {
        json!({"id": self.id, "name": self.name, "moderated": false, "emoji_id": null, "emoji_name": null})
    }
}

/// A thread somebody wants to open, checked.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// The name.
    pub name: String,
    /// Discord's type number, if one was given.
    pub kind: Option<u8>,
    /// Minutes until it is put away.
    pub auto_archive: i64,
    /// Whether everybody may invite to it.
    pub invitable: bool,
    /// A forum post's tags.
    pub tags: Vec<Snowflake>,
    /// A forum post's message.
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

    /// What a thread's channel object has that others have not.
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
