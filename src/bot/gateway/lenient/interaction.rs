//! Lenient parsing of interactions: only the person, the place, the action, and how to answer.

use serde_json::{Value, json};
use serenity::all::Interaction;

use crate::bot::lenient::id;

/// The placeholder author of a message without an author; no real user has this id.
const NOBODY: u64 = 1;
/// A placeholder for ids that no code reads.
const ANY: &str = "1";

/// Parses the needed fields of an interaction.
pub(in crate::bot::gateway) fn interaction(raw: &Value) -> serde_json::Result<Interaction> {
    let channel = [&raw["channel_id"], &raw["channel"]["id"], &raw["message"]["channel_id"]];
    let channel = channel.into_iter().find(|id| !id.is_null());
    let guild = [&raw["guild_id"], &raw["guild"]["id"]].into_iter().find(|id| !id.is_null());
    let mut whole = json!({
        "version": 1, "locale": "en-US", "entitlements": [], "attachment_size_limit": 0, "app_permissions": null,
        "channel_id": channel, "data": data(raw, channel.unwrap_or(&Value::Null)),
    });
    keep(&mut whole, raw, &["id", "application_id", "type", "token"]);
    if let Some(guild) = guild {
        whole["guild_id"] = guild.clone();
    }
    if raw["user"].is_object() {
        whole["user"] = user(&raw["user"]);
    }
    let member = &raw["member"];
    if member.is_object() {
        let who = if member["user"].is_object() { &member["user"] } else { &raw["user"] };
        whole["member"] = json!({
            "user": user(who), "roles": roles(&member["roles"]), "deaf": false, "mute": false, "flags": 0,
            "joined_at": null, "permissions": text_of(&member["permissions"]),
        });
        keep(&mut whole["member"], member, &["nick", "communication_disabled_until"]);
    }
    if raw["message"].is_object() {
        whole["message"] = message(&raw["message"], &whole["channel_id"]);
    }
    serde_json::from_value(whole)
}

/// The interaction's data, by its type.
fn data(raw: &Value, channel: &Value) -> Value {
    let data = &raw["data"];
    if !data.is_object() {
        return Value::Null;
    }
    let mut whole = json!({});
    match raw["type"].as_u64() {
        Some(3) => {
            whole["component_type"] = 2.into();
            keep(&mut whole, data, &["custom_id", "component_type", "values"]);
        }
        Some(5) => {
            keep(&mut whole, data, &["custom_id"]);
            let mut rows = Vec::new();
            answers(&data["components"], &mut rows);
            whole["components"] = rows.into();
        }
        _ => {
            whole = json!({"id": ANY, "type": 1, "options": options(&data["options"])});
            keep(&mut whole, data, &["id", "name", "type", "target_id"]);
            if let Some(messages) = data["resolved"]["messages"].as_object() {
                let read = messages.iter().map(|(id, raw)| (id.clone(), message(raw, channel)));
                whole["resolved"] = json!({"messages": read.collect::<serde_json::Map<_, _>>()});
            }
        }
    }
    whole
}

/// Collects the inputs of a dialog, however they are nested: one row each.
fn answers(raw: &Value, rows: &mut Vec<Value>) {
    match raw {
        Value::Array(list) => list.iter().for_each(|raw| answers(raw, rows)),
        Value::Object(_) => {
            if let (Some(id), Some(value)) = (raw["custom_id"].as_str(), raw["value"].as_str()) {
                rows.push(json!({"type": 1, "components": [{"type": 4, "custom_id": id, "value": value}]}));
            }
            answers(&raw["components"], rows);
            answers(&raw["component"], rows);
        }
        _ => {}
    }
}

/// A command's options. If an option's type is missing, it follows from its value.
fn options(raw: &Value) -> Vec<Value> {
    let option = |raw: &Value| {
        let kind = match &raw["value"] {
            Value::String(_) => 3,
            Value::Bool(_) => 5,
            Value::Number(number) if number.is_f64() => 10,
            Value::Number(_) => 4,
            _ => 1,
        };
        let mut whole = json!({"type": kind});
        keep(&mut whole, raw, &["name", "type", "value", "focused"]);
        if raw["value"].is_null() {
            whole["options"] = options(&raw["options"]).into();
        }
        whole
    };
    raw.as_array().into_iter().flatten().map(option).collect()
}

/// A user. Without a name, the id is the name.
fn user(raw: &Value) -> Value {
    let mut whole = json!({"username": id(&raw["id"]).unwrap_or_default().to_string()});
    keep(&mut whole, raw, &["id", "username", "global_name", "bot"]);
    whole
}

/// The ids of roles, also from whole role objects.
fn roles(raw: &Value) -> Vec<String> {
    let one = |raw: &Value| id(raw).or_else(|| id(&raw["id"]));
    raw.as_array().into_iter().flatten().filter_map(one).map(|id| id.to_string()).collect()
}

/// A message: its id and its author.
fn message(raw: &Value, channel: &Value) -> Value {
    let mut whole = json!({
        "channel_id": channel, "author": {"id": NOBODY.to_string(), "username": ""}, "content": "",
        "timestamp": "1970-01-01T00:00:00Z", "edited_timestamp": null, "tts": false, "mention_everyone": false,
        "mentions": [], "mention_roles": [], "attachments": [], "embeds": [], "pinned": false, "type": 0,
    });
    keep(&mut whole, raw, &["id", "webhook_id"]);
    if !raw["author"]["id"].is_null() {
        whole["author"]["id"] = raw["author"]["id"].clone();
    }
    whole
}

