//! Clicks on components, and submitted modals.

use serde_json::{Map, Value, json};

use super::interaction::{Beginning, Kind};
use super::invoke::Resolved;
use super::{Permission, Refusal, World};
use crate::clock::Timestamp;
use crate::sandbox::Snowflake;

/// The kind of a menu with its own options; the other menus choose from the guild's users, roles and channels.
const STRING_SELECT: u64 = 3;

/// A user presses a button or chooses from a menu.
#[derive(Clone, Debug)]
pub struct Click {
    /// The id of the channel.
    pub channel: Snowflake,
    /// The id of the message with the component.
    pub message: Snowflake,
    /// Discord's type number of the component.
    pub component: u64,
    /// The component's custom id.
    pub custom_id: String,
    /// The chosen values of a menu.
    pub values: Vec<String>,
    /// The client's nonce of the interaction.
    pub nonce: Value,
}

/// A user submits a modal.
#[derive(Clone, Debug)]
pub struct Submit {
    /// The id of the channel.
    pub channel: Snowflake,
    /// The interaction that was answered with the modal; the last one with this custom id if `None`.
    pub opened_by: Option<Snowflake>,
    /// The modal's custom id.
    pub custom_id: String,
    /// The filled-in values: components as Discord's clients send them, or only their `custom_id` with `value`.
    pub components: Vec<Value>,
    /// The client's nonce of the interaction.
    pub nonce: Value,
}

impl World {
    /// `user` clicks a component: validates the click and begins an interaction.
    pub fn click(
        &mut self,
        user: Snowflake,
        click: Click,
        token: String,
        now: Timestamp,
    ) -> Result<Snowflake, Refusal> {
        self.visible(user, click.channel)?;
        let (place, message) = self.any_message(click.channel, click.message)?;
        if message.byline.only_for.is_some_and(|only| only != user) {
            return Err(Refusal::UnknownMessage);
        }
        if message.author != self.application && message.byline.application != Some(self.application) {
            return Err(invalid("custom_id"));
        }
        let component = find(&message.draft.components, &click.custom_id)
            .filter(|found| found["type"] == click.component && found["disabled"] != true)
            .ok_or_else(|| invalid("custom_id"))?;
        let mut data = json!({
            "id": component["id"], "component_type": click.component, "custom_id": click.custom_id,
        });
        if click.component >= STRING_SELECT {
            let bound = |key: &str| component[key].as_u64().unwrap_or(1);
            let count = click.values.len() as u64;
            if !(bound("min_values")..=bound("max_values")).contains(&count) {
                return Err(invalid("values"));
            }
            let mut resolved = Resolved::default();
            for value in &click.values {
                let there = match click.component {
                    STRING_SELECT => component["options"].as_array().is_some_and(|options| {
                        options.iter().any(|option| option["value"] == value.as_str())
                    }),
                    kind => value.parse().is_ok_and(|id| match kind {
                        5 => resolved.user(self, place, id),
                        6 => resolved.role(self, place, id),
                        7 => resolved.user(self, place, id) || resolved.role(self, place, id),
                        _ => resolved.channel(self, user, id),
                    }),
                };
                if !there {
                    return Err(invalid("values"));
                }
            }
            data["values"] = json!(click.values);
            if let Some(resolved) = resolved.object() {
                data["resolved"] = resolved;
            }
        }
        let metadata = Map::from_iter([("interacted_message_id".to_owned(), json!(click.message))]);
        let (channel, nonce, source) = (click.channel, click.nonce, Some(click.message));
        let kind = Kind::Component;
        self.begin(
            Beginning { kind, user, channel, nonce, data, source, command: None, metadata },
            token,
            now,
        )
    }

