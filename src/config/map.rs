//! The route map from kinds to channels: `DISCORD_WEBHOOK_CHANNELS`, and its predecessor `MONITOR_CHANNELS`.
//!
//! Errors name the key they are about and never its value.

use std::collections::HashMap;

use crate::config::ids::{self, Ids};
use crate::config::json::{self, Json};
use crate::config::reader::Reader;
use crate::config::report::InvalidValue;
use crate::model::Snowflake;
use crate::model::route::{CardStyle, Pattern, Route, RouteKey, RouteMap, Target};

const MAP: &str = "DISCORD_WEBHOOK_CHANNELS";
/// Maximum name length that counts for the column's width.
const WIDEST: usize = 32;
const MONITOR: &str = "MONITOR_CHANNELS";
const SHAPE: &str =
    r#"It looks like {"ticket.created":["CHANNEL_ID"],"machine.*":["CHANNEL_ID"],"default":["CHANNEL_ID"]}."#;
const VALUE_SHAPE: &str = r#"A value is an id in quotes (of a channel, or dst_… of a stored webhook), a list of them, [] for nowhere, or {"channels":["ID"],"ping":["ROLE_ID"]}."#;

/// Reads both variables.
pub(super) fn read(reader: &mut Reader<'_>) -> RouteMap {
    let mut routes = match reader.optional(MAP, json::parse) {
        Some(Json::Object(entries)) => read_entries(reader, entries),
        Some(_) => {
            reader.problem(MAP, InvalidValue::new("is not a JSON object", SHAPE));
            Vec::new()
        }
        None => Vec::new(),
    };
    let has_default = routes.iter().any(|route| route.pattern == Pattern::Default && route.company.is_none());
    if let Some(targets) = monitor_channels(reader).filter(|_| !has_default) {
        routes.push(Route {
            key: "default".to_owned(),
            pattern: Pattern::Default,
            company: None,
            targets,
            ping: Vec::new(),
            cards: None,
        });
    }
    RouteMap::new(routes)
}

/// The old bot's list: ids between commas, or a JSON list. `None` if it is not set or names no channel.
fn monitor_channels(reader: &mut Reader<'_>) -> Option<Vec<Target>> {
    let json = reader.optional(MONITOR, |text| {
        if text.trim_start().starts_with(['[', '{', '"']) {
            return json::parse(text);
        }
        let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
        Ok(Json::List(ids.map(|id| Json::Text(id.to_owned())).collect()))
    })?;
    match ids::targets(&json) {
        Ok(found) => {
            if found.placeholders > 0 {
                reader.placeholder(MONITOR);
            }
            Some(found.ids).filter(|ids| !ids.is_empty())
        }
        Err(what) => {
            reader.problem(
                MONITOR,
                InvalidValue::new(what, "It is a list of channel ids with commas between them."),
            );
            None
        }
    }
}

fn read_entries(reader: &mut Reader<'_>, entries: Vec<(String, Json)>) -> Vec<Route> {
    let mut routes = Vec::new();
    let mut seen: HashMap<(Pattern, Option<String>), String> = HashMap::new();
    for (key, value) in entries {
        let read = RouteKey::read(&key).map_err(|(what, fix)| InvalidValue::new(what, fix));
        let parsed = read.and_then(|RouteKey { pattern, company }| {
            match seen.insert((pattern.clone(), company.clone()), key.clone()) {
                Some(first) if first == key => Err(InvalidValue::new(
                    "is there twice",
                    "Keep one of them; a key may have a list of channels.",
                )),
                Some(first) => Err(InvalidValue::new(
                    format!("means the same as {first:?}"),
                    "Keep one of them: dots and underscores are the same.",
                )),
                None => Ok((pattern, company)),
            }
        });
        match parsed.and_then(|(pattern, company)| Ok((pattern, company, read_value(reader, &key, &value)?)))
        {
            // All its channels were placeholders: the key counts as not set, so its events stay unrouted instead of
            // being lost.
            Ok((_, _, None)) => {}
            Ok((pattern, company, Some((targets, ping, cards)))) => {
                routes.push(Route { key, pattern, company, targets, ping, cards })
            }
            Err(wrong) => reader
                .problem(MAP, InvalidValue::new(format!("at {key:?}: this key {}", wrong.what), wrong.fix)),
        }
    }
    routes
}

type Value = (Vec<Target>, Vec<Snowflake>, Option<CardStyle>);

