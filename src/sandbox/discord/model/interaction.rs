//! Interactions: user actions sent to an application, up to its answer.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Channel, Origin, Refusal, World};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// The deadline for an application's first answer (Discord: "Receiving and Responding").
pub const FIRST_ANSWER: Duration = Duration::from_secs(3);
/// How long the token stays valid for followups.
pub(super) const TOKEN: Duration = Duration::from_secs(15 * 60);
/// The largest file in an answer, in bytes.
const ATTACHMENT_LIMIT: u64 = 10 * 1024 * 1024;

/// The type of an interaction; the number is Discord's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A command was used.
    Command = 2,
    /// A button was pressed, or a menu option chosen.
    Component = 3,
    /// A command is being typed.
    Autocomplete = 4,
    /// A modal was submitted.
    Modal = 5,
}

/// The state of the first answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    Answered,
    /// The deadline passed without an answer.
    Failed,
}

/// A user action for an application.
#[derive(Clone, Debug)]
pub struct Interaction {
    /// Sorts by creation time.
    pub id: Snowflake,
    /// The token for answering it.
    pub token: String,
    /// The type of the action.
    pub kind: Kind,
    /// The id of the user who acted.
    pub user: Snowflake,
    /// The id of the channel.
    pub channel: Snowflake,
    /// When it was created.
    pub made: Timestamp,
    /// The nonce of the user's client.
    pub(super) nonce: Value,
    /// The object as it was dispatched.
    pub(super) object: Value,
    /// The id of the message whose component it came from.
    pub(super) source: Option<Snowflake>,
    /// The reference to it in its answers.
    pub(super) origin: Origin,
    pub(super) stage: Stage,
    /// The id of the message that answers it, or that it edits.
    pub(super) original: Option<Snowflake>,
    /// Whether that message is still to be filled.
    pub(super) deferred: bool,
    /// The modal that it was answered with.
    pub(super) modal: Option<Value>,
    outcome: Value,
}

impl Interaction {
    /// Its state as last sent to the page.
    #[must_use]
    pub fn outcome(&self) -> &Value {
        &self.outcome
    }

    /// Its state for the page: user, channel, and progress.
    pub(super) fn progress_event(&mut self, state: &str, more: Value) -> Value {
        let mut payload = json!({
            "id": self.id, "user_id": self.user, "channel_id": self.channel, "nonce": self.nonce,
            "type": self.kind as u8, "state": state,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            payload[key] = value.clone();
        }
        self.outcome = payload.clone();
        payload
    }
}

/// The specific data of a new interaction; user and channel determine the rest.
pub(super) struct Beginning {
    pub(super) kind: Kind,
    pub(super) user: Snowflake,
    pub(super) channel: Snowflake,
    pub(super) nonce: Value,
    /// Discord's interaction data.
    pub(super) data: Value,
    pub(super) source: Option<Snowflake>,
    /// The name and type of the command, if it is one.
    pub(super) command: Option<(String, u8)>,
    /// Additional fields of its metadata.
    pub(super) metadata: Map<String, Value>,
}

impl World {
    /// Creates an interaction and dispatches it to the application.
    pub(super) fn begin(
        &mut self,
        beginning: Beginning,
        token: String,
        now: Timestamp,
    ) -> Result<Snowflake, Refusal> {
        self.interactions.retain(|_, old| now.since(old.made) < TOKEN * 2);
        let id = self.mint(now);
        let Beginning { kind, user, channel, nonce, data, source, command, metadata } = beginning;
        let place = self.channels.get(&channel).ok_or(Refusal::UnknownChannel)?;
        let mut object = json!({
            "id": id, "application_id": self.application, "type": kind as u8, "data": data, "token": token,
            "version": 1, "guild_id": place.guild, "guild": {"id": place.guild, "locale": "en-US", "features": []},
            "guild_locale": "en-US", "locale": "en-US", "channel_id": channel,
            "channel": self.partial_channel(user, place), "member": self.acting_member(user, place),
            "app_permissions": self.permissions(self.application, place), "entitlements": [],
            "authorizing_integration_owners": {"0": place.guild}, "context": 0,
            "attachment_size_limit": ATTACHMENT_LIMIT,
        });
        if let Some(source) = source {
            object["message"] = self
                .any_message(channel, source)
                .map(|(place, message)| self.message_object(place, message))?;
        }
        if let Some(distortion) = &self.distortion {
            merge(&mut object, distortion);
        }
        let origin = self.origin(id, kind, user, place, command, metadata);
        let mut interaction = Interaction {
            id,
            token,
            kind,
            user,
            channel,
            made: now,
            nonce,
            object: object.clone(),
            source,
            origin,
            stage: if self.is_shared { Stage::Answered } else { Stage::Open },
            original: None,
            deferred: false,
            modal: None,
            outcome: Value::Null,
        };
        let payload = interaction.progress_event("opened", json!({}));
        self.dispatch("SANDBOX_INTERACTION", payload);
        self.interactions.insert(id, interaction);
        self.opened.push(id);
        if self.interactions_endpoint.is_none() {
            self.dispatch("INTERACTION_CREATE", object);
        }
        Ok(id)
    }

