//! Whose manners the sandbox has: Discord's, or those of servers that others wrote.
//!
//! Each of the others' ways is one that a server in use has, here all at once: what stands this stands each of them.
//! The model knows nothing of it: manners change what is said, not what happens, but for what is refused.
//!
//! | what the others do | which |
//! | --- | --- |
//! | heed no nonce, and need not say it back | YEPCord, discord-digital-twin |
//! | tell servers whole in READY, their facts apart, and announce none | YEPCord |
//! | know no application and no address to resume at | servers for people's clients first |
//! | begin anew where a client resumes | Spacebar |
//! | tell interactions without much that Discord adds | Spacebar, YEPCord |
//! | refuse commands with empty lists, and answer with what was sent | strict readers of schemas; Spacebar |
//! | say 404 in the code as well | Spacebar |
//! | answer a callback with something | Discord itself, if asked to |
//! | send none of Discord's headers | YEPCord |

use serde_json::{Value, json};

use super::Discord;
use super::limits::RateLimits;
use super::model::Refusal;

/// Whose manners the sandbox has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Discord's.
    #[default]
    Discord,
    /// Those of servers that others wrote.
    Others,
}

impl Dialect {
    /// READY as it is told, from Discord's and the guilds that would follow it; and the guilds that still do.
    pub(super) fn greet(self, mut ready: Value, guilds: Vec<Value>) -> (Value, Vec<Value>) {
        if self == Self::Discord {
            return (ready, guilds);
        }
        for key in ["application", "resume_gateway_url", "session_type", "_trace"] {
            ready.as_object_mut().map(|ready| ready.remove(key));
        }
        ready["v"] = 9.into();
        ready["guilds"] = guilds.into_iter().map(apart).collect();
        (ready, Vec::new())
    }

    /// Whether a session goes on where it was.
    pub(super) fn resumes(self) -> bool {
        self == Self::Discord
    }

    /// Why a body is refused that Discord takes.
    pub(super) fn refusal(self, method: &str, path: &str, body: &Value) -> Option<Refusal> {
        let is_strict = self == Self::Others && method == "PUT" && path.ends_with("/commands");
        (is_strict && says_nothing(body)).then(|| {
            Refusal::at("options", "ARRAY_MIN", "must NOT have fewer than 1 items, must not be null")
        })
    }

    /// The answer as it is given: its status and what is in it.
    pub(super) fn say(
        self,
        method: &str,
        path: &str,
        sent: &Value,
        status: u16,
        said: Option<Value>,
    ) -> (u16, Option<Value>) {
        match (status, said) {
            (_, said) if self == Self::Discord => (status, said),
            (204, None) if path.ends_with("/callback") => (200, Some(json!({"interaction": {"type": 2}}))),
            (404, Some(said)) => {
                let message = said["message"].as_str().unwrap_or_default().replace("Unknown ", "");
                let message = format!("{message} could not be found");
                (404, Some(json!({"code": 404, "message": message, "errors": null, "data": null})))
            }
            (200, Some(mut said)) if method == "POST" && path.ends_with("/messages") => {
                said.as_object_mut().map(|message| message.remove("nonce"));
                (200, Some(said))
            }
            (200, Some(_)) if method == "PUT" && path.ends_with("/commands") => (200, Some(sent.clone())),
            (status, said) => (status, said),
        }
    }

    /// Whether answers carry Discord's headers: how often one may ask, and what they came through.
    pub(super) fn is_discords(self) -> bool {
        self == Self::Discord
    }
}

impl Discord {
    /// Takes on these manners. A client that is connected already was greeted with the others.
    pub fn behave(&self, manner: Dialect) {
        let others = manner == Dialect::Others;
        let left_out = json!({
            "version": null, "locale": null, "guild_locale": null, "guild": null, "channel": null,
            "entitlements": null, "app_permissions": null, "authorizing_integration_owners": null, "context": null,
            "attachment_size_limit": null, "member": {"permissions": null, "flags": null, "user": {"username": null}},
        });
        self.distort_interactions(others.then_some(left_out));
        self.set_rate_limits(if others { RateLimits::unlimited() } else { RateLimits::default() });
        self.with(|state, _| {
            state.manner = manner;
            match others {
                true => state.world.nonces.set_window(std::time::Duration::ZERO),
                false => state.world.nonces = super::model::Nonces::default(),
            }
        });
    }
}

/// A guild whose own facts stand apart from what is in it.
fn apart(mut guild: Value) -> Value {
    const FACTS: [&str; 4] = ["name", "owner_id", "features", "preferred_locale"];
    let mut facts = json!({});
    for key in FACTS {
        facts[key] = guild[key].take();
    }
    if let Some(guild) = guild.as_object_mut() {
        guild.retain(|key, _| {
            !FACTS.contains(&key.as_str()) && !matches!(key.as_str(), "unavailable" | "stage_instances")
        });
    }
    guild["properties"] = facts;
    guild
}

/// Whether an empty list or a null stands in it anywhere.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty() || list.iter().any(says_nothing),
        Value::Object(object) => object.values().any(says_nothing),
        _ => false,
    }
}