/// Copies these fields, if present.
fn keep(to: &mut Value, from: &Value, fields: &[&str]) {
    for field in fields {
        if let Some(value) = from.get(field).filter(|value| !value.is_null()) {
            to[*field] = value.clone();
        }
    }
}

/// Permission bits, which Discord writes as text.
fn text_of(bits: &Value) -> Option<String> {
    bits.as_str().map(str::to_owned).or_else(|| bits.as_u64().map(|bits| bits.to_string()))
}

#[cfg(test)]
mod tests {
    use serenity::all::{ActionRowComponent, ResolvedValue};

    use super::*;

    fn raw() -> Value {
        json!({
            "id": "7", "application_id": "9", "type": 3, "token": "t", "guild_id": 5, "channel_id": "6",
            "member": {"user": {"id": "8", "username": "alice"}, "roles": ["11", 12], "permissions": 32},
            "message": {"id": "10"}, "data": {"custom_id": "v1:approve:x"},
        })
    }

    #[test]
    fn a_click_is_read_from_what_is_needed_of_it() {
        let Interaction::Component(click) = interaction(&raw()).unwrap() else { panic!("no click") };
        let member = click.member.as_ref().unwrap();
        assert_eq!(member.roles.len(), 2);
        assert!(member.permissions.unwrap().manage_guild());
        assert_eq!((click.user.id.get(), click.message.author.id.get()), (8, NOBODY));
        assert_eq!(click.channel_id.get(), 6);
    }

    // D-4: missing fields give no one more access.
    #[test]
    fn what_is_missing_is_not_guessed() {
        let mut raw = raw();
        raw["member"] = json!({"user": {"id": "8"}, "roles": [{"name": "Approvers"}, null, "Approvers"]});
        let Interaction::Component(click) = interaction(&raw).unwrap() else { panic!("no click") };
        let member = click.member.unwrap();
        assert!(member.roles.is_empty() && member.permissions.is_none());
        for needed in ["id", "token", "type", "data"] {
            let mut raw = self::raw();
            raw.as_object_mut().unwrap().remove(needed);
            assert!(interaction(&raw).is_err(), "{needed}");
        }
    }

    #[test]
    fn roles_may_be_told_themselves() {
        let mut raw = raw();
        raw["guild"] = json!({"id": "5"});
        raw["guild_id"] = Value::Null;
        raw["member"]["roles"] = json!([{"id": "11", "name": "Approvers"}, {"id": 12}]);
        raw["member"]["user"]["username"] = Value::Null;
        let Interaction::Component(click) = interaction(&raw).unwrap() else { panic!("no click") };
        let roles: Vec<u64> = click.member.unwrap().roles.iter().map(|role| role.get()).collect();
        assert_eq!((roles, click.guild_id.unwrap().get()), (vec![11, 12], 5));
    }

    #[rstest::rstest]
    #[case::bare(json!([{"custom_id": "text", "value": "because"}]))]
    #[case::a_row(json!([{"type": 1, "components": [{"custom_id": "text", "value": "because"}]}]))]
    #[case::a_label(json!([{"type": 18, "id": 3, "component": {"type": 4, "custom_id": "text", "value": "because"}}]))]
    fn a_dialog_is_read_in_whatever_it_is_wrapped(#[case] components: Value) {
        let mut raw = raw();
        raw["type"] = 5.into();
        raw["data"] = json!({"custom_id": "v1:deny:x", "components": components});
        raw["message"] = Value::Null;
        let Interaction::Modal(modal) = interaction(&raw).unwrap() else { panic!("no dialog") };
        let ActionRowComponent::InputText(input) = &modal.data.components[0].components[0] else {
            panic!("no input")
        };
        assert_eq!(input.value.as_deref(), Some("because"));
    }

    #[test]
    fn a_command_is_read_without_types_and_ids() {
        let mut raw = raw();
        raw["type"] = 2.into();
        let machine = json!({"name": "machine", "value": "a"});
        raw["data"] = json!({"name": "machine", "options": [{"name": "approve", "options": [machine]}]});
        let Interaction::Command(command) = interaction(&raw).unwrap() else { panic!("no command") };
        let options = command.data.options();
        let ResolvedValue::SubCommand(inner) = &options[0].value else { panic!("{options:?}") };
        assert!(matches!(inner[0].value, ResolvedValue::String("a")));
    }

    #[test]
    fn the_message_of_a_menu_is_read() {
        let mut raw = raw();
        raw["type"] = 2.into();
        let resolved = json!({"messages": {"10": {"id": "10", "thread": null, "author": null}}});
        raw["data"] = json!({"name": "Show raw", "type": 3, "target_id": "10", "resolved": resolved});
        let Interaction::Command(command) = interaction(&raw).unwrap() else { panic!("no command") };
        let message = command.data.resolved.messages.values().next().unwrap();
        assert_eq!((message.id.get(), message.author.id.get()), (10, NOBODY));
    }
}
