//! The map: which events go to which channel.
//!
//! Existing entries are checked and kept, including keys that setup does not ask for; a channel that the bot cannot
//! write to is reported and chosen again. A channel to create gets its id after the operator agrees: until then a
//! placeholder, which is no channel's id, is in the map.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::model::Snowflake;
use crate::model::route::{Pattern, Route, RouteKey, Target};
use crate::setup::draft::MAP;
use crate::setup::server::{ServerRow, Servers};
use crate::setup::{Choices, NewChannel, PromptQuestion, Setup, SetupStop};

/// Groups of events: the name, the key in the map, and a word that suggests a channel by its name.
const GROUPS: [(&str, &str, &str); 5] = [
    ("tickets", "ticket.*", "ticket"),
    ("assets", "asset.*", "asset"),
    ("machines", "machine.*", "machine"),
    ("alerts", "alert.*", "alert"),
    ("everything else", DEFAULT, "general"),
];
const DEFAULT: &str = "default";
const LONGEST_NAME: usize = 100;

/// The choice for a key.
enum Chosen {
    Channel(Snowflake),
    /// No channel of its own.
    LikeTheRest,
}

/// Which choice is selected at first.
#[derive(Clone, Copy)]
enum Cursor {
    /// The channel that the map names.
    Channel(Snowflake),
    /// The channel whose name fits.
    ByName,
    /// No channel of its own.
    NoChannel,
}

/// Asks for what is missing; returns the channels to create.
pub(super) async fn ask(setup: &mut Setup<'_>, servers: &mut Servers) -> Result<Vec<NewChannel>, SetupStop> {
    let options = setup.options;
    let routes = setup.draft.config()?.routes;
    let known = routes.routes().iter().flat_map(channels_of).collect();
    servers.learn(setup.clock, known).await;
    let mut map = read(setup.draft.value(MAP).unwrap_or_default());
    let mut new = Vec::new();
    let mut given = BTreeSet::new();
    for (key, text) in &options.channels {
        let key = written(&map, &key_of(key));
        if let Some(channel) = named(setup, servers, &key, text)? {
            map.insert(key.clone(), json!([channel]));
            given.insert(key);
        }
    }
    let has_default = map.contains_key(DEFAULT)
        || routes.routes().iter().any(|route| route.pattern == Pattern::Default && route.company.is_none());
    // With --again, groups without a channel of their own are asked for as well.
    let was_empty = routes.routes().is_empty();
    let asks_groups = was_empty || options.again;
    let spelled = GROUPS.map(|(_, key, _)| written(&map, key));
    for route in routes.routes() {
        if given.contains(&route.key) {
            continue;
        }
        // One channel is all that a question can answer: any other targets are checked and kept.
        let is_asked = options.again && route.targets.len() == 1 && channels_of(route).count() == 1;
        if !is_asked && check(setup, servers, route)? {
            continue;
        }
        let cursor = channels_of(route).next().map_or(Cursor::ByName, Cursor::Channel);
        if let Chosen::Channel(channel) = choose(setup, servers, (&route.key, cursor), &mut new).await? {
            map.insert(route.key.clone(), with_channel(map.get(&route.key), channel));
        } else {
            map.remove(&route.key);
        }
        given.insert(route.key.clone());
    }
    for key in &spelled {
        let is_asked = if key == DEFAULT { !has_default } else { asks_groups };
        if !is_asked || given.contains(key) {
            continue;
        }
        // Enter changes nothing in a map that is there already.
        let cursor = if was_empty || key == DEFAULT { Cursor::ByName } else { Cursor::NoChannel };
        if let Chosen::Channel(channel) = choose(setup, servers, (key, cursor), &mut new).await? {
            map.insert(key.clone(), json!([channel]));
        }
    }
    if map.is_empty() {
        return Ok(new);
    }
    let text = Value::Object(map).to_string();
    if let Err(wrong) = Config::check(MAP, &text) {
        let (found, remedy) = (format!("With --channel, {MAP} {}.", wrong.what), wrong.fix);
        return Err(SetupStop::Wrong { found, remedy });
    }
    setup.draft.set(MAP, &text);
    Ok(new)
}

/// A key as the map already spells it: dots and underscores are equal.
fn written(map: &Map<String, Value>, key: &str) -> String {
    let meant = RouteKey::read(key).ok();
    let same = map.keys().find(|there| meant.is_some() && RouteKey::read(there).ok() == meant);
    same.map_or(key, String::as_str).to_owned()
}

