//! Ids within the JSON of a variable: one or a list of them, each a string or a number.

use crate::config::json::Json;
use crate::config::placeholder::is_placeholder;
use crate::model::Snowflake;
use crate::model::route::Target;

/// The largest whole number that every JSON tool preserves exactly.
const EXACT: u64 = 1 << 53;

/// Parsed ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ids<T> {
    /// The ids, without duplicates.
    pub(super) ids: Vec<T>,
    /// Number of placeholders among them.
    pub(super) placeholders: usize,
    /// Whether one was a number so large that other tools round it.
    pub(super) is_imprecise: bool,
}

impl<T: PartialEq> Ids<T> {
    /// Parses one id or a list of ids with `parse`. The error names an invalid one by its position only.
    pub(super) fn read(json: &Json, what: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Self, String> {
        let mut found = Self { ids: Vec::new(), placeholders: 0, is_imprecise: false };
        let items = match json {
            Json::List(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for (at, item) in items.iter().enumerate() {
            let text = match item {
                Json::Text(text) if is_placeholder(text) => {
                    found.placeholders += 1;
                    continue;
                }
                Json::Text(text) => text.clone(),
                Json::Whole(number) => {
                    found.is_imprecise |= *number > EXACT;
                    number.to_string()
                }
                _ => String::new(),
            };
            match parse(&text) {
                Some(id) if found.ids.contains(&id) => {}
                Some(id) => found.ids.push(id),
                None if mistake(&text).is_some() => {
                    return Err(mistake(&text).unwrap_or_default().to_owned());
                }
                None if items.len() > 1 => {
                    return Err(format!("has something that is not {what}, at position {}", at + 1));
                }
                None => return Err(format!("does not hold {what}")),
            }
        }
        Ok(found)
    }
}

/// Recognizes common mistakes in place of an id, as the end of a sentence.
fn mistake(text: &str) -> Option<&'static str> {
    let text = text.trim().to_ascii_lowercase();
    if text.contains("/webhooks/") {
        Some(
            "holds the address of a Discord webhook, which is a password and no id: store it with nuncio discord-webhooks add, \
             and put the dst_… that it prints here (if others have read this file, make a new webhook)",
        )
    } else if text.starts_with("http") || text.contains("discord.com/") {
        Some("holds a link: the id is the last number in it")
    } else if text.starts_with("<#") || text.starts_with("<@") {
        Some("holds a mention: the id is the number in it")
    } else if text.starts_with(['#', '@']) {
        Some("holds a name: right-click it in Discord, Copy ID")
    } else {
        None
    }
}

/// Parses role ids.
pub(super) fn roles(json: &Json) -> Result<Ids<Snowflake>, String> {
    Ids::read(json, "a role id (17 to 19 digits, in quotes)", |text| text.parse().ok())
}

/// Parses channel ids and ids of stored destinations.
pub(super) fn targets(json: &Json) -> Result<Ids<Target>, String> {
    Ids::read(json, "a channel id (17 to 19 digits, in quotes)", |text| {
        text.parse().map(Target::Channel).or_else(|_| text.parse().map(Target::Stored)).ok()
    })
}