    fn origin(
        &self,
        id: Snowflake,
        kind: Kind,
        user: Snowflake,
        place: &Channel,
        command: Option<(String, u8)>,
        more: Map<String, Value>,
    ) -> Origin {
        let user = self.users.get(&user).map(super::User::object);
        let mut metadata = json!({
            "id": id, "type": kind as u8, "user": user, "authorizing_integration_owners": {"0": place.guild},
        });
        for (key, value) in more {
            metadata[key] = value;
        }
        match command {
            Some((name, command)) => {
                metadata["name"] = json!(name);
                metadata["command_type"] = json!(command);
                let short = json!({"id": id, "type": kind as u8, "name": name, "user": user});
                Origin { id, kind: if command == 1 { 20 } else { 23 }, short: Some(short), metadata }
            }
            None => Origin { id, kind: 19, short: None, metadata },
        }
    }

    /// A channel object as interactions carry it, with the permissions of `user` in it.
    pub(super) fn partial_channel(&self, user: Snowflake, channel: &Channel) -> Value {
        let mut object = channel.object();
        object["permissions"] = json!(self.permissions(user, channel));
        object
    }

    /// A member object as interactions carry the acting user, with their permissions in the channel.
    fn acting_member(&self, user: Snowflake, channel: &Channel) -> Value {
        let guild = self.guilds.get(&channel.guild);
        let mut object = guild
            .and_then(|guild| guild.members.get(&user))
            .map_or(Value::Null, |member| self.member_object(member));
        object["permissions"] = json!(self.permissions(user, channel));
        object
    }

    /// An interaction of the last half hour.
    #[must_use]
    pub fn interaction(&self, id: Snowflake) -> Option<&Interaction> {
        self.interactions.get(&id)
    }

    /// Takes the interactions whose deadline has no watcher yet.
    pub fn take_opened(&mut self) -> Vec<Snowflake> {
        std::mem::take(&mut self.opened)
    }

    /// The deadline has passed: the interaction failed, unless it was answered.
    pub fn expire(&mut self, id: Snowflake) {
        let Some(found) = self.interactions.get_mut(&id).filter(|found| found.stage == Stage::Open) else {
            return;
        };
        found.stage = Stage::Failed;
        let payload = found.progress_event("failed", json!({"reason": "The application did not respond"}));
        self.dispatch("SANDBOX_INTERACTION", payload);
    }

    /// Sets changes to dispatched interactions from now on (RFC 7396: null removes a field); `None` ends them.
    pub fn distort(&mut self, changes: Option<Value>) {
        self.distortion = changes;
    }

    /// Dispatches an interaction again, as a replaying gateway may. Returns whether it is known.
    pub fn replay(&mut self, id: Option<Snowflake>) -> bool {
        let found = match id {
            Some(id) => self.interactions.get(&id),
            None => self.interactions.values().next_back(),
        };
        let Some(object) = found.map(|found| found.object.clone()) else { return false };
        self.dispatch("INTERACTION_CREATE", object);
        true
    }
}

/// JSON Merge Patch (RFC 7396).
fn merge(target: &mut Value, changes: &Value) {
    let Value::Object(changes) = changes else {
        target.clone_from(changes);
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, change) in changes {
        match (change, target.as_object_mut()) {
            (Value::Null, Some(target)) => drop(target.remove(key)),
            (change, _) => merge(&mut target[key.as_str()], change),
        }
    }
}
