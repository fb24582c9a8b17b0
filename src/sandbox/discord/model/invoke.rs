//! Use of commands: checks a user's input against the definition of the command.

use serde_json::{Map, Value, json};

use super::interaction::{Beginning, Kind};
use super::{Channel, Command, Permission, Permissions, Refusal, World};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// The largest integer that every client represents exactly.
const SAFE: i64 = (1 << 53) - 1;

/// A user invokes a command, or is typing it (autocomplete).
#[derive(Clone, Debug)]
pub struct Invoke {
    /// The id of the channel.
    pub channel: Snowflake,
    /// The command's id, if it is known.
    pub id: Option<Snowflake>,
    /// The command's name.
    pub name: String,
    /// Discord's type number of the command.
    pub kind: u64,
    /// `{name, value}`, for a subcommand `{name, options}`; `focused` on the one being typed.
    pub options: Vec<Value>,
    /// The user or message that a context menu command is used on.
    pub target: Option<Snowflake>,
    /// Whether it is still being typed.
    pub autocomplete: bool,
    /// The client's nonce of the interaction.
    pub nonce: Value,
}

/// Discord's resolved data: the objects of the ids in options and menus.
#[derive(Debug, Default)]
pub(super) struct Resolved(Map<String, Value>);

impl Resolved {
    fn put(&mut self, kind: &str, id: Snowflake, object: Value) {
        self.0.entry(kind).or_insert_with(|| json!({}))[id.to_string()] = object;
    }

    /// Adds a user. Returns whether it exists.
    pub(super) fn user(&mut self, world: &World, place: &Channel, id: Snowflake) -> bool {
        let Ok(user) = world.user(id) else { return false };
        self.put("users", id, user.object());
        let guild = world.guilds.get(&place.guild);
        if let Some(member) = guild.and_then(|guild| guild.members.get(&id)) {
            let mut object = member.partial_object();
            object["permissions"] = json!(world.permissions(id, place));
            self.put("members", id, object);
        }
        true
    }

    /// Adds a role. Returns whether it exists.
    pub(super) fn role(&mut self, world: &World, place: &Channel, id: Snowflake) -> bool {
        let guild = world.guilds.get(&place.guild);
        let Some(role) = guild.and_then(|guild| guild.roles.iter().find(|role| role.id == id)) else {
            return false;
        };
        self.put("roles", id, role.object());
        true
    }

    /// Adds a channel. Returns whether `user` can see it.
    pub(super) fn channel(&mut self, world: &World, user: Snowflake, id: Snowflake) -> bool {
        let Ok(channel) = world.channel(user, id) else { return false };
        self.put("channels", id, world.partial_channel(user, channel));
        true
    }

    /// The object, if it is not empty.
    pub(super) fn object(self) -> Option<Value> {
        Some(self.0).filter(|found| !found.is_empty()).map(Value::Object)
    }
}

impl World {
    /// `user` invokes a command, or types one.
    pub fn invoke(
        &mut self,
        user: Snowflake,
        invoke: Invoke,
        token: String,
        now: Timestamp,
    ) -> Result<Snowflake, Refusal> {
        self.may_use_commands(user, invoke.channel)?;
        let (place, permissions) = self.visible(user, invoke.channel)?;
        let command = self
            .commands
            .values()
            .filter(|command| command.guild.is_none_or(|guild| guild == place.guild))
            // A guild's own command takes precedence over a global one with this name.
            .max_by_key(|command| (invoke.fits(command), command.guild.is_some()))
            .filter(|command| invoke.fits(command))
            .ok_or(Refusal::UnknownCommand)?;
        if !command.open_to(permissions) {
            return Err(Refusal::MissingPermissions);
        }
        let mut resolved = Resolved::default();
        let mut data = json!({"id": command.id, "name": command.name(), "type": command.kind()});
        if let Some(guild) = command.guild {
            data["guild_id"] = json!(guild);
        }
        let mut metadata = Map::new();
        match invoke.target {
            Some(target) if command.kind() == 2 => {
                if !resolved.user(self, place, target) {
                    return Err(Refusal::UnknownUser);
                }
                metadata.insert("target_user".to_owned(), self.user(target)?.object());
                data["target_id"] = json!(target);
            }
            Some(target) if command.kind() == 3 => {
                let message = self.message(user, place.id, target)?;
                resolved.put("messages", target, message);
                metadata.insert("target_message_id".to_owned(), json!(target));
                data["target_id"] = json!(target);
            }
            None if command.kind() != 1 => {
                let message = "This field is required";
                return Err(Refusal::at("data.target_id", "BASE_TYPE_REQUIRED", message));
            }
            _ => {
                let reader = Reader { world: self, place, user, autocomplete: invoke.autocomplete };
                let options =
                    reader.options(&invoke.options, command.options(), "data.options", &mut resolved)?;
                if !options.is_empty() {
                    data["options"] = options.into();
                }
            }
        }
        if let Some(resolved) = resolved.object() {
            data["resolved"] = resolved;
        }
        let kind = if invoke.autocomplete { Kind::Autocomplete } else { Kind::Command };
        let named = Some((command.name().to_owned(), command.kind()));
        let Invoke { channel, nonce, .. } = invoke;
        let beginning =
            Beginning { kind, user, channel, nonce, data, source: None, command: named, metadata };
        self.begin(beginning, token, now)
    }
}

impl Invoke {
    fn fits(&self, command: &Command) -> bool {
        match self.id {
            Some(id) => command.id == id,
            None => command.name() == self.name && u64::from(command.kind()) == self.kind,
        }
    }
}