/// The key of a name on the command line, which may be a group's name.
fn key_of(text: &str) -> String {
    let group = GROUPS.iter().find(|(name, _, word)| text == *name || text == *word);
    match group {
        Some((_, key, _)) => (*key).to_owned(),
        None => text.to_owned(),
    }
}

fn read(text: &str) -> Map<String, Value> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn channels_of(route: &Route) -> impl Iterator<Item = Snowflake> {
    route.targets.iter().filter_map(Target::channel)
}

/// The value of a key with another channel; its other settings stay.
fn with_channel(before: Option<&Value>, channel: Snowflake) -> Value {
    match before {
        Some(Value::Object(options)) => {
            let mut options = options.clone();
            options.insert("channels".to_owned(), json!([channel]));
            Value::Object(options)
        }
        _ => json!([channel]),
    }
}

/// A key's display name.
fn label(key: &str) -> &str {
    GROUPS.iter().find(|(_, known, _)| *known == key).map_or(key, |(name, _, _)| name)
}

/// The channel that a flag names, by its id or name; `None` if it is not usable and the operator can be asked.
fn named(
    setup: &mut Setup<'_>,
    servers: &Servers,
    key: &str,
    text: &str,
) -> Result<Option<Snowflake>, SetupStop> {
    let rows = servers.channels();
    let name = text.trim_start_matches('#');
    let by_name = rows.iter().find(|row| row.name == name).map(|row| row.id);
    let Some(id) = by_name.or_else(|| text.parse().ok()) else {
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let found = format!("--channel {key}={text}: {} has no channel of that name.", servers.home.name);
        setup.wrong(&found, &format!("It has: {}.", names.join(", ")))?;
        return Ok(None);
    };
    if let Some(obstacle) = servers.obstacles(id).into_iter().next() {
        let found = format!("--channel {key}={text}: {}", obstacle.found);
        setup.wrong(&found, &obstacle.remedy.unwrap_or_default())?;
        return Ok(None);
    }
    Ok(Some(id))
}

/// Whether the bot can write wherever a key leads; prints the result.
fn check(setup: &mut Setup<'_>, servers: &Servers, route: &Route) -> Result<bool, SetupStop> {
    let mut is_well = true;
    for channel in channels_of(route) {
        for obstacle in servers.obstacles(channel) {
            setup.wrong(&obstacle.found, &obstacle.remedy.unwrap_or_default())?;
            is_well = false;
        }
    }
    if is_well {
        let names: Vec<String> = route
            .targets
            .iter()
            .map(|target| match target {
                Target::Channel(id) => servers.name(*id),
                Target::Stored(id) => format!("the stored webhook {id}"),
            })
            .collect();
        let names = if names.is_empty() { "nowhere, on purpose".to_owned() } else { names.join(", ") };
        setup.keep(&format!("{} → {names}", label(&route.key)));
    }
    Ok(is_well)
}

