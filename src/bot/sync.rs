//! A comparison of the commands registered at Discord with those of this nuncio. Pure.
//!
//! Discord returns more than it was sent: ids, versions, and defaults for omitted fields. So the comparison checks
//! whether everything we send is contained in what Discord has.

use serde_json::{Map, Value};

/// Fields that exist only for global commands or only for guild commands.
const OF_ITS_PLACE: [&str; 3] = ["dm_permission", "contexts", "integration_types"];
/// Fields that are a difference if Discord has them and we omit them.
const NOT_OURS: [&str; 3] = ["options", "choices", "default_member_permissions"];

/// Differences between the commands at Discord and ours, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandDifferences {
    /// Our commands that Discord lacks.
    pub missing: Vec<String>,
    /// Our commands that Discord has in another version.
    pub outdated: Vec<String>,
    /// Commands at Discord that are not ours.
    pub foreign: Vec<String>,
}

impl CommandDifferences {
    /// Compares `ours`, a list of commands, with those that Discord has.
    #[must_use]
    pub fn between(ours: &Value, theirs: &[Value]) -> Self {
        let mut differences = Self::default();
        let ours: Vec<&Value> = ours.as_array().into_iter().flatten().collect();
        for command in &ours {
            match theirs.iter().find(|other| is_same_name(command, other)) {
                None => differences.missing.push(label(command)),
                Some(other) if !holds(command, other) => differences.outdated.push(label(command)),
                Some(_) => {}
            }
        }
        let foreign = theirs.iter().filter(|other| !ours.iter().any(|command| is_same_name(command, other)));
        differences.foreign = foreign.map(label).collect();
        differences
    }

    /// Those of `ours` that Discord has, in any version.
    #[must_use]
    pub fn present(&self, ours: &Value) -> Vec<String> {
        let ours = ours.as_array().into_iter().flatten().map(label);
        ours.filter(|name| !self.missing.contains(name)).collect()
    }

    /// Adds the differences of another guild.
    pub fn add(&mut self, other: Self) {
        let both = [
            (&mut self.missing, other.missing),
            (&mut self.outdated, other.outdated),
            (&mut self.foreign, other.foreign),
        ];
        for (all, more) in both {
            all.extend(more);
            all.sort_unstable();
            all.dedup();
        }
    }

    /// Whether Discord has exactly our commands.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// `/mute`, or `Show raw` for a menu command.
fn label(command: &Value) -> String {
    let name = command["name"].as_str().unwrap_or_default();
    if kind(command) == 1 { format!("/{name}") } else { name.to_owned() }
}

fn kind(command: &Value) -> u64 {
    command["type"].as_u64().unwrap_or(1)
}

fn is_same_name(one: &Value, other: &Value) -> bool {
    one["name"] == other["name"] && kind(one) == kind(other)
}

/// Whether `theirs` contains all of `ours`.
fn holds(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let is_held = |(name, value): (&String, &Value)| {
                OF_ITS_PLACE.contains(&name.as_str())
                    || holds(value, theirs.get(name).unwrap_or(&Value::Null))
            };
            let is_more =
                |name: &str| !ours.contains_key(name) && theirs.get(name).is_some_and(differs_from_default);
            ours.iter().all(is_held) && !NOT_OURS.into_iter().any(is_more)
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, other)| holds(one, other))
        }
        (Value::Number(ours), Value::Number(theirs)) => ours.as_f64() == theirs.as_f64(),
        (ours, Value::Null) => !differs_from_default(ours),
        _ => ours == theirs,
    }
}

/// Whether a value differs from the default of an omitted field.
fn differs_from_default(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !Map::is_empty(object),
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ours() -> Value {
        json!([
            {"name": "mute", "type": 1, "description": "Mute a kind", "nsfw": false,
             "options": [{"name": "kind", "type": 3, "description": "Which", "required": true, "max_value": 5}]},
            {"name": "Show raw", "type": 3, "description": ""},
        ])
    }

    fn discords() -> Vec<Value> {
        let facts = json!({"id": "1", "version": "2", "application_id": "3", "name_localizations": null});
        let mut commands = ours().as_array().unwrap().clone();
        for command in &mut commands {
            command.as_object_mut().unwrap().remove("nsfw");
            command.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
        }
        commands[0]["options"][0]["max_value"] = json!(5.0);
        commands
    }

    // Each with the near miss before it: what Discord adds to the commands it was sent is no difference.
    #[test]
    fn what_discord_has_is_compared_with_what_it_was_sent() {
        assert!(CommandDifferences::between(&ours(), &discords()).is_none());
        let differs = |change: &dyn Fn(&mut Vec<Value>)| {
            let mut theirs = discords();
            change(&mut theirs);
            let CommandDifferences { missing, outdated, foreign } =
                CommandDifferences::between(&ours(), &theirs);
            (missing.join(" "), outdated.join(" "), foreign.join(" "))
        };
        let is = |missing: &str, outdated: &str, foreign: &str| {
            (missing.to_owned(), outdated.to_owned(), foreign.to_owned())
        };
        assert_eq!(differs(&|all| drop(all.remove(0))), is("/mute", "", ""));
        assert_eq!(differs(&|all| all[0]["description"] = json!("Old")), is("", "/mute", ""));
        assert_eq!(differs(&|all| all[0]["options"][0]["required"] = json!(false)), is("", "/mute", ""));
        assert_eq!(differs(&|all| all[1]["default_member_permissions"] = json!("8")), is("", "Show raw", ""));
        let old = json!({"name": "status", "type": 1, "description": "Of the old bot"});
        assert_eq!(differs(&|all| all.push(old.clone())), is("", "", "/status"));
    }
}