impl Command {
    /// Whether these permissions suffice to use it; "0" restricts it to administrators.
    fn open_to(&self, permissions: Permissions) -> bool {
        let needed = self.fields.get("default_member_permissions").and_then(Value::as_str);
        match needed.and_then(|bits| bits.parse().ok()) {
            None => true,
            Some(0) => permissions.has(Permission::Administrator),
            Some(bits) => {
                permissions.has(Permission::Administrator)
                    || permissions.has_all(Permissions::from_bits(bits))
            }
        }
    }
}

/// Checks and resolves the user's input.
struct Reader<'a> {
    world: &'a World,
    place: &'a Channel,
    user: Snowflake,
    autocomplete: bool,
}

impl Reader<'_> {
    /// The options in the form that the application receives.
    fn options(
        &self,
        given: &[Value],
        defined: &[Value],
        path: &str,
        resolved: &mut Resolved,
    ) -> Result<Vec<Value>, Refusal> {
        let mut read = Vec::new();
        for (index, option) in given.iter().enumerate() {
            let at = format!("{path}.{index}");
            let Some(definition) = defined.iter().find(|known| known["name"] == option["name"]) else {
                let message = "This command has no such option";
                return Err(Refusal::at(
                    &format!("{at}.name"),
                    "APPLICATION_COMMAND_OPTION_UNKNOWN",
                    message,
                ));
            };
            let mut shown = json!({"name": definition["name"], "type": definition["type"]});
            if matches!(definition["type"].as_u64(), Some(1 | 2)) {
                let inner = |value: &Value| value["options"].as_array().cloned().unwrap_or_default();
                let at = format!("{at}.options");
                let options = self.options(&inner(option), &inner(definition), &at, resolved)?;
                shown["options"] = options.into();
            } else if self.autocomplete && option["focused"] == true {
                if definition["autocomplete"] != true {
                    return Err(wrong(&at, "This option does not autocomplete"));
                }
                // A value being typed is text, whatever its type.
                let text = &option["value"];
                shown["value"] = text.as_str().map_or_else(|| text.to_string(), str::to_owned).into();
                shown["focused"] = true.into();
            } else {
                shown["value"] = self.value(&option["value"], definition, &at, resolved)?;
            }
            read.push(shown);
        }
        let subcommands = defined.iter().any(|known| matches!(known["type"].as_u64(), Some(1 | 2)));
        if subcommands && read.len() != 1 {
            return Err(wrong(path, "One subcommand is required"));
        }
        let missing = defined.iter().find(|known| {
            known["required"] == true && !read.iter().any(|option| option["name"] == known["name"])
        });
        match missing {
            Some(missing) if !self.autocomplete => {
                let message = format!("The option {} is required", missing["name"]);
                Err(Refusal::at(path, "APPLICATION_COMMAND_REQUIRED_OPTION_MISSING", &message))
            }
            _ => Ok(read),
        }
    }

    fn value(
        &self,
        given: &Value,
        definition: &Value,
        path: &str,
        resolved: &mut Resolved,
    ) -> Result<Value, Refusal> {
        let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
        let id = || text.parse::<Snowflake>().ok();
        let bound = |key: &str| definition[key].as_f64();
        let within = |size: f64, least: &str, most: &str| {
            bound(least).is_none_or(|least| size >= least) && bound(most).is_none_or(|most| size <= most)
        };
        let value = match definition["type"].as_u64() {
            Some(3) => given
                .as_str()
                .filter(|text| within(text.chars().count() as f64, "min_length", "max_length"))
                .map(|text| json!(text)),
            Some(4) => text
                .parse::<i64>()
                .ok()
                .filter(|number| (-SAFE..=SAFE).contains(number))
                .filter(|number| within(*number as f64, "min_value", "max_value"))
                .map(|number| json!(number)),
            Some(10) => text
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite() && within(*number, "min_value", "max_value"))
                .map(|number| json!(number)),
            Some(5) => text.parse::<bool>().ok().map(|flag| json!(flag)),
            Some(6) => id().filter(|id| resolved.user(self.world, self.place, *id)).map(|id| json!(id)),
            Some(7) => id()
                .filter(|id| {
                    self.takes_channel(*id, definition) && resolved.channel(self.world, self.user, *id)
                })
                .map(|id| json!(id)),
            Some(8) => id().filter(|id| resolved.role(self.world, self.place, *id)).map(|id| json!(id)),
            Some(9) => id()
                .filter(|id| {
                    resolved.user(self.world, self.place, *id) || resolved.role(self.world, self.place, *id)
                })
                .map(|id| json!(id)),
            _ => None,
        };
        let value = value.ok_or_else(|| wrong(path, "This is not what the option takes"))?;
        let choices = definition["choices"].as_array().filter(|choices| !choices.is_empty());
        if choices.is_some_and(|choices| !choices.iter().any(|choice| choice["value"] == value)) {
            return Err(wrong(path, "This is not one of the choices"));
        }
        Ok(value)
    }

    /// Whether the option accepts the channel's type.
    fn takes_channel(&self, id: Snowflake, definition: &Value) -> bool {
        let kinds = definition["channel_types"].as_array().filter(|kinds| !kinds.is_empty());
        let kind = self.world.channels.get(&id).map(|channel| channel.kind);
        kinds.is_none_or(|kinds| kinds.iter().any(|known| known.as_u64() == kind.map(u64::from)))
    }
}

fn wrong(path: &str, message: &str) -> Refusal {
    Refusal::at(path, "APPLICATION_COMMAND_OPTION_INVALID", message)
}
