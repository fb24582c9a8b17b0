//! Application commands: their definitions, registered per guild or globally.

use serde_json::{Map, Value, json};

use super::{Refusal, World};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// Slash commands of an application in one scope (Discord: "Application Commands").
const SLASH: usize = 100;
/// Context menu commands of each kind.
const MENU: usize = 15;

/// A registered command.
#[derive(Clone, Debug)]
pub struct Command {
    /// Unique over all scopes.
    pub id: Snowflake,
    /// The guild it is registered in; global if `None`.
    pub guild: Option<Snowflake>,
    /// A new id with each change of the definition.
    pub version: Snowflake,
    /// The validated definition: `name`, `type`, `description`, `options`, …
    pub fields: Map<String, Value>,
}

impl Command {
    /// The name in the definition; unique per type and scope.
    #[must_use]
    pub fn name(&self) -> &str {
        self.fields.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// Discord's type number: 1 slash command, 2 on users, 3 on messages.
    #[must_use]
    pub fn kind(&self) -> u8 {
        kind(&self.fields)
    }

    /// The option definitions, as Discord's objects.
    #[must_use]
    pub fn options(&self) -> &[Value] {
        self.fields.get("options").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Discord's application command object.
    #[must_use]
    pub fn object(&self, application: Snowflake) -> Value {
        let mut object = json!({
            "id": self.id, "application_id": application, "version": self.version, "type": self.kind(),
            "default_member_permissions": null, "name": "", "name_localizations": null, "description": "",
            "description_localizations": null, "nsfw": false,
        });
        match self.guild {
            Some(guild) => object["guild_id"] = json!(guild),
            None => {
                object["dm_permission"] = true.into();
                object["contexts"] = Value::Null;
                object["integration_types"] = json!([0]);
            }
        }
        for (key, value) in &self.fields {
            object[key] = value.clone();
        }
        object
    }
}

fn kind(fields: &Map<String, Value>) -> u8 {
    fields.get("type").and_then(Value::as_u64).and_then(|kind| u8::try_from(kind).ok()).unwrap_or(1)
}

fn name(fields: &Map<String, Value>) -> &str {
    fields.get("name").and_then(Value::as_str).unwrap_or_default()
}

impl World {
    /// All commands, in creation order.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.commands.values()
    }

    /// The commands of one scope: a guild's, or the global ones.
    pub fn commands_in(&self, guild: Option<Snowflake>) -> impl Iterator<Item = &Command> {
        self.commands.values().filter(move |command| command.guild == guild)
    }

    /// A command of this scope; refused if unknown.
    pub fn command(&self, guild: Option<Snowflake>, id: Snowflake) -> Result<&Command, Refusal> {
        self.commands.get(&id).filter(|command| command.guild == guild).ok_or(Refusal::UnknownCommand)
    }

    /// Creates a command, or overwrites the one with this name and type. Returns it with whether it is new.
    pub fn register(
        &mut self,
        guild: Option<Snowflake>,
        fields: Map<String, Value>,
        now: Timestamp,
    ) -> Result<(bool, Value), Refusal> {
        let of_kind: Vec<&Command> =
            self.commands_in(guild).filter(|command| command.kind() == kind(&fields)).collect();
        let known = of_kind.iter().find(|command| command.name() == name(&fields)).map(|command| command.id);
        let most = if kind(&fields) == 1 { SLASH } else { MENU };
        if known.is_none() && of_kind.len() >= most {
            return Err(Refusal::TooManyCommands);
        }
        let version = self.mint(now);
        let id = known.unwrap_or(version);
        let command = Command { id, guild, version, fields };
        let object = command.object(self.application);
        self.commands.insert(id, command);
        Ok((known.is_none(), object))
    }

    /// Replaces the commands of a scope; commands whose name and type exist already keep their ids (Discord: "Bulk
    /// Overwrite").
    pub fn register_all(
        &mut self,
        guild: Option<Snowflake>,
        all: Vec<Map<String, Value>>,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        for (index, fields) in all.iter().enumerate() {
            let same =
                |other: &&Map<String, Value>| name(other) == name(fields) && kind(other) == kind(fields);
            if all[..index].iter().any(|other| same(&other)) {
                let message = "Application command names must be unique";
                let path = format!("{index}.name");
                return Err(Refusal::at(&path, "APPLICATION_COMMANDS_DUPLICATE_NAME", message));
            }
        }
        let count = |wanted| all.iter().filter(|fields| kind(fields) == wanted).count();
        if count(1) > SLASH || count(2) > MENU || count(3) > MENU {
            return Err(Refusal::TooManyCommands);
        }
        let kept = |command: &Command| {
            all.iter().any(|fields| name(fields) == command.name() && kind(fields) == command.kind())
        };
        self.commands.retain(|_, command| command.guild != guild || kept(command));
        all.into_iter().map(|fields| self.register(guild, fields, now).map(|(_, object)| object)).collect()
    }

    /// Changes a command of this scope.
    pub fn change_command(
        &mut self,
        guild: Option<Snowflake>,
        id: Snowflake,
        fields: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        self.command(guild, id)?;
        let clash = |other: &Command| {
            other.id != id && other.name() == name(&fields) && other.kind() == kind(&fields)
        };
        if self.commands_in(guild).any(clash) {
            let message = "Application command names must be unique";
            return Err(Refusal::at("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", message));
        }
        let version = self.mint(now);
        let command = Command { id, guild, version, fields };
        let object = command.object(self.application);
        self.commands.insert(id, command);
        Ok(object)
    }

    /// Deletes a command of this scope.
    pub fn unregister(&mut self, guild: Option<Snowflake>, id: Snowflake) -> Result<(), Refusal> {
        self.command(guild, id)?;
        self.commands.remove(&id);
        Ok(())
    }
}