/// Lets the operator choose a channel for a key. A channel that the bot cannot write to is not accepted: setup prints
/// what the bot lacks, and asks Discord again.
async fn choose(
    setup: &mut Setup<'_>,
    servers: &mut Servers,
    (key, first): (&str, Cursor),
    new: &mut Vec<NewChannel>,
) -> Result<Chosen, SetupStop> {
    let what = label(key);
    let text = format!("Channel for {what}:");
    let instead = format!("--channel {key}=ID");
    let is_default = key == DEFAULT;
    let question = PromptQuestion { text: &text, help: "", instead: &instead };
    let mut cursor = None;
    loop {
        let rows = servers.channels();
        let mut lines: Vec<String> = Vec::new();
        if !is_default {
            lines.push("no channel of its own: with everything else".to_owned());
        }
        let before_rows = lines.len();
        lines.extend(rows.iter().map(|row| line(servers, row)));
        let before_new = lines.len();
        lines.extend(new.iter().map(|channel| format!("#{} (will be made)", channel.name)));
        let may_make = servers.snapshot.may_make_channels(servers.home.id);
        lines.push(
            if may_make {
                "make a new channel"
            } else {
                "read the list again (make the channel in Discord first)"
            }
            .to_owned(),
        );
        let known = match first {
            Cursor::Channel(channel) => rows.iter().position(|row| row.id == channel),
            Cursor::ByName | Cursor::NoChannel => None,
        };
        let guess = || match first {
            Cursor::NoChannel => 0,
            _ => before_rows + known.or_else(|| guess(key, &rows)).unwrap_or_default(),
        };
        let start = cursor.unwrap_or_else(guess).min(lines.len() - 1);
        let last = lines.len() - 1;
        let unattended = (!is_default).then_some(0);
        let chosen = setup.prompt.choose(&question, &Choices { lines, cursor: start, unattended })?;
        cursor = Some(chosen);
        if chosen < before_rows {
            return Ok(Chosen::LikeTheRest);
        }
        if chosen == last {
            if !may_make {
                servers.read(setup).await?;
                continue;
            }
            let name = name_new(setup, what)?;
            // Made by an earlier setup that did not finish, for instance.
            if let Some(row) = rows.iter().find(|row| row.name == name)
                && servers.obstacles(row.id).is_empty()
            {
                setup.say(&format!("There is a channel #{name} already: it is used."));
                return Ok(Chosen::Channel(row.id));
            }
            return Ok(Chosen::Channel(planned(new, name)));
        }
        if let Some(channel) = chosen.checked_sub(before_new).and_then(|at| new.get(at)) {
            return Ok(Chosen::Channel(channel.placeholder));
        }
        let Some(row) = rows.get(chosen - before_rows) else { continue };
        let mut obstacles = servers.obstacles(row.id);
        if !obstacles.is_empty() {
            // The operator may have granted it since.
            servers.read(setup).await?;
            obstacles = servers.obstacles(row.id);
        }
        if obstacles.is_empty() {
            return Ok(Chosen::Channel(row.id));
        }
        for obstacle in obstacles {
            setup.wrong(&obstacle.found, &obstacle.remedy.unwrap_or_default())?;
        }
        setup.say("Choose another, or grant it in Discord and choose it again.");
    }
}

/// A channel, and what the bot lacks there.
fn line(servers: &Servers, row: &ServerRow) -> String {
    let name = format!("#{}", row.name);
    let state = servers.snapshot.channel(row.id);
    let missing: Vec<String> =
        state.map_or_else(Vec::new, |state| state.missing).into_iter().map(|missing| missing.found).collect();
    if missing.is_empty() { name } else { format!("{name}: {}", missing.join("; ")) }
}

/// The channel whose name fits the group.
fn guess(key: &str, rows: &[ServerRow]) -> Option<usize> {
    let (_, _, word) = GROUPS.iter().find(|(_, known, _)| *known == key)?;
    rows.iter().position(|row| row.name.to_lowercase().contains(word))
}

/// The placeholder id of the channel `name`, which is created at the end.
fn planned(new: &mut Vec<NewChannel>, name: String) -> Snowflake {
    if let Some(channel) = new.iter().find(|channel| channel.name == name) {
        return channel.placeholder;
    }
    let placeholder = Snowflake::new(u64::MAX - new.len() as u64);
    new.push(NewChannel { name, placeholder });
    placeholder
}

/// Asks for the name of a channel to create.
fn name_new(setup: &mut Setup<'_>, what: &str) -> Result<String, SetupStop> {
    let question = PromptQuestion {
        text: "Name of the new channel:",
        help: "It is created once you agree to the whole change.",
        instead: "--channel",
    };
    let suggestion = if what == "everything else" { "nuncio" } else { what };
    loop {
        let typed = setup.prompt.text(&question, Some(suggestion))?;
        let name = typed.trim().trim_start_matches('#').to_lowercase().replace(' ', "-");
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            setup.wrong("A channel's name has 1 to 100 characters.", "Type another.")?;
            continue;
        }
        return Ok(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("alerts", "alert.*")]
    #[case("alert", "alert.*")]
    #[case("everything else", "default")]
    #[case("ticket.created@ACME", "ticket.created@ACME")]
    fn groups_are_keys(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(key_of(text), expected);
    }

    #[test]
    fn a_key_is_the_one_that_is_written_already() {
        let map = read(r#"{"ticket_*":["1"]}"#);
        assert_eq!(
            (written(&map, "ticket.*"), written(&map, "asset.*")),
            ("ticket_*".to_owned(), "asset.*".to_owned())
        );
    }

    #[test]
    fn another_channel_leaves_the_pings_of_a_key() {
        let before = json!({"channels": ["1"], "ping": ["2"]});
        let after = with_channel(Some(&before), Snowflake::new(3));
        assert_eq!(after, json!({"channels": ["3"], "ping": ["2"]}));
    }
}