/// The value of a key; `None` if it contains only placeholders.
fn read_value(reader: &mut Reader<'_>, key: &str, value: &Json) -> Result<Option<Value>, InvalidValue> {
    let wrong = |what: String| InvalidValue::new(what, VALUE_SHAPE);
    let mut channels = None;
    let mut ping = None;
    let mut cards = None;
    match value {
        Json::Object(options) => {
            for (at, (name, option)) in options.iter().enumerate() {
                if options[..at].iter().any(|(earlier, _)| earlier == name) {
                    return Err(wrong(format!("has the option {name:?} twice")));
                }
                match (name.as_str(), option) {
                    ("channels", ids) => channels = Some(ids::targets(ids).map_err(wrong)?),
                    ("ping", ids) => {
                        ping = Some(ids::roles(ids).map_err(|what| wrong(format!("has a ping that {what}")))?)
                    }
                    ("cards", Json::Text(word)) if CardStyle::from_word(word).is_some() => {
                        cards = CardStyle::from_word(word);
                    }
                    ("threads", Json::Bool(false)) => {}
                    ("threads", Json::Bool(true)) => note_later(reader, key, r#""threads":true"#),
                    ("cards", _) => {
                        return Err(wrong("has cards that are neither \"append\" nor \"living\"".to_owned()));
                    }
                    ("threads", _) => {
                        return Err(wrong("has threads that are neither true nor false".to_owned()));
                    }
                    _ => return Err(wrong(format!("has an option {name:?}, which nuncio does not know"))),
                }
            }
            if channels.is_none() {
                return Err(wrong("has options but no \"channels\"".to_owned()));
            }
        }
        ids => channels = Some(ids::targets(ids).map_err(wrong)?),
    }
    let ping = ping.map(|found| take(reader, key, found)).unwrap_or_default();
    let Some(found) = channels else { return Ok(None) };
    let only_placeholders = found.placeholders > 0 && found.ids.is_empty();
    let targets = take(reader, key, found);
    Ok((!only_placeholders).then_some((targets, ping, cards)))
}

fn take<T>(reader: &mut Reader<'_>, key: &str, found: Ids<T>) -> Vec<T> {
    if found.placeholders > 0 {
        reader.placeholder(format!("{MAP} at {key:?}"));
    }
    if found.is_imprecise {
        reader.note(format!("{MAP} at {key:?}: an id is a number without quotes; most tools round numbers that large, so check it and put it in quotes"));
    }
    found.ids
}

fn note_later(reader: &mut Reader<'_>, key: &str, option: &str) {
    reader.note(format!("{MAP} at {key:?}: {option} is not in this version yet"));
}

/// The route map as lines for the log at start: each kind with its targets, in the order of the variable.
#[must_use]
pub fn table(map: &RouteMap) -> Vec<String> {
    table_of(map, &describe)
}

/// [`table`] with custom descriptions of the targets.
#[must_use]
pub fn table_of(map: &RouteMap, describe: &dyn Fn(&Target) -> String) -> Vec<String> {
    let name = |route: &Route| match (&route.pattern, &route.company) {
        (Pattern::Kind(text) | Pattern::Glob(text), None) => text.clone(),
        (Pattern::Kind(text) | Pattern::Glob(text), Some(company)) => format!("{text} of customer {company}"),
        (Pattern::Default, None) => "everything else".to_owned(),
        (Pattern::Default, Some(company)) => format!("everything else of customer {company}"),
    };
    let mut rows: Vec<(String, String)> = map
        .routes()
        .iter()
        .map(|route| {
            let targets: Vec<String> = route.targets.iter().map(describe).collect();
            let targets =
                if targets.is_empty() { "nowhere, on purpose".to_owned() } else { targets.join(", ") };
            (name(route), targets)
        })
        .collect();
    if !map.routes().iter().any(|route| route.pattern == Pattern::Default && route.company.is_none()) {
        rows.push(("everything else".to_owned(), "nowhere yet: kept as unrouted".to_owned()));
    }
    // One long name must not push all others out of sight.
    let widths = rows.iter().map(|(name, _)| name.chars().count()).filter(|width| *width <= WIDEST);
    let width = widths.max().unwrap_or(0);
    rows.iter().map(|(name, targets)| format!("{name:width$}  → {targets}")).collect()
}

fn describe(target: &Target) -> String {
    match target {
        Target::Channel(id) => format!("channel {id}"),
        Target::Stored(id) => format!("destination {id}"),
    }
}
