//! API dialects: Discord's own, and the combined deviations of third-party servers.
//!
//! Each deviation exists in a server that is in use; here they come all at once, so a client that copes with this
//! copes with each of them. The model does not know of it: a dialect changes the answers, not what happens, except
//! for requests that it refuses.
//!
//! | what third-party servers do | which |
//! | --- | --- |
//! | ignore nonces, and need not return them | YEPCord, discord-digital-twin |
//! | send whole guilds in READY, their properties in a nested object, and no `GUILD_CREATE` | YEPCord |
//! | have no application and no resume address | servers written for user clients first |
//! | start a new session when a client resumes | Spacebar |
//! | omit much of what Discord adds to interactions | Spacebar, YEPCord |
//! | refuse commands with empty lists, and answer with what was sent | strict schema readers; Spacebar |
//! | return 404 in the error code as well | Spacebar |
//! | answer a callback with a body | Discord itself, on request |
//! | send none of Discord's headers | YEPCord |

use serde_json::{Value, json};

use super::Discord;
use super::limits::RateLimits;
use super::model::Refusal;

/// Whose API behavior the sandbox imitates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Discord's own behavior.
    #[default]
    Discord,
    /// The combined behavior of third-party servers.
    Others,
}

impl Dialect {
    /// READY in this dialect, built from Discord's and the guilds to announce; returns it with the guilds that are
    /// still to be announced.
    pub(super) fn greet(self, mut ready: Value, guilds: Vec<Value>) -> (Value, Vec<Value>) {
        if self == Self::Discord {
            return (ready, guilds);
        }
        for key in ["application", "resume_gateway_url", "session_type", "_trace"] {
            ready.as_object_mut().map(|ready| ready.remove(key));
        }
        ready["v"] = 9.into();
        ready["guilds"] = guilds.into_iter().map(split_properties).collect();
        (ready, Vec::new())
    }

    /// Whether a session can be resumed.
    pub(super) fn resumes(self) -> bool {
        self == Self::Discord
    }

    /// The refusal for a body that Discord accepts and this dialect does not.
    pub(super) fn refusal(self, method: &str, path: &str, body: &Value) -> Option<Refusal> {
        let is_strict = self == Self::Others && method == "PUT" && path.ends_with("/commands");
        (is_strict && has_empty_value(body)).then(|| {
            Refusal::at("options", "ARRAY_MIN", "must NOT have fewer than 1 items, must not be null")
        })
    }

    /// The answer in this dialect: its status and body.
    pub(super) fn rewrite(
        self,
        method: &str,
        path: &str,
        sent: &Value,
        status: u16,
        body: Option<Value>,
    ) -> (u16, Option<Value>) {
        match (status, body) {
            (_, body) if self == Self::Discord => (status, body),
            (204, None) if path.ends_with("/callback") => (200, Some(json!({"interaction": {"type": 2}}))),
            (404, Some(body)) => {
                let message = body["message"].as_str().unwrap_or_default().replace("Unknown ", "");
                let message = format!("{message} could not be found");
                (404, Some(json!({"code": 404, "message": message, "errors": null, "data": null})))
            }
            (200, Some(mut body)) if method == "POST" && path.ends_with("/messages") => {
                body.as_object_mut().map(|message| message.remove("nonce"));
                (200, Some(body))
            }
            (200, Some(_)) if method == "PUT" && path.ends_with("/commands") => (200, Some(sent.clone())),
            (status, body) => (status, body),
        }
    }

    /// Whether answers carry Discord's headers: the rate limit and `via`.
    pub(super) fn is_discords(self) -> bool {
        self == Self::Discord
    }
}

impl Discord {
    /// Switches the dialect. A client that is already connected was greeted in the old one.
    pub fn behave(&self, dialect: Dialect) {
        let others = dialect == Dialect::Others;
        let left_out = json!({
            "version": null, "locale": null, "guild_locale": null, "guild": null, "channel": null,
            "entitlements": null, "app_permissions": null, "authorizing_integration_owners": null, "context": null,
            "attachment_size_limit": null, "member": {"permissions": null, "flags": null, "user": {"username": null}},
        });
        self.distort_interactions(others.then_some(left_out));
        self.set_rate_limits(if others { RateLimits::unlimited() } else { RateLimits::default() });
        self.with(|state, _| {
            state.dialect = dialect;
            match others {
                true => state.world.nonces.set_window(std::time::Duration::ZERO),
                false => state.world.nonces = super::model::Nonces::default(),
            }
        });
    }
}

/// A guild whose properties are in an object of their own, apart from its lists.
fn split_properties(mut guild: Value) -> Value {
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

/// Whether the value contains an empty list or a null anywhere.
fn has_empty_value(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty() || list.iter().any(has_empty_value),
        Value::Object(object) => object.values().any(has_empty_value),
        _ => false,
    }
}
