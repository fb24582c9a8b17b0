//! Client payloads: opcodes and their data (Discord: "Gateway Opcodes", "Send Events").

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::close::CloseCode;
use super::intents::Intents;
use crate::sandbox::Snowflake;

/// The longest payload that a client may send, in bytes.
const LONGEST: usize = 4096;
/// How many members may be requested by id at once.
const USERS_AT_ONCE: usize = 100;

/// Opcode and data of a payload; the data is not parsed yet.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Envelope {
    pub(super) op: u64,
    #[serde(default)]
    pub(super) d: Value,
}

/// A parsed client request.
#[derive(Debug)]
pub(super) enum Command {
    Heartbeat,
    Identify(Identify),
    Resume(Resume),
    Members(Members),
    /// Presence, voice and sounds: accepted without effect.
    Other,
}

/// Op 2, IDENTIFY.
#[derive(Debug, Deserialize)]
pub(super) struct Identify {
    pub(super) token: String,
    /// Required, but not checked.
    #[expect(dead_code, reason = "its being there is the rule")]
    properties: Map<String, Value>,
    #[serde(default)]
    intents: Value,
    #[serde(default)]
    pub(super) compress: Option<bool>,
    /// The shard id and the number of shards.
    #[serde(default)]
    pub(super) shard: Option<(u32, u32)>,
}

impl Identify {
    /// The requested intents; required since version 8.
    pub(super) fn intents(&self) -> Result<Intents, CloseCode> {
        self.intents.as_u64().and_then(Intents::from_bits).ok_or(CloseCode::INVALID_INTENTS)
    }
}

/// Op 6, RESUME.
#[derive(Debug, Deserialize)]
pub(super) struct Resume {
    pub(super) token: String,
    pub(super) session_id: String,
    pub(super) seq: u64,
}

/// Op 8, Request Guild Members.
#[derive(Debug, Deserialize)]
pub(super) struct Members {
    #[serde(deserialize_with = "ids")]
    guild_id: Option<Vec<Snowflake>>,
    #[serde(default)]
    pub(super) query: Option<String>,
    #[serde(default)]
    pub(super) limit: Option<usize>,
    #[serde(default)]
    pub(super) presences: Option<bool>,
    #[serde(default, deserialize_with = "ids")]
    user_ids: Option<Vec<Snowflake>>,
    #[serde(default)]
    pub(super) nonce: Option<String>,
}

/// One id or several, each a string or a number: Discord accepts both, and discord.py sends numbers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Id),
    Many(Vec<Id>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Id {
    Text(Snowflake),
    Number(u64),
}

fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Snowflake>>, D::Error> {
    let id = |id| match id {
        Id::Text(id) => id,
        Id::Number(number) => Snowflake::new(number),
    };
    Ok(Option::deserialize(deserializer)?.map(|given| match given {
        OneOrMany::One(one) => vec![id(one)],
        OneOrMany::Many(many) => many.into_iter().map(id).collect(),
    }))
}

impl Members {
    /// The guild; only one may be requested.
    pub(super) fn guild(&self) -> Option<Snowflake> {
        self.guild_id.as_deref()?.first().copied()
    }

    /// The users requested by id.
    pub(super) fn users(&self) -> Option<&[Snowflake]> {
        self.user_ids.as_deref()
    }

    fn in_form(&self) -> bool {
        let one_guild = self.guild_id.as_ref().is_some_and(|guilds| guilds.len() == 1);
        let searched = self.query.is_some() && self.limit.is_some();
        let named = self.users().is_some_and(|users| users.len() <= USERS_AT_ONCE);
        one_guild && (searched || named)
    }
}

#[derive(Deserialize)]
struct Presence {
    status: String,
    activities: Vec<Map<String, Value>>,
}

impl Envelope {
    /// Parses the opcode and data of a payload.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, CloseCode> {
        if bytes.len() > LONGEST {
            return Err(CloseCode::DECODE_ERROR);
        }
        serde_json::from_slice(bytes).map_err(|_| CloseCode::DECODE_ERROR)
    }

    /// Parses the command, from a connection with or without a session.
    pub(super) fn command(&self, in_session: bool) -> Result<Command, CloseCode> {
        match self.op {
            1 if self.d.is_null() || self.d.is_u64() => Ok(Command::Heartbeat),
            1 => Err(CloseCode::DECODE_ERROR),
            2 | 6 if in_session => Err(CloseCode::ALREADY_AUTHENTICATED),
            2 => self.data().map(Command::Identify),
            6 => self.data().map(Command::Resume),
            3 | 4 | 8 | 31 if !in_session => Err(CloseCode::NOT_AUTHENTICATED),
            3 => {
                let presence: Presence = self.data()?;
                let known = ["online", "dnd", "idle", "invisible", "offline"];
                let named = presence.activities.iter().all(|activity| activity.contains_key("name"));
                let in_form = named && known.contains(&presence.status.as_str());
                in_form.then_some(Command::Other).ok_or(CloseCode::DECODE_ERROR)
            }
            4 | 31 if self.d.is_object() => Ok(Command::Other),
            4 | 31 => Err(CloseCode::DECODE_ERROR),
            8 => {
                let members: Members = self.data()?;
                members.in_form().then_some(Command::Members(members)).ok_or(CloseCode::DECODE_ERROR)
            }
            _ => Err(CloseCode::UNKNOWN_OPCODE),
        }
    }

    fn data<T: DeserializeOwned>(&self) -> Result<T, CloseCode> {
        T::deserialize(&self.d).map_err(|_| CloseCode::DECODE_ERROR)
    }
}