    /// `user` submits a modal: validates the values and begins an interaction.
    pub fn submit(
        &mut self,
        user: Snowflake,
        submit: Submit,
        token: String,
        now: Timestamp,
    ) -> Result<Snowflake, Refusal> {
        self.visible(user, submit.channel)?;
        let opener = self
            .interactions
            .values()
            .rev()
            .filter(|found| found.user == user && found.channel == submit.channel)
            .filter(|found| submit.opened_by.is_none_or(|id| id == found.id))
            .find(|found| {
                found.modal.as_ref().is_some_and(|modal| modal["custom_id"] == submit.custom_id.as_str())
            })
            .ok_or_else(|| invalid("custom_id"))?;
        let mut filled = Vec::new();
        gather(&submit.components, &mut filled);
        let rows = opener.modal.as_ref().and_then(|modal| modal["components"].as_array());
        let rows: Vec<Value> = rows
            .into_iter()
            .flatten()
            .enumerate()
            .map(|(index, row)| fill(row, &filled, &format!("data.components.{index}")))
            .collect::<Result<_, _>>()?;
        let data = json!({"custom_id": submit.custom_id, "components": rows});
        let metadata =
            Map::from_iter([("triggering_interaction_metadata".to_owned(), opener.origin.metadata.clone())]);
        let (opened_by, source) = (opener.id, opener.source);
        let command = opener.origin.short.as_ref().zip(Some(opener.origin.kind)).map(|(short, kind)| {
            (short["name"].as_str().unwrap_or_default().to_owned(), if kind == 20 { 1 } else { 2 })
        });
        let (kind, channel, nonce) = (Kind::Modal, submit.channel, submit.nonce);
        // A message that was deleted in the meantime is no longer part of it.
        let source = source.filter(|source| self.any_message(channel, *source).is_ok());
        let begun = Beginning { kind, user, channel, nonce, data, source, command, metadata };
        let id = self.begin(begun, token, now)?;
        if let Some(opener) = self.interactions.get_mut(&opened_by) {
            // A modal can be submitted once.
            opener.modal = None;
        }
        Ok(id)
    }

    /// Checks whether `user` may use commands in `channel`.
    pub(super) fn may_use_commands(&self, user: Snowflake, channel: Snowflake) -> Result<(), Refusal> {
        self.channel_with(user, channel, Permission::UseCommands).map(|_| ())
    }
}

fn invalid(key: &str) -> Refusal {
    Refusal::at(&format!("data.{key}"), "COMPONENT_VALIDATION_FAILED", "Component validation failed")
}

/// The component with this custom id, at any depth.
fn find<'a>(components: &'a [Value], custom_id: &str) -> Option<&'a Value> {
    components.iter().find_map(|component| {
        if component["custom_id"] == custom_id {
            return Some(component);
        }
        let inner = component["components"].as_array().and_then(|inner| find(inner, custom_id));
        inner.or_else(|| component.get("accessory").filter(|accessory| accessory["custom_id"] == custom_id))
    })
}

/// Collects all filled-in components, at any depth.
fn gather<'a>(components: &'a [Value], filled: &mut Vec<&'a Value>) {
    for component in components {
        if component.get("custom_id").is_some() {
            filled.push(component);
        }
        if let Some(inner) = component["components"].as_array() {
            gather(inner, filled);
        }
        if let Some(inner) = component.get("component") {
            gather(std::slice::from_ref(inner), filled);
        }
    }
}

/// A row of a modal with its values, as the application receives it.
fn fill(row: &Value, filled: &[&Value], path: &str) -> Result<Value, Refusal> {
    let mut shown = json!({"type": row["type"], "id": row["id"]});
    if let Some(inner) = row["components"].as_array() {
        let inner = inner
            .iter()
            .enumerate()
            .map(|(index, input)| answered(input, filled, &format!("{path}.components.{index}")));
        shown["components"] = inner.collect::<Result<Vec<_>, _>>()?.into();
    } else if let Some(inner) = row.get("component") {
        shown["component"] = answered(inner, filled, &format!("{path}.component"))?;
    }
    Ok(shown)
}

fn answered(input: &Value, filled: &[&Value], path: &str) -> Result<Value, Refusal> {
    let given = filled.iter().find(|given| given["custom_id"] == input["custom_id"]);
    let mut shown = json!({"type": input["type"], "id": input["id"], "custom_id": input["custom_id"]});
    let required = input["required"] != false;
    let missing = || Refusal::at(&format!("{path}.value"), "BASE_TYPE_REQUIRED", "This field is required");
    if input["type"] != 4 {
        let values = given.map_or_else(|| json!([]), |given| given["values"].clone());
        if required && values.as_array().is_none_or(Vec::is_empty) {
            return Err(missing());
        }
        shown["values"] = values;
        return Ok(shown);
    }
    let text = given.and_then(|given| given["value"].as_str()).unwrap_or_default();
    let length = text.chars().count() as u64;
    if length == 0 && required {
        return Err(missing());
    }
    let (least, most) =
        (input["min_length"].as_u64().unwrap_or(0), input["max_length"].as_u64().unwrap_or(4000));
    if length > most || (length > 0 && length < least) {
        let message = format!("Must be between {least} and {most} in length.");
        return Err(Refusal::at(&format!("{path}.value"), "BASE_TYPE_BAD_LENGTH", &message));
    }
    shown["value"] = text.into();
    Ok(shown)
}
